"""What must hold for any text that somebody takes for an expression, and how to find such texts.

Knows the promises of mroute.expr on bad input, and how to change a rule into one that is almost
right. Does not know who chooses the texts: Hypothesis (test_fuzz) or atheris (fuzz_expressions).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Final, TypeVar

from mroute.errors import ExpressionError, Problem
from mroute.expr import (
    BUILTINS,
    Checked,
    Language,
    Outcome,
    check,
    compile_condition,
    compile_study,
    parse,
)
from mroute.expr.completion import compile_completion
from mroute.expr.nodes import Tag, walk
from tests.conftest import ROOT
from tests.unit.expr.strategies import tag_sets

BOUND: Final = 10.0
"""Seconds of the processor that no text takes to be read or evaluated; a slow machine included."""

LARGE: Final = {f"Tag{n}": "word " * 205 for n in range(100)}
"""A hundred tags of 1 KiB."""

LARGE_VALUES: Final = ("a\\" * 512, "1\\" * 512, " 9" * 512, "\udcb1" * 1024)

FIXTURES = ROOT / "tests" / "fixtures"

_Result = TypeVar("_Result")


class FaultError(AssertionError):
    """The language broke a promise."""


def check_promises(text: str) -> None:
    """Read, check and evaluate ``text`` in every language; raises where a promise is broken.

    Only `ExpressionError` is raised by the language, with places that are in the text, and nothing
    takes longer than `BOUND`.
    """
    for language in Language:
        try:
            checked = _timed(text, partial(_read, text, language))
        except ExpressionError as error:
            _sane(text, error.problems)
            continue
        _sane(text, checked.problems, none=True)
        if checked.errors:
            continue
        if language is Language.CONDITION:
            _evaluate(text, checked)
        elif language is Language.STUDY:
            _evaluate_study(text, checked)
        else:
            program = compile_completion(text)
            for received in ([], ["SAG T2"], [text, "\udcb1"], ["x" * 1024] * 100):
                _answer(text, _timed(text, partial(program.evaluate, received)))


def _read(text: str, language: Language) -> Checked:
    return check(parse(text, language), BUILTINS)


def _evaluate(text: str, checked: Checked) -> None:
    program = compile_condition(checked)
    root = checked.tree.root
    names = {node.name for node, _ in walk(root) if isinstance(node, Tag)}
    large = [LARGE | dict.fromkeys(names, value) for value in LARGE_VALUES]
    near = list(tag_sets(root, Random(0), 8))
    several: list[Mapping[str, str]] = [{}, *near, *large]
    for tags in several:
        outcome = _timed(text, partial(program.evaluate, tags))
        _answer(text, outcome)
        # Evaluating twice what is large would only take longer.
        if tags in near and program.value(tags) is not outcome.value:
            raise FaultError(f"{text!r} has two values for {tags!r}")


def _evaluate_study(text: str, checked: Checked) -> None:
    """As `_evaluate`, for studies of no series, of different ones, and of many large ones."""
    program = compile_study(text, BUILTINS)
    root = checked.tree.root
    names = {node.name for node, _ in walk(root) if isinstance(node, Tag)}
    large = LARGE | dict.fromkeys(names, LARGE_VALUES[0])
    near = list(tag_sets(root, Random(0), 8))
    studies: list[list[Mapping[str, str]]] = [[], [{}], near, [large] * 200]
    for series in studies:
        first = series[0] if series else {}
        _answer(text, _timed(text, partial(program.evaluate, first, series)))


def _answer(text: str, outcome: Outcome) -> None:
    if outcome.value not in (True, False, None) or not outcome.because:
        raise FaultError(f"{text!r} has no answer: {outcome}")
    outcome.because.encode("utf-8", "backslashreplace")


def _sane(text: str, problems: Sequence[Problem], *, none: bool = False) -> None:
    lines = text.split("\n")
    if not problems and not none:
        raise FaultError(f"{text!r} is refused without a reason")
    for problem in problems:
        shown = problem.render()
        fits = (
            problem.message
            and problem.message in shown
            and problem.length >= 1
            and 1 <= problem.line <= len(lines)
            and 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            and len(shown) < 4_000
            and shown.translate({9: None, 10: None}).isprintable()
        )
        if not fits:
            raise FaultError(f"{text!r} has an odd problem: {problem}")


def _timed(text: str, call: Callable[[], _Result]) -> _Result:
    began = time.process_time()
    try:
        return call()
    finally:
        taken = time.process_time() - began
        if taken > BOUND:
            raise FaultError(f"{text!r} took {taken:.1f} s")


# ---- Texts that are almost right -----------------------------------------------------------------


def decode(data: bytes) -> str:
    """The text of ``data``; bytes that are no UTF-8 become lone surrogates, as in file names."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` makes ``text`` of, as far as there are any."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def seeds() -> list[str]:
    """Expressions that somebody wrote: those of the fixtures and of the language's page."""
    found: dict[str, None] = {}
    page = (ROOT / "docs/reference/rule-language.md").read_text("utf-8")
    blocks = re.findall(r"^```mroute\S*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    paths = [*sorted((FIXTURES / "expressions").iterdir()), FIXTURES / "escapes.txt"]
    for content in (*blocks, *(path.read_text("utf-8") for path in paths)):
        for line in content.splitlines():
            if line and not line.startswith("# "):
                found[line.split(" ; ")[0]] = None
    for path in sorted((FIXTURES / "errors").iterdir()):
        blocks = path.read_text("utf-8").split("\n>>> ")[1:]
        found.update(dict.fromkeys(block.split("\n")[0] for block in blocks))
    return list(found)


SEEDS = seeds()

_WORD = re.compile(r"""'[^'\n]*'|"[^"\n]*"|@?\w+@?|[=<>!&|*/]{1,2}|\s+|.""", re.DOTALL)
_WORDS = sorted({word for seed in SEEDS for word in _WORD.findall(seed)})
_ODD = (
    "'", '"', "\\", "(", ")", "[", "]", "@", ":", ",", ".", "\0", "\n", "\r\n", "\t", "\x0b",
    "\x1c", "\x85", "\u2028", "\u2018", "\u201d", "\u202e", "\u2066", "\u200b", "\ufeff", "\xa0",
    "\u3000", "\uff12", "\u0130", "\u017f", "\ud800", "\udcb1", "\U000e0041", "\U0001f600",
    "9" * 50, "1e999", "((((((((", "))))))))", "not ", "-", "{", "}", "$", "`", "~", ";", "#",
    " if ", " else ", " for x in ", " in ", " not in ", " and ", " or ", " | ", " & ", "r'", "f'",
)  # fmt: skip


def mutate(text: str, random: Random) -> str:
    """``text`` with one thing in it changed: a word, a bracket, a quote, a character."""
    words = _WORD.findall(text) or [""]
    at, other = random.randrange(len(words)), random.randrange(len(words))
    match random.randrange(10):
        case 0:
            del words[at]
        case 1:
            words.insert(at, random.choice(_ODD))
        case 2:
            words[at] = random.choice(_WORDS)
        case 3:
            words[at], words[other] = words[other], words[at]
        case 4:
            words[at] = f"({words[at]})" if random.random() < 0.5 else f"[{words[at]}]"
        case 5:
            words[min(at, other) : max(at, other)] *= random.choice([0, 2, 3, 20])
        case 6:
            words[at] = words[at].translate({ord("'"): '"', ord('"'): "'"})
        case 7:
            place = random.randrange(len(words[at]) + 1)
            words[at] = words[at][:place] + random.choice(_ODD) + words[at][place + 1 :]
        case 8:
            words[at:] = _WORD.findall(random.choice(SEEDS))
        case _:
            words.insert(at, random.choice(_WORDS))
    return "".join(words)
