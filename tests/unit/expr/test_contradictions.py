"""Warnings about conditions that exclude each other are sound, and complete for numbers."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mroute.errors import Problem
from mroute.expr import BUILTINS, Code, RuleFunction, Type, check, compile_text, parse
from mroute.expr.nodes import (
    And,
    Call,
    Compare,
    Index,
    Items,
    Literal,
    Method,
    Node,
    Not,
    Or,
    Tag,
    Tree,
    Unary,
)
from mroute.expr.printer import print_tree

SOME = settings(max_examples=400, deadline=None, derandomize=True)

SAMPLES = [
    "",
    " ",
    "a",
    "A",
    "b",
    "ab",
    "2",
    "2.0",
    " 2",
    "02",
    "1",
    "1.5",
    "3",
    "-1",
    "x\\2",
    "a\\b",
]
SUBJECTS: list[Node] = [
    Tag("StudyID"),
    Tag("StudyID"),
    Tag("SeriesDescription"),
    Method(Tag("StudyID"), "lower", ()),
    Index(Method(Tag("StudyID"), "split", (Literal("\\"),)), Literal(-1)),
    Call("float", (Tag("StudyID"),)),
    Call("len", (Tag("StudyID"),)),
    Method(Tag("StudyID"), "split", (Literal("\\"),)),
]
_TEXT = st.sampled_from(SAMPLES[2:]).map(Literal)
_NUMBER = st.sampled_from([0, 1, 1.5, 2, 2.0, 3]).map(Literal)
_NEGATIVE = _NUMBER.map(lambda number: Unary("-", number))
_ONE = st.one_of(_TEXT, _NUMBER, _NEGATIVE)
_IN = st.sampled_from(["in", "not in"])
_ORDER = st.sampled_from(["==", "==", "!=", "<", "<=", ">", ">="])


def _leaf(subject: Node) -> st.SearchStrategy[Node]:
    several = st.lists(_ONE, min_size=1, max_size=3).map(lambda items: Items(tuple(items)))
    return st.one_of(
        st.builds(lambda s, v: Compare((s,), (subject, v)), _ORDER, _ONE),
        st.builds(lambda s, v: Compare((s,), (v, subject)), _ORDER, _ONE),
        st.builds(lambda a, s, t, b: Compare((s, t), (a, subject, b)), _ONE, _ORDER, _ORDER, _ONE),
        st.builds(lambda s, v: Compare((s,), (subject, v)), _IN, several),
        st.builds(lambda s, v: Compare((s,), (v, subject)), _IN, _ONE),
        st.builds(lambda s, v: Compare((s,), (subject, v)), st.sampled_from(["==", "!="]), several),
    )


def _joined(operands: st.SearchStrategy[Node], most: int) -> st.SearchStrategy[Node]:
    several = st.lists(operands, min_size=2, max_size=most).map(tuple)
    return st.builds(And, several) | st.builds(Or, several)


LEAVES = st.one_of([_leaf(subject) for subject in SUBJECTS])
OPERANDS = st.one_of(
    LEAVES, LEAVES, LEAVES.map(Not), _joined(LEAVES, 2), _joined(LEAVES, 2).map(Not)
)


def found(root: Node) -> list[Problem]:
    checked = check(Tree(root), BUILTINS)
    assume(not checked.errors)
    return [p for p in checked.problems if p.code == Code.ALWAYS]


def answers(root: Node) -> set[bool | None]:
    """What ``root`` comes to with all kinds of tags."""
    program = compile_text(print_tree(Tree(root)))
    tags = [{"StudyID": a, "SeriesDescription": b} for a in SAMPLES for b in SAMPLES[:4]]
    return {program.value(each) for each in [{}, *tags]}


@SOME
@given(_joined(OPERANDS, 4))
def test_what_is_said_of_conditions_together_is_so(root: And | Or) -> None:
    # More than what is said of the operands, each by itself, is said of the whole.
    if len(found(root)) > sum(len(found(operand)) for operand in root.operands):
        assert isinstance(root, And) not in answers(root)


@SOME
@given(st.sampled_from(SUBJECTS[:3]), _ONE, _ORDER, _ORDER, _ONE)
def test_a_chain_of_which_it_is_said_is_never_true(
    subject: Node, low: Node, first: str, second: str, high: Node
) -> None:
    chain = Compare((first, second), (low, subject, high))
    if found(chain):
        assert True not in answers(chain)


def _of_number(sign: str, number: float, negated: bool) -> Node:
    literal = Literal(number) if number >= 0 else Unary("-", Literal(-number))
    comparison = Compare((sign,), (Tag("SliceThickness"), literal))
    return Not(comparison) if negated else comparison


OF_NUMBERS = st.builds(_of_number, _ORDER, st.integers(-2, 4).map(lambda n: n / 2), st.booleans())


@SOME
@given(_joined(OF_NUMBERS, 5))
def test_of_numbers_it_is_said_exactly_where_it_is_so(root: And | Or) -> None:
    program = compile_text(print_tree(Tree(root)))
    everywhere = {program.value({"SliceThickness": str(n / 4)}) for n in range(-8, 13)}
    assert bool(found(root)) is (isinstance(root, And) not in everywhere)


@pytest.mark.parametrize(
    "text",
    [
        "tags.Modality == 'MR' and tags.Modality != 'CT'",
        "tags.Modality == 'MR' or tags.Modality == 'CT'",
        "tags.Modality != 'MR' and tags.Modality != 'CT'",
        "tags.modality == 'MR' and tags.Modality == 'CT'",
        "tags.Modality in ['MR', 'CT'] and not tags.Modality == 'CT'",
        "'T1' in tags.SeriesDescription and 'T2' in tags.SeriesDescription",
        "'T1' in tags.SeriesDescription or 'T1' not in tags.ProtocolName",
        "tags.ImageType.split('\\\\')[2] == 'A' or tags.ImageType.split('\\\\')[3] == 'B'",
        "tags.SliceThickness > 1 and tags.SliceThickness < 1.5",
        "tags.SliceThickness < 1 or tags.SliceThickness > 5",
        "1 <= tags.SliceThickness <= 1",
        "min(tags.Rows, 2) == 1 or tags.SeriesNumber == 1 and tags.SeriesNumber != 2",
        "has(Rows) or not has(Columns)",
        "2 in tags.EchoNumbers.split('\\\\') and 3 in tags.EchoNumbers.split('\\\\')",
        "tags.StudyID != '' and tags.StudyID != 'x'",
        "tags.StudyID == '' or 'x' in tags.StudyID",
        "tags.StudyDate == tags.SeriesDate and tags.StudyDate != tags.AcquisitionDate",
    ],
)
def test_of_conditions_that_make_sense_nothing_is_said(text: str) -> None:
    assert check(parse(text), BUILTINS).problems == ()


@pytest.mark.parametrize("pure", [True, False])
def test_a_function_that_answers_differently_each_time_is_left_alone(pure: bool) -> None:
    function = RuleFunction("drawn", (Type.TEXT,), Type.TEXT, str, pure=pure)
    text = "drawn(tags.StudyID) == 'a' and drawn(tags.StudyID) == 'b'"
    codes = [p.code for p in check(parse(text), {**BUILTINS, "drawn": function}).problems]
    assert codes == ([Code.ALWAYS] if pure else [])


def test_thousands_of_conditions_on_one_tag_are_checked_at_once() -> None:
    equal = " or ".join(f"tags.StudyID != '{n}'" for n in range(1_000))
    (problem,) = check(parse(equal), BUILTINS).problems
    assert problem.code == Code.ALWAYS
    # More than would be tried one by one: nothing is said, and nothing takes long.
    several = " and ".join(f"tags.StudyID > {n}" for n in range(1_000)) + " and tags.StudyID < 0"
    assert check(parse(several), BUILTINS).problems == ()
