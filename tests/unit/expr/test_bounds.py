"""Nothing escapes, and nothing runs away: limits on texts, trees, values and loops."""

from __future__ import annotations

import time

import pytest

from mroute.errors import ExpressionError
from mroute.expr import BUILTINS, Code, Language, check, compile_completion, compile_text, parse
from mroute.expr.language import (
    MAX_ITEMS,
    MAX_LENGTH,
    MAX_LOOPS,
    MAX_NESTING,
    MAX_NUMBER_TEXT,
    MAX_STEPS,
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


def test_loops_are_bounded_whatever_the_order() -> None:
    parts = "tags.PatientComments.split('\\\\')"
    twice = f"any(any(x + y == 'b' for y in {parts}) for x in {parts})"
    for text in (twice, f"{twice} or False", f"False or {twice}"):
        outcome = compile_text(text).evaluate(BIG)
        assert outcome.value is None
        assert f"takes more than {MAX_STEPS:,} steps" in outcome.because
    assert compile_text(twice).value({"PatientComments": "a\\b\\"}) is True


def test_the_number_of_loops_is_bounded() -> None:
    one = "any(x == 'a' for x in ['a'])"
    assert compile_text(" and ".join([one] * MAX_LOOPS)).value({}) is True
    assert refusal(" and ".join([one] * (MAX_LOOPS + 1))) == {Code.LOOP}


def test_the_worst_expressions_end_soon() -> None:
    parts = "tags.PatientComments.split('\\\\')"
    body = f"x == 'q' or sorted({parts}) == {parts} and sum({parts}) == 1"
    text = " or ".join([f"any({body} for x in {parts})"] * MAX_LOOPS)
    program = compile_text(text)
    began = time.perf_counter()
    assert program.value(BIG) is False
    # The page of the language says 2 to 3 seconds; the machine may do other things meanwhile.
    assert time.perf_counter() - began < 15


def test_many_unknown_tags_are_refused_soon() -> None:
    # A suggestion for each of them would take a minute.
    text = " or ".join(f"tags.SeriesDescripton{n} == 'a'" for n in range(900))
    began = time.process_time()
    problems = check(parse(text), BUILTINS).errors
    assert time.process_time() - began < 5
    assert len(problems) == 900
    assert "did you mean 'SeriesDescription'?" in problems[0].message
