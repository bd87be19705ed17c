"""Nothing escapes, and nothing runs away: limits on texts, trees, values and loops."""

from __future__ import annotations

import pytest

from mroute.errors import ExpressionError
from mroute.expr import BUILTINS, Code, Language, check, compile_completion, compile_text, parse
from mroute.expr.language import (
    MAX_ITEMS,
    MAX_LENGTH,
    MAX_NESTING,
    MAX_NUMBER_TEXT,
    MAX_TEXT,
)

BIG = {f"Tag{n}": "word " * 205 for n in range(100)} | {"PatientComments": "a\\" * 512}


def refusal(text: str, language: Language = Language.CONDITION) -> set[str]:
    """The codes of the errors in ``text``, which must have some."""
    try:
        problems = check(parse(text, language), BUILTINS).errors
    except ExpressionError as error:
        problems = error.problems
    assert problems, text
    return {problem.code for problem in problems}


@pytest.mark.parametrize("language", Language)
def test_a_long_text_is_refused(language: Language) -> None:
    assert refusal("'a' and " * 200_000 + "'a'", language) == {Code.TOO_LONG}
    assert refusal("x" * (MAX_LENGTH + 1), language) == {Code.TOO_LONG}


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "True" + ")" * 10_000,
        "(" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "not " * 5_000 + "True",
        "-" * 10_000 + "1 == 1",
        "1" + " + 1" * 5_000 + " == 5001",
        "'a'" + ".lower()" * 2_000 + " == 'a'",
        "len(" * 5_000 + "'a'" + ")" * 5_000,
        "True if True else " * 1_500 + "True",
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert refusal(text) == {Code.TOO_DEEP}


def test_the_deepest_nesting_works() -> None:
    assert compile_text("(" * MAX_NESTING + "True" + ")" * MAX_NESTING).value({}) is True
    # The literal itself is one level.
    assert compile_text("not " * (MAX_NESTING - 1) + "True").value({}) is False
    total = " + 1" * (MAX_NESTING - 3)
    assert compile_text(f"1{total} == {MAX_NESTING - 2}").value({}) is True


def test_wide_expressions_work() -> None:
    names = [f"'name {n}'" for n in range(2_000)]
    program = compile_text(f"tags.SeriesDescription in [{', '.join(names)}]")
    assert program.value({"SeriesDescription": "name 1999"}) is True
    assert program.value({"SeriesDescription": "name 2000"}) is False
    several = compile_text(" or ".join(f"tags.Rows == {n}" for n in range(1_500)))
    assert several.value({"Rows": "1499"}) is True
    assert several.value({"Rows": "1500"}) is False
    assert several.value({}) is None
    assert compile_completion(" and ".join(["'a'"] * 3_000)).evaluate(["A"]).value is True


@pytest.mark.parametrize(
    "text",
    [
        "tags.PatientComments.replace('', '" + "x" * 9_000 + "') == 'a'",
        "tags.PatientComments.replace('a', '" + "x" * 9_000 + "') == 'a'",
        "('" + "x" * 9_000 + "').join(tags.PatientComments.split('a')) == 'a'",
        " + ".join(["tags.PatientComments.replace('a', '" + "b" * 150 + "')"] * 2) + " == 'a'",
        "tags.Rows * 100000000000000000000 * 100000000000000000000 > 0",
        "1e300 * 1e300 > 0",
        "1e300 / 1e-300 > 0",
        "float(tags.Columns) > 0",
        "int(tags.Columns) > 0",
        "tags.Modality[1e29] == 'a'",
    ],
)
def test_a_value_that_gets_too_large_is_unknown(text: str) -> None:
    tags = BIG | {"Rows": "512", "Modality": "MR", "Columns": "9" * (MAX_NUMBER_TEXT + 1)}
    assert compile_text(text).value(tags) is None


def test_the_limits_of_values() -> None:
    double = compile_text("len(tags.PatientComments + tags.PatientComments) > 0")
    assert double.value({"PatientComments": "a" * (MAX_TEXT // 2)}) is True
    assert double.value({"PatientComments": "a" * (MAX_TEXT // 2 + 1)}) is None
    split = compile_text("len(tags.PatientComments.split('b')) > 0")
    assert split.value({"PatientComments": "ab" * (MAX_ITEMS - 1)}) is True
    assert split.value({"PatientComments": "ab" * MAX_ITEMS}) is None


def test_only_the_first_unknown_tags_get_a_suggestion() -> None:
    # One for each of them would take a minute.
    text = " or ".join(f"tags.SeriesDescripton{n} == 'a'" for n in range(900))
    problems = check(parse(text), BUILTINS).errors
    assert len(problems) == 900
    suggested = ["did you mean 'SeriesDescription'?" in problem.message for problem in problems]
    assert suggested == [True] * 20 + [False] * 880
