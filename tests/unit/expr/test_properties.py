"""What holds for every expression: shown on random ones, and random tags.

CI compares `PAIRS` pairs of an expression and tags, the same in every run; ``pytest
tests/unit/expr/test_properties.py --expr-pairs 5000000`` compares as many others as it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mroute.expr import Language, Program, Tree, check, compile_condition
from mroute.expr.functions import METHODS
from mroute.expr.nodes import (
    And,
    Binary,
    Call,
    Compare,
    Count,
    Items,
    Loop,
    Method,
    Node,
    Not,
    Or,
    Received,
    Unary,
    walk,
)
from mroute.expr.parser import parse
from mroute.expr.printer import print_tree
from tests.unit.expr.reference import FUNCTIONS, decide, evaluate
from tests.unit.expr.strategies import CALLED, KEYWORDS, conditions, loops, tag_sets

PAIRS = 200_000
SETS = 100
"""Sets of tags for one expression; some have fewer different ones."""

SOME = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=True,
)
SEEDS = st.integers(0, 9_999)

CONDITION_NODES = {kind.__name__ for kind in Node.__subclasses__()} - {
    "Received",  # of the completion language, as is the next
    "Count",
}
OPERATORS = {"==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "//", "%"}
LANGUAGE = CONDITION_NODES | OPERATORS | {"has", "any", "all"} | set(FUNCTIONS) | set(METHODS)
"""What random expressions are made of."""


def words_of(node: Node) -> Iterator[str]:
    """The kind of ``node``, and the operators, function or method in it."""
    yield type(node).__name__
    match node:
        case Compare(operators=signs):
            yield from signs
        case Binary(operator=name) | Unary(operator=name) | Call(name=name) | Method(name=name):
            yield name


def compiled(root: Node) -> Program:
    checked = check(parse(print_tree(Tree(root))), CALLED)
    assert checked.errors == (), print_tree(Tree(root))
    return compile_condition(checked)


@SOME
@given(conditions())
def test_printing_and_reading_gives_the_same_tree(root: Node) -> None:
    text = print_tree(Tree(root))
    assert parse(text).root == root
    assert print_tree(parse(text)) == text


def test_the_value_is_that_of_the_reference_interpreter(request: pytest.FixtureRequest) -> None:
    asked = request.config.getoption("--expr-pairs")
    pairs = PAIRS if asked is None else asked
    values: Counter[bool | None] = Counter()
    used: set[str] = set()

    @settings(SOME, max_examples=2_300, derandomize=asked is None, database=None)
    @given(conditions(), SEEDS)
    def compare(root: Node, seed: int) -> None:
        program = compiled(root)
        used.update(word for node, _ in walk(root) for word in words_of(node))
        for tags in tag_sets(root, Random(seed), SETS):
            expected = decide(root, tags)
            outcome = program.evaluate(tags)
            assert (program.value(tags), outcome.value) == (expected, expected), (root, tags)
            assert outcome.because
            values[expected] += 1

    while values.total() < pairs:
        before = values.total()
        compare()
        # One round is enough in CI: it is the same one each time.
        assert values.total() - before >= min(pairs, PAIRS)
    # The property would hold for nothing if all were unknown.
    assert all(values[each] >= values.total() / 10 for each in (True, False, None)), values
    assert used == LANGUAGE


@SOME
@given(st.lists(conditions(2), min_size=2, max_size=8), SEEDS)
def test_the_order_of_operands_does_not_matter(operands: list[Node], seed: int) -> None:
    random = Random(seed)
    for join in (And, Or):
        root = join(tuple(operands))
        there = compiled(root)
        others = [tuple(reversed(operands)), tuple(random.sample(operands, len(operands)))]
        for program in [compiled(join(other)) for other in others]:
            assert_same(there, program, root, random)


@SOME
@given(conditions(), SEEDS)
def test_no_order_within_an_expression_matters(root: Node, seed: int) -> None:
    random = Random(seed)
    assert_same(compiled(root), compiled(shuffled(root, random)), root, random)


@SOME
@given(conditions(2), conditions(2), SEEDS)
def test_de_morgan(left: Node, right: Node, seed: int) -> None:
    neither = Not(Or((left, right)))
    assert_same(compiled(neither), compiled(And((Not(left), Not(right)))), neither, Random(seed))
    not_both = Not(And((left, right)))
    assert_same(compiled(not_both), compiled(Or((Not(left), Not(right)))), not_both, Random(seed))


@SOME
@given(loops(), SEEDS)
def test_all_is_not_any_not(root: Node, seed: int) -> None:
    assert isinstance(root, Loop)
    other = {"any": "all", "all": "any"}[root.name]
    turned = Not(replace(root, name=other, body=Not(root.body)))
    assert_same(compiled(root), compiled(turned), root, Random(seed))


def assert_same(one: Program, other: Program, root: Node, random: Random) -> None:
    """Both programs come to the same for tags that are near those of ``root``."""
    for tags in tag_sets(root, random, 12):
        value = one.value(tags)
        assert other.value(tags) is value
        assert one.evaluate(tags).value is value
        assert other.evaluate(tags).value is value


def shuffled(node: Any, random: Random) -> Any:
    """``node`` with everything in another order whose order must not matter."""
    if isinstance(node, tuple):
        return tuple(shuffled(each, random) for each in node)
    if not isinstance(node, Node):
        return node
    inner = replace(node, **{f.name: shuffled(getattr(node, f.name), random) for f in fields(node)})
    match inner:
        case And(operands=operands) | Or(operands=operands):
            return replace(inner, operands=tuple(random.sample(operands, len(operands))))
        case Loop(source=Items() as source):
            return replace(inner, source=_mixed(source, random))
        case Compare(operators=("in" | "not in",), operands=(left, Items() as right)):
            return replace(inner, operands=(left, _mixed(right, random)))
    return inner


def _mixed(items: Items, random: Random) -> Items:
    return Items(tuple(random.sample(items.items, len(items.items))))


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


def test_the_reference_can_tell_a_wrong_answer() -> None:
    # The properties above would hold for nothing if the reference always said "unknown".
    root = parse("tags.Modality == 'MR' or tags.SliceThickness < 2").root
    sets: list[Mapping[str, str]] = [{"Modality": "MR"}, {}, {"Modality": "CT"}]
    assert [decide(root, tags) for tags in sets] == [True, None, None]
    assert decide(root, {"Modality": "CT", "SliceThickness": "3"}) is False
    with pytest.raises(TypeError):
        evaluate(object(), {}, {})


def test_the_tags_of_a_pair_are_of_all_kinds() -> None:
    root = parse("tags.Modality == 'MR' and tags.SliceThickness < 2").root
    sets = [tags for seed in range(3) for tags in tag_sets(root, Random(seed), SETS)]
    assert len(sets) == 3 * SETS
    assert len({frozenset(tags.items()) for tags in sets[:SETS]}) == SETS
    values = {value for tags in sets for value in tags.values()}
    assert {"", "MR", "mr", "2"} <= values
    assert any("\0" in value for value in values)
    assert any(not value.isascii() for value in values)
    assert any(value.encode("utf-8", "replace").decode() != value for value in values)
    assert any(len(value) > 1_000 for value in values)
    assert any("Modality" not in tags for tags in sets)
    assert {name for tags in sets for name in tags} > set(KEYWORDS[:2])
