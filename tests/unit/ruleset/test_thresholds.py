"""What a value is less or more than is found among the sorted constants, few or many.

Knows the constants and what is filed under each. Does not know tags.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import pytest

import mroute.ruleset.table
from mroute.expr.nodes import Tag
from mroute.ruleset.bits import bits_of, numbers_of
from mroute.ruleset.intervals import MOST, by_interval
from mroute.ruleset.literals import Kind, View
from mroute.ruleset.literals import Test as Asked
from mroute.ruleset.table import Filed, Table
from mroute.ruleset.thresholds import CHECKPOINTS, ORDERS, Thresholds

SIGNS: Final[Mapping[Kind, Callable[[Any, Any], bool]]] = {
    Kind.LESS: operator.lt,
    Kind.AT_MOST: operator.le,
    Kind.MORE: operator.gt,
    Kind.AT_LEAST: operator.ge,
    Kind.EQUAL: operator.eq,
}

MANY: Final = MOST + 73
"""Constants that are too many for a set for each interval, and no multiple of `CHECKPOINTS`."""

HUGE: Final = 9007199254740992

VIEW: Final = View(Tag("SeriesNumber"), Tag("SeriesNumber"))


def expected(kind: Kind, constants: Sequence[Any], value: Any) -> list[int]:
    return [n for n, constant in enumerate(constants) if SIGNS[kind](value, constant)]


def test_all_orders_are_looked_up() -> None:
    assert SIGNS.keys() - {Kind.EQUAL} == ORDERS


@pytest.mark.parametrize("kind", sorted(ORDERS))
@pytest.mark.parametrize("count", [1, 2, CHECKPOINTS, CHECKPOINTS + 1, MANY])
def test_numbers_on_and_between_any_number_of_constants(kind: Kind, count: int) -> None:
    # In no order, and the numbers that are filed in none either.
    constants = [(7 * n) % count for n in range(count)] if count % 7 else list(range(count))
    holding = Thresholds(kind, {each: [n] for n, each in enumerate(constants)}).holding
    values = [-1, -0.0, 0.5, 1, count / 2, count - 1.5, count - 1, count, 1e300, Fraction(1, 3)]
    for value in values:
        assert numbers_of(holding(value)) == expected(kind, constants, value), value


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (Kind.LESS, [1, 2, 3]),
        (Kind.AT_MOST, [1, 2, 3]),
        (Kind.MORE, [0]),
        (Kind.AT_LEAST, [0, 9]),
    ],
)
def test_texts_are_in_the_order_of_their_characters(kind: Kind, numbers: list[int]) -> None:
    filed = {"2023": [0], "2024": [9], "20240131": [1], "\ud83d": [2], "ä": [3]}
    found = Thresholds(kind, filed).holding("2024")
    # What is equal to a constant is at most and at least that.
    equal = [9] if kind in (Kind.AT_MOST, Kind.AT_LEAST) else []
    assert numbers_of(found) == sorted({*numbers, *equal})


def test_all_that_is_filed_under_a_constant_is_found_with_it() -> None:
    filed = {1: [4, 600], 2.5: [0], HUGE + 1: [2, 3]}
    holding = Thresholds(Kind.LESS, filed).holding
    assert [numbers_of(holding(value)) for value in (0, 1, 2.5, float(HUGE), HUGE + 1)] == [
        [0, 2, 3, 4, 600],
        [0, 2, 3],
        [2, 3],
        [2, 3],
        [],
    ]


def test_what_is_looked_up_by_interval_is_asked_once_for_each() -> None:
    constants = [1, 2.5, HUGE, HUGE + 1]
    asked: list[Any] = []

    def holding(value: Any) -> int:
        asked.append(value)
        return bits_of(expected(Kind.EQUAL, constants, value))

    find = by_interval(constants, holding)
    assert asked == [
        Fraction(0),
        Fraction(1),
        Fraction(7, 4),
        Fraction(5, 2),
        (Fraction(5, 2) + HUGE) / 2,
        Fraction(HUGE),
        Fraction(2 * HUGE + 1, 2),
        Fraction(HUGE + 1),
        Fraction(HUGE + 2),
    ]
    values = (0.5, 1.0, 1.5, 2.5, 3, float(HUGE), HUGE + 1, HUGE + 2, 1e300, -1e300)
    assert [find(value) for value in values] == [0, 1, 0, 2, 0, 4, 8, 0, 0, 0]
    assert len(asked) == 9


@pytest.mark.parametrize("count", [MOST, MOST + 1, MANY])
@pytest.mark.parametrize("roomy", [True, False])
def test_a_table_of_all_signs_answers_alike_however_it_is_kept(
    count: int, roomy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mroute.ruleset.table, "ROOM", mroute.ruleset.table.ROOM if roomy else 0)
    kinds = list(SIGNS)
    constants = [(n // 2) / 2 if n % 2 else n // 2 for n in range(count)]
    literals = [
        Filed(n, [Asked(VIEW, kinds[n % len(kinds)], constant)], negated=False)
        for n, constant in enumerate(constants)
    ]
    table = Table(literals, accelerated=False)
    distinct = len(set(constants))
    assert (table.few_numbers is not None) == (roomy and distinct <= MOST)
    for value in (-1, 0, 0.25, 1, 1.5, 7, 7.25, count // 4, count, 1e300, HUGE + 1):
        assert numbers_of(table.holding(value)) == [
            n
            for n, constant in enumerate(constants)
            if SIGNS[kinds[n % len(kinds)]](value, constant)
        ]


def test_negated_literals_hold_where_none_of_their_constants_is_met() -> None:
    equal = [Asked(VIEW, Kind.EQUAL, constant) for constant in (1, 2.0, HUGE + 1)]
    table = Table([Filed(3, equal, True), Filed(5, equal[:1], False)], False)
    values = (0, 1.0, 2, float(HUGE), HUGE + 1)
    assert [numbers_of(table.holding(value)) for value in values] == [[3], [5], [], [3], []]
