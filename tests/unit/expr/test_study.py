"""Conditions over a whole study: what they come to, and what is wrong with them.

Knows the language, and the reference interpreter. Does not know studies on disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.errors import ExpressionError
from mroute.expr import BUILTINS, Language, check, compile_study, parse, print_tree
from mroute.expr.layout import format_expression
from mroute.expr.nodes import (
    SERIES,
    And,
    Call,
    Compare,
    Literal,
    Loop,
    Name,
    Node,
    Not,
    Or,
    Tag,
    Tree,
    rebuilt,
    walk,
)
from tests.unit.expr.reference import decide_study
from tests.unit.expr.strategies import CALLED, conditions, tag_sets

THREE = [
    {"Modality": "CT", "SliceThickness": "1.5", "SeriesDescription": "axial T1"},
    {"Modality": "MR", "SliceThickness": "3", "SeriesDescription": "SAG T2"},
    {"Modality": "MR"},
]


def outcome(text: str, series: list[dict[str, str]] = THREE) -> bool | None:
    first = series[0] if series else {}
    return compile_study(text, BUILTINS).evaluate(first, series).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("any(s.Modality == 'CT' for s in series)", True),
        ("any(s.Modality == 'US' for s in series)", False),
        ("any(s.SliceThickness > 5 for s in series)", None),
        ("any(s.SliceThickness > 2 for s in series)", True),
        ("all(s.Modality in ['CT', 'MR'] for s in series)", True),
        ("all(s.SliceThickness > 1 for s in series)", None),
        ("all(s.SliceThickness > 2 for s in series)", False),
        ("all(s.SliceThickness > 1 for s in series if has(s.SliceThickness))", True),
        ("all(s.SliceThickness > 1 for s in series if has(SliceThickness))", True),
        ("count(s.Modality == 'MR' for s in series) == 2", True),
        ("count(s.SliceThickness < 2 for s in series) == 1", None),
        ("count(s.SliceThickness < 2 for s in series if has(s.SliceThickness)) == 1", True),
        ("count([s.Modality == 'MR' for s in series]) == 2", True),
        ("1 < count(s.Modality == 'MR' for s in series) < len(series)", True),
        ("count(s.Modality == 'MR' for s in series) * 2 > len(series)", True),
        ("len(series) == 3 and tags.Modality == 'CT'", True),
        ("'T1' in tags.SeriesDescription", True),
        ("any(s['Modality'] == 'CT' for s in series)", True),
        ("any(s.modality == 'CT' for s in series)", True),
        ("any(any(w in s.SeriesDescription for w in ['T2', 'T3']) for s in series)", True),
        ("all(any(s == 'a' for s in ['a', 'b']) for s in series)", True),
        ("True if len(series) > 2 else False", True),
        ("any(True for s in series)", True),
    ],
)
def test_what_a_condition_comes_to(text: str, value: bool | None) -> None:
    assert outcome(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("any(True for s in series)", False),
        ("all(False for s in series)", True),
        ("count(True for s in series) == 0", True),
        ("len(series) == 0", True),
        ("tags.Modality == 'CT'", None),
    ],
)
def test_a_study_of_which_no_series_can_be_read(text: str, value: bool | None) -> None:
    assert outcome(text, []) is value


@pytest.mark.parametrize(
    ("text", "because"),
    [
        (
            "any(s.Modality == 'US' for s in series)",
            "any(s.Modality == 'US' for s in series) is false: Modality of 3 series is 'CT | MR'",
        ),
        (
            "len(series) > 1 and any(s.SliceThickness < 2 for s in series)",
            (
                "len(series) > 1 is true; any(s.SliceThickness < 2 for s in series) is true: "
                "SliceThickness of 3 series is '1.5 | 3 | (missing)'"
            ),
        ),
        (
            "all(s.SliceThickness < 5 for s in series)",
            "all(s.SliceThickness < 5 for s in series) is unknown: tag 'SliceThickness' is missing",
        ),
        ("tags.Modality == 'CT'", "tags.Modality == 'CT' is true: Modality is 'CT'"),
    ],
)
def test_the_reason_says_what_the_series_are(text: str, because: str) -> None:
    assert compile_study(text, BUILTINS).evaluate(THREE[0], THREE).because == because


WRONG = {
    "series == 1": "'series' alone is no value",
    "len(series[0]) > 1": "'series' alone is no value",
    "any(s == 1 for s in series)": "'s' alone is no value",
    "any('X' in s for s in series)": "'s' alone is no value",
    "any(s.lower() for s in series)": "'s' has no method '.lower'",
    "any(s[0] == 'a' for s in series)": "the tag in 's[...]' is written in quotes",
    "any(tags.Modality == 'CT' for s in series)": "'tags.Modality' is not of the series that is",
    "any(has(tags.Modality) for s in series)": "'tags.Modality' is not of the series that is",
    "any(s.Modaliti == 'CT' for s in series)": "unknown tag 'Modaliti', did you mean 'Modality'?",
    "any(s.__class__ == 'CT' for s in series)": "'__class__' is not a tag",
    "any(any(t.Rows == s.Rows for t in series) for s in series)": "a loop over the series is",
    "any(s.Modality == 'CT' for s in series) and s.Rows > 2": "unknown name 's'",
    "[s.Modality for s in series]": "'for' over the series is possible in any, all and count",
    "sum(s.Rows for s in series) > 2": "'for' over the series is possible in any, all and count",
    "count(x == 'a' for x in ['a']) > 1": "'for' is only possible within any(...) and all(...)",
    "count(s.Modality == 'CT' for s in series)": "this is a number, and neither true nor false",
    "any(s.Rows for s in series)": "this is a text, and neither true nor false",
    "any(s.Rows > 2 for series in series)": "'series' has a meaning already",
    "any(s.Rows > 2 for tags in series)": "'tags' has a meaning already",
    "any(x for x in [series])": "'series' alone is no value",
    "count(series) > 1": "unknown function 'count'",
    "": "the expression is empty",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said(text: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_study(text, BUILTINS)
    assert WRONG[text] in raised.value.problems[0].message


def test_in_a_condition_over_a_series_there_are_no_series() -> None:
    for text in ("any(s.Modality == 'CT' for s in series)", "len(series) > 2"):
        (problem,) = check(parse(text), BUILTINS).problems[:1]
        assert problem.message == "unknown name 'series'"
        assert problem.hint.startswith("the series of a study are known in 'when' of a section")


def test_what_dicom_says_about_a_tag_is_said_of_every_series() -> None:
    tree = parse("any(s.Modality == 'MRI' for s in series)", Language.STUDY)
    (problem,) = check(tree, BUILTINS).problems
    assert "did you mean 'MR'" in problem.hint
    assert problem.column == len("any(s.Modality == ") + 1


def owned(node: Node, owner: str) -> Node:
    """The tree with all its tags those of ``owner``."""
    if isinstance(node, Tag):
        return replace(node, owner=owner)
    return rebuilt(node, lambda below: owned(below, owner))


def over_series(name: str, body: Node, filters: list[Node]) -> Loop:
    inner = tuple(owned(each, "one") for each in filters)
    return Loop(name, owned(body, "one"), "one", Name(SERIES), inner)


INNER = st.deferred(lambda: conditions(2))
FILTERS = st.lists(st.deferred(lambda: conditions(1)), max_size=2)
NUMBERS = st.one_of(
    st.builds(over_series, st.just("count"), INNER, FILTERS),
    st.just(Call("len", (Name(SERIES),))),
    st.builds(Literal, st.integers(0, 4)),
)
CLAUSES: st.SearchStrategy[Node] = st.one_of(
    st.builds(over_series, st.sampled_from(["any", "all"]), INNER, FILTERS),
    st.builds(
        lambda sign, left, right: Compare((sign,), (left, right)),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        NUMBERS,
        NUMBERS,
    ),
    st.deferred(lambda: conditions(1)),
)


def studied(depth: int) -> st.SearchStrategy[Node]:
    if not depth:
        return CLAUSES
    below = st.deferred(lambda: studied(depth - 1))
    several = st.lists(below, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        CLAUSES, st.builds(Not, below), st.builds(And, several), st.builds(Or, several)
    )


STUDY = studied(2)
SEEDS = st.integers(0, 2**32)


def written(root: Node) -> str:
    return print_tree(Tree(root, Language.STUDY))


def studies(root: Node, random: Random) -> list[list[Mapping[str, str]]]:
    """Studies of none to four series whose tags are near what the condition asks for."""
    several = list(tag_sets(root, random, 10))
    return [several[:1], [], several[1:3], several[3:6], several[6:]]


PAIRS = 10_000


def test_the_value_is_that_of_the_reference_interpreter(request: pytest.FixtureRequest) -> None:
    asked = request.config.getoption("--expr-pairs")
    values: Counter[bool | None] = Counter()
    kinds: Counter[str] = Counter()

    @settings(max_examples=2_000, derandomize=asked is None, database=None, deadline=None)
    @given(STUDY, SEEDS)
    def compare(root: Node, seed: int) -> None:
        program = compile_study(written(root), CALLED)
        kinds.update(node.name for node, _ in walk(root) if isinstance(node, Loop))
        for series in studies(root, Random(seed)):
            first = series[0] if series else {}
            expected = decide_study(root, first, series)
            answer = program.evaluate(first, series)
            assert answer.value == expected, (written(root), series)
            assert answer.because
            values[expected] += 1

    while values.total() < (asked or PAIRS):
        compare()
        if asked is None:
            break
    assert values.total() >= PAIRS
    assert all(values[each] >= values.total() / 20 for each in (True, False, None)), values
    assert {"any", "all", "count"} <= kinds.keys()


@settings(max_examples=300, deadline=None)
@given(STUDY)
def test_printing_and_reading_gives_the_same_tree(root: Node) -> None:
    text = written(root)
    assert parse(text, Language.STUDY).root == root
    assert print_tree(parse(text, Language.STUDY)) == text
    again = format_expression(text, Language.STUDY)
    assert parse(again, Language.STUDY).root == root


@settings(max_examples=300, deadline=None)
@given(st.lists(STUDY, min_size=2, max_size=4), SEEDS)
def test_the_order_of_operands_and_de_morgan(operands: list[Node], seed: int) -> None:
    for join, other in ((And, Or), (Or, And)):
        root = join(tuple(operands))
        same = [join(tuple(reversed(operands))), Not(other(tuple(map(Not, operands))))]
        programs = [compile_study(written(each), CALLED) for each in (root, *same)]
        for series in studies(root, Random(seed)):
            first = series[0] if series else {}
            assert len({each.evaluate(first, series).value for each in programs}) == 1


def test_five_hundred_series_can_be_asked_for_much() -> None:
    long = {"SeriesDescription": "x" * 1024, "Modality": "MR", "SliceThickness": "1.0"}
    series = [dict(long) for _ in range(500)]
    text = " and ".join(
        f"count('T{n}' in s.SeriesDescription or s.Modality == 'MR' for s in series) == 500"
        for n in range(10)
    )
    assert outcome(text, series) is True


def test_what_would_take_too_long_is_unknown() -> None:
    series = [{"SeriesDescription": "a" * 100_000}] * 500
    inner = " or ".join(f"has_word(s.SeriesDescription, 'ab{'a' * 500}{n}')" for n in range(20))
    answer = compile_study(f"any({inner} for s in series)", BUILTINS).evaluate({}, series)
    assert answer.value is None
    assert "more than its share" in answer.because
