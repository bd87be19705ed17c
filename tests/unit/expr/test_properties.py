"""What holds for every expression: shown on random ones, and random tags."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mroute.errors import ExpressionError
from mroute.expr import Language, Program, Tree, check, compile_condition
from mroute.expr.nodes import And, Count, Node, Not, Or, Received
from mroute.expr.parser import parse
from mroute.expr.printer import print_tree
from tests.unit.expr.reference import evaluate
from tests.unit.expr.strategies import FUNCTIONS, TAGS, conditions

SOME = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
FRAGMENTS = st.sampled_from(
    [
        'tags', '.', 'Modality', '[', ']', '(', ')', "'", '"', 'MR', '@', 'and', 'or',
        'not', 'in', '==', '=', '<', '1', '2.5', 'any', 'for', 'x', 'if', 'else', ',',
        ':', '#', '\\', '|', '&', '__class__', 'lambda', 'len', '\u2018', '\u202e',
        '\udcb1', '*', '-', 'True', 'count', 'has', "r'", "'MR'", 'tags.Rows', " ", '\n',
        '\t',
    ]
)  # fmt: skip


def compiled(root: Node) -> Program:
    checked = check(parse(print_tree(Tree(root))), FUNCTIONS)
    assert checked.errors == (), print_tree(Tree(root))
    return compile_condition(checked)


@SOME
@given(conditions())
def test_printing_and_reading_gives_the_same_tree(root: Node) -> None:
    text = print_tree(Tree(root))
    assert parse(text).root == root
    assert print_tree(parse(text)) == text


@SOME
@given(conditions(), st.lists(TAGS, min_size=12, max_size=12))
def test_the_value_is_that_of_the_reference_interpreter(
    root: Node, several: list[Mapping[str, str]]
) -> None:
    program = compiled(root)
    for tags in several:
        expected = evaluate(root, tags, {})
        assert program.value(tags) is expected
        outcome = program.evaluate(tags)
        assert outcome.value is expected
        assert outcome.because


@SOME
@given(st.lists(conditions(2), min_size=2, max_size=4), st.lists(TAGS, min_size=4))
def test_the_order_of_operands_does_not_matter(
    operands: list[Node], several: list[Mapping[str, str]]
) -> None:
    for join in (And, Or):
        forward = compiled(join(tuple(operands)))
        backward = compiled(join(tuple(reversed(operands))))
        for tags in several:
            assert forward.value(tags) is backward.value(tags)
            assert forward.evaluate(tags).value is backward.evaluate(tags).value


@SOME
@given(conditions(2), conditions(2), TAGS)
def test_de_morgan(left: Node, right: Node, tags: Mapping[str, str]) -> None:
    neither = compiled(Not(Or((left, right))))
    both_not = compiled(And((Not(left), Not(right))))
    assert neither.value(tags) is both_not.value(tags)


COMPLETIONS: st.SearchStrategy[Node] = st.recursive(
    st.builds(Received, st.text(min_size=1, max_size=5))
    | st.builds(Count, st.text(max_size=3), st.sampled_from(["==", "<", ">="]), st.integers(0, 9)),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
)


@SOME
@given(COMPLETIONS)
def test_printing_and_reading_a_completion_gives_the_same_tree(root: Node) -> None:
    tree = Tree(root, Language.COMPLETION)
    assert parse(print_tree(tree), Language.COMPLETION) == tree


@SOME
@given(st.one_of(st.text(), st.lists(FRAGMENTS, max_size=25).map("".join)), TAGS)
def test_any_text_is_answered_or_refused_with_its_place(text: str, tags: Mapping[str, str]) -> None:
    for language in Language:
        try:
            checked = check(parse(text, language), FUNCTIONS)
        except ExpressionError as error:
            problems = error.problems
            assert problems
        else:
            problems = checked.problems
            if language is Language.CONDITION and not checked.errors:
                assert compile_condition(checked).value(tags) in (True, False, None)
        lines = text.split("\n") or [""]
        for problem in problems:
            assert problem.message
            assert problem.render()
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


def test_the_reference_can_tell_a_wrong_answer() -> None:
    # The properties above would hold for nothing if the reference always said "unknown".
    root = parse("tags.Modality == 'MR' or tags.SliceThickness < 2").root
    answers = [evaluate(root, tags, {}) for tags in ({"Modality": "MR"}, {}, {"Modality": "CT"})]
    assert answers == [True, None, None]
    assert evaluate(root, {"Modality": "CT", "SliceThickness": "3"}, {}) is False
    with pytest.raises(TypeError):
        evaluate(object(), {}, {})
