"""How long loading a file of ten thousand rules takes, and ``mroute explain`` on it after that.

Run by ``python -m tests.benchmarks.explaining``. The target is a second at most for the first
series that is explained, when nothing is compiled.
"""

from __future__ import annotations

import io
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from mroute import config
from mroute.cli.explain import _described, _show
from mroute.cli.explanation import explain, site_of
from mroute.cli.installed import installed
from mroute.cli.planned import entries
from mroute.cli.screen import Screen
from mroute.cli.subjects import Given, as_series
from mroute.config.kept import FOLDER_VARIABLE
from mroute.site import Site
from mroute.types import Series

RULES = 10_000
ROUNDS = 5
TARGET = 1.0
"""Seconds."""

STATIONS = [f"{maker}{number:03}" for number in range(50) for maker in ("AVANTO", "CT", "GEMS")]
SITES = [*(f"Hospital {number}" for number in range(10)), "Children's Hospital", "Heart Centre"]
MODALITIES = ["MR", "CT", "US", "PT", "CR", "DX", "MG", "XA"]
WORDS = [f"{a}{b}" for a in ("t1", "t2", "flair", "dwi", "adc") for b in ("", " sag", " 3d", " fs")]

TAGS = {
    "Modality": "MR",
    "StationName": "AVANTO007",
    "InstitutionName": "Hospital 7",
    "StudyDescription": "study 0042",
    "SeriesDescription": "T2 sag",
    "ImageType": "ORIGINAL\\PRIMARY",
    "SliceThickness": "2.5",
    "SeriesInstanceUID": "1.2.3",
    "StudyInstanceUID": "1.2",
} | {f"Tag{number}": "some value or other" for number in range(55)}


def condition(draw: random.Random, number: int) -> str:
    """Two to five predicates on different tags."""
    word = draw.choice(WORDS)
    station, others = draw.choice(STATIONS), draw.sample(STATIONS, 3)
    kinds = [
        f"tags.Modality == '{draw.choice(MODALITIES)}'",
        draw.choice([f"tags.StationName == '{station}'", f"tags.StationName in {others}"]),
        f'tags.InstitutionName == "{draw.choice(SITES)}"',
        draw.choice(
            [
                f"'{word}' in tags.SeriesDescription.lower()",
                f"has_word(tags.ProtocolName, '{word}')",
            ]
        ),
        f"'study {number:04}' in tags.StudyDescription",
        f"tags.SliceThickness < {draw.randint(1, 60) / 10}",
        "not 'localizer' in tags.ImageType.lower()",
    ]
    return " and ".join(draw.sample(kinds, draw.randint(2, 5)))


def rule_file() -> str:
    draw = random.Random(4)
    lines = ["version: 1", "targets: {archive: {type: folder, path: archive}}", "rules:"]
    for number in range(RULES):
        lines += [
            f"  study-{number}:",
            f"    when: {json.dumps(condition(draw, number))}",
            "    action: route",
            "    targets: [archive]",
        ]
    return "\n".join(lines) + "\n"


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    before = time.perf_counter()
    result = action()
    return time.perf_counter() - before, result


def explained(series: Series, site: Site, as_json: bool) -> str:
    """What ``mroute explain`` prints of ``series``."""
    explanation = explain(series, site)
    given, answers = Given("image.dcm", series), explanation.answers
    planned = entries(explanation.plan, site.configuration)
    if as_json:
        return json.dumps(_described(given, explanation, answers, planned))
    with redirect_stdout(io.StringIO()) as out:
        _show(Screen.of_stdout(), given, explanation, answers, planned, short=True)
    return out.getvalue()


def measured(file: Path) -> dict[str, list[float]]:
    """Seconds of each round by what was done."""
    plugins = installed()
    series = as_series(TAGS, ("image.dcm",))
    found: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for as_json in (False, True):
            filled = number or as_json
            # What is compiled for one is there for the next: each has rules of its own.
            seconds, configuration = timed(partial(config.load, file, plugins.registry))
            found.setdefault(f"loading, the cache {'filled' if filled else 'empty'}", []).append(
                seconds
            )
            site = site_of(configuration, plugins.hooks, plugins.registry)
            for which in ("the first series", "the next"):
                seconds, text = timed(partial(explained, series, site, as_json))
                name = f"explaining {which}{', as JSON' if as_json else ''}"
                found.setdefault(name, []).append(seconds)
                assert not as_json or len(json.loads(text)["rules"]) == RULES
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = str(Path(folder, "cache"))
        file = Path(folder, "mroute.yaml")
        file.write_text(rule_file(), "utf-8")
        found = measured(file)
    medians = {name: statistics.median(times) for name, times in found.items()}
    print(f"{RULES:,} rules")
    for name, seconds in medians.items():
        print(f"{seconds * 1000:8.0f} ms  {name}")
    worst = max(seconds for name, seconds in medians.items() if name.startswith("explaining"))
    print(f"explaining takes {worst / TARGET:.2f} times the target of {TARGET} s at the most")


if __name__ == "__main__":
    main()
