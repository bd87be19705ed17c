"""The messages of tests/fixtures/errors: each expression there is refused in these words."""

from __future__ import annotations

from pathlib import Path

import pytest

import mroute_dicom
from mroute.errors import ExpressionError, Problem
from mroute.expr import Code, Language, check, parse
from mroute.testing import registry_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "errors"
FUNCTIONS = registry_of(mroute_dicom).functions
LANGUAGES = {
    "syntax.txt": Language.CONDITION,
    "names.txt": Language.CONDITION,
    "types.txt": Language.CONDITION,
    "hostile.txt": Language.CONDITION,
    "functions.txt": Language.CONDITION,
    "plausible.txt": Language.CONDITION,
    "completion.txt": Language.COMPLETION,
}
ELSEWHERE = {Code.TOO_LONG, Code.TOO_DEEP, Code.NO_LIBRARY}
"""Codes of texts too large for a fixture (test_bounds), and of what is missing (test_matching)."""


def problems_of(text: str, language: Language) -> tuple[Problem, ...]:
    try:
        return check(parse(text, language), FUNCTIONS).problems
    except ExpressionError as error:
        return error.problems


def golden(name: str) -> list[tuple[Language, str, str]]:
    """Language, expression and messages of every block ``>>> expression``, ``... more lines``."""
    found = []
    content = (FOLDER / name).read_text("utf-8")
    for block in content.split("\n>>> ")[1:]:
        lines = block.rstrip("\n").split("\n")
        more = [line for line in lines[1:] if line.startswith("... ")]
        expression = "\n".join([lines[0], *(line[4:] for line in more)])
        found.append((LANGUAGES[name], expression, "\n".join(lines[1 + len(more) :])))
    return found


GOLDEN = [each for name in LANGUAGES for each in golden(name)]


def test_every_file_is_read() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(LANGUAGES)
    assert len(GOLDEN) >= 60


@pytest.mark.parametrize(("language", "expression", "expected"), GOLDEN)
def test_the_message(language: Language, expression: str, expected: str) -> None:
    rendered = "\n".join(problem.render() for problem in problems_of(expression, language))
    assert rendered == expected


def test_every_code_has_a_message() -> None:
    shown = {p.code for language, text, _ in GOLDEN for p in problems_of(text, language)}
    assert shown == set(Code) - ELSEWHERE


@pytest.mark.parametrize(("language", "expression"), [(g[0], g[1]) for g in GOLDEN])
def test_the_style_of_messages(language: Language, expression: str) -> None:
    for problem in problems_of(expression, language):
        assert "invalid" not in problem.message.lower()
        assert not problem.message.endswith(".")
        # A message begins in lower case, unless with the name of a thing in quotes.
        assert problem.message[0] in "'\"" or problem.message[0].islower()


def test_a_place_is_that_of_the_thing() -> None:
    text = "has(Rows) and\n  tags.SeriesDesciption == 'a' and\n  lenn('a') == 1"
    tag, function = problems_of(text, Language.CONDITION)
    assert (tag.line, tag.column, tag.length) == (2, 3, len("tags.SeriesDesciption"))
    assert tag.source == "  tags.SeriesDesciption == 'a' and"
    assert (function.line, function.column) == (3, 3)
    assert function.message == "unknown function 'lenn', did you mean 'len'?"
