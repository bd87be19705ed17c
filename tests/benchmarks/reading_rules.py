"""Parsing and checking a rule beside Lark's own parser, and reading many back from a cache.

Run by ``python -m tests.benchmarks.reading_rules``. The targets: at most 1.3 times Lark's own LALR
parser (its defaults, making its own tree) for a rule of about 110 characters, and at most a tenth
of parsing for reading 10,000 rules from the cache on disk.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from lark import Lark

from mroute.config.cache import ConditionCache
from mroute.config.kept import FOLDER_VARIABLE
from mroute.expr import BUILTINS, check, parse
from mroute.hooks import Hooks
from mroute.registry import Registry

RULE = (
    "tags.Modality == 'MR' and 'T2' in tags.SeriesDescription and tags.SliceThickness < 2.5 "
    "and tags.Rows in [256, 512]"
)
ROUNDS = 2_000
MANY = 10_000


def timed(action: Callable[[], Any]) -> float:
    before = time.perf_counter()
    action()
    return time.perf_counter() - before


def one_rule() -> None:
    grammar = (files("mroute.expr") / "grammar.lark").read_text("utf-8")
    lark = Lark(grammar, start=["condition", "completion"], parser="lalr")
    tree = parse(RULE)
    actions: dict[str, Callable[[], Any]] = {
        "Lark's own LALR": lambda: lark.parse(RULE, start="condition"),
        "parse": lambda: parse(RULE),
        "check": lambda: check(tree, BUILTINS),
        "parse and check": lambda: check(parse(RULE), BUILTINS),
    }
    found: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            found[name].append(timed(action))
    medians = {name: statistics.median(times) for name, times in found.items()}
    print(f"a rule of {len(RULE)} characters")
    for name, seconds in medians.items():
        ratio = seconds / medians["Lark's own LALR"]
        print(f"{seconds * 1e6:8.0f} us  {ratio:5.2f} times  {name}")


def many_rules() -> None:
    draw = random.Random(4)
    texts = [
        f"tags.Modality == '{draw.choice(['MR', 'CT', 'US'])}' and 'Protocol {number}' in "
        f"tags.SeriesDescription and tags.SliceThickness < {draw.randint(1, 50) / 10} and "
        f"tags.StationName in ['S{draw.randint(0, 150)}', 'S{draw.randint(0, 150)}']"
        for number in range(MANY)
    ]
    registry = Registry.collect(Hooks.load())
    functions = registry.functions
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = folder
        cache = ConditionCache(Path(folder, "mroute.yaml"), registry)
        cache.write({text: check(parse(text), functions) for text in texts})
        parsing, reading = [], []
        for _ in range(5):
            parsing.append(timed(lambda: [check(parse(text), functions) for text in texts]))
            reading.append(timed(cache.read))
        assert list(cache.read()) == texts
    slow, fast = statistics.median(parsing), statistics.median(reading)
    print(f"{MANY:,} rules")
    print(f"{slow * 1e3:8.0f} ms         parsing and checking")
    print(f"{fast * 1e3:8.0f} ms  {fast / slow:5.3f} times  reading them from the cache")


if __name__ == "__main__":
    one_rule()
    many_rules()
