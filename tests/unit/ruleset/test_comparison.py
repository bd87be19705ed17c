"""The comparison of the index finds what is wrong, and says it shortly.

Knows random rules and series, and indexes that are wrong on purpose. Does not know the index.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random

import pytest

from mroute.expr import Program, Tree, parse, print_tree
from mroute.expr.language import MAX_TEXT
from mroute.expr.nodes import And, Node, Not, Or, children, walk
from tests.unit.ruleset.comparison import (
    BUILDS,
    SHAPES,
    Build,
    Comparison,
    answer,
    check_answers,
    compare_world,
)
from tests.unit.ruleset.random_rules import (
    DEPTH,
    KINDS,
    World,
    compiled,
    condition,
    crowd,
    presence,
    rule,
    world_of,
)
from tests.unit.ruleset.random_series import Renamed, long_value, series
from tests.unit.ruleset.test_equality import PAIRS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_predicate_is_true_false_and_unknown(
    kind: Callable[[World], Node],
) -> None:
    random = Random(7)
    values: Counter[bool | None] = Counter()
    for _ in range(80):
        world = world_of(random)
        program = compiled(kind(world))
        values.update(program.value(series(world, random)) for _ in range(30))
    # Whether a tag is there is always known.
    possible = (True, False) if kind is presence else (True, False, None)
    assert all(values[each] >= values.total() / 20 for each in possible), values


def test_random_rules_are_read_as_they_are_printed() -> None:
    # So that a rule that is printed for a difference is the one that was compared.
    world = world_of(Random(8))
    for _ in range(40):
        root = condition(world)
        assert parse(print_tree(Tree(root))).root == root


def test_random_rules_are_nested_and_large() -> None:
    world = world_of(Random(9))
    assert max(junctions(condition(world)) for _ in range(200)) >= DEPTH
    assert max(sum(1 for _ in walk(crowd(world))) for _ in range(20)) > 1_000


def junctions(root: Node) -> int:
    """How many ``and``, ``or`` and ``not`` are in each other."""
    below = max(map(junctions, children(root)), default=0)
    return below + isinstance(root, And | Or | Not)


def test_random_series_are_odd_in_every_way() -> None:
    random = Random(10)
    world = world_of(random)
    sets = [series(world, random, oddity=10) for _ in range(3_000)]
    values = [value for tags in sets for value in tags.values()]
    texts = [value for value in values if isinstance(value, str)]
    assert {"", " ", "\0"} <= set(texts)
    assert any(not text.isascii() for text in texts)
    assert any(text.encode("utf-8", "replace").decode() != text for text in texts)
    assert max(map(len, texts)) > MAX_TEXT
    assert any(len(text.upper()) != len(text) for text in texts)
    assert {list, tuple, int, float, bool, bytes, Renamed, type(None)} <= set(map(type, values))
    assert any(len({name.lower() for name in tags}) < len(tags) for tags in sets)
    assert len({name.lower() for name in sets[0]}) > 3
    assert len(set(map(type, sets))) == 3


@pytest.mark.parametrize("length", [10_241, 99_999, 100_001, 200_000])
def test_long_values_are_of_every_length(length: int) -> None:
    random = Random(11)
    subject = world_of(random).texts[0]
    assert any(len(long_value(subject, random)) == length for _ in range(60))


class Wrong:
    """An index that evaluates one by one, and makes a mistake."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.known: dict[object, list[int]] = {}

    def true(self, tags: Mapping[str, str]) -> list[int]:
        return answer(self.programs, "true", tags)

    def unknown(self, tags: Mapping[str, str]) -> list[int]:
        return answer(self.programs, "unknown", tags)

    def forget(self) -> None:
        self.known.clear()


class NeverUnknown(Wrong):
    def unknown(self, tags: Mapping[str, str]) -> list[int]:
        return []


class Stale(Wrong):
    def true(self, tags: Mapping[str, str]) -> list[int]:
        return self.known.setdefault(frozenset(tags), super().true(tags))


class StaleAfterForgetting(Stale):
    def forget(self) -> None:
        self.known = self.known.copy()


class Failing(Wrong):
    def true(self, tags: Mapping[str, str]) -> list[int]:
        if len(tags) % 2:
            raise KeyError("Modality")
        return super().true(tags)


@pytest.mark.parametrize("wrong", [NeverUnknown, Stale, StaleAfterForgetting, Failing])
def test_a_wrong_index_is_found(wrong: Build) -> None:
    with pytest.raises(AssertionError, match="differs from one-by-one evaluation; world 2"):
        compare_world(2, Comparison(), [wrong])


def test_a_difference_is_told_in_as_few_words_as_possible() -> None:
    random = Random(12)
    world = world_of(random)
    roots = [rule(world) for _ in range(20)]
    sets = [series(world, random) for _ in range(20)]
    with pytest.raises(AssertionError) as caught:
        check_answers(roots, sets, random, NeverUnknown, "seed 12")
    lines = str(caught.value).splitlines()
    assert lines[0] == "the index (NeverUnknown) differs from one-by-one evaluation; seed 12"
    assert len(lines) == 3
    assert lines[1].startswith("  rule 0: ")
    assert len(lines[1]) < 70
    assert lines[2] == "  unknown for {}: [0], not []"


def test_a_difference_that_comes_from_a_cache_is_told_with_what_was_asked_before() -> None:
    random = Random(13)
    world = world_of(random)
    sets = [series(world, random) for _ in range(30)]
    with pytest.raises(AssertionError) as caught:
        check_answers([rule(world) for _ in range(5)], sets, random, Stale)
    told = str(caught.value).splitlines()[1:]
    assert [line.split()[0] for line in told] == ["rule", "true", "true"]


def test_the_shapes_of_worlds_are_all_compared_in_ci() -> None:
    rounds = sum(rules * sets for rules, sets, _ in SHAPES)
    assert PAIRS / rounds > 5


def test_the_accelerator_is_compared() -> None:
    assert importlib.util.find_spec("ahocorasick") is not None
    assert [build.__name__ for build in BUILDS] == ["plain", "accelerated"]
