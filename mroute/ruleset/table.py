"""Literals on one view that are all compared with texts, or all with numbers.

Knows how those that hold for a value are found without asking each: equality, beginnings and ends
by hash, order by bisection, parts by a search for all of them at once. Does not know the view
(group), or what the numbers stand for that are filed here (column).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from mroute.expr.operators import compare, contains
from mroute.expr.values import Unknown, Value, is_number
from mroute.ruleset.bits import bits_of
from mroute.ruleset.hits import Find, finder
from mroute.ruleset.intervals import MOST
from mroute.ruleset.literals import Kind, Test
from mroute.ruleset.thresholds import ORDERS, Thresholds
from mroute.ruleset.within import looks_into

ROOM: Final = 8 * 1024 * 1024
"""Bytes for the sets of one table, up to which all of them are kept as bits."""

_NO_TEXT: Final = Unknown("it is no text")

_SIGNS: Final = {
    Kind.EQUAL: "==",
    Kind.LESS: "<",
    Kind.AT_MOST: "<=",
    Kind.MORE: ">",
    Kind.AT_LEAST: ">=",
}


class Filed(NamedTuple):
    """A literal by its number; what it asks for is as in `mroute.ruleset.literals.Literal`."""

    number: int
    tests: Sequence[Test]
    negated: bool


class Table:
    """What is filed under tests whose constants are of one sort."""

    def __init__(self, literals: Sequence[Filed], accelerated: bool) -> None:
        self._literals = literals
        self.numbers = bits_of([each.number for each in literals])
        """The bits of all that is filed here."""
        unless = [each.number for each in literals if each.negated]
        filed: dict[Kind, dict[Any, list[int]]] = {}
        for number, tests, _ in literals:
            for _, kind, constant in tests:
                filed.setdefault(kind, {}).setdefault(constant, []).append(number)
        constants = {constant for each in filed.values() for constant in each}
        roomy = len(constants) * self.numbers.bit_length() // 8 <= ROOM
        few_numbers = len(constants) <= MOST and all(is_number(each) for each in constants)
        self.few_numbers = sorted(constants) if roomy and few_numbers else None
        """The constants between which nothing changes, where they are few numbers."""
        looks = [
            *(Thresholds(kind, each).holding for kind, each in filed.items() if kind in ORDERS),
            *looks_into(filed, accelerated, roomy),
        ]
        find = finder(filed.get(Kind.EQUAL, {}), roomy)
        self.holding = _holding(bits_of(unless), find, looks)
        """The bits of the literals that hold for a value, which is of the sort of the constants.

        None of them is unknown then.
        """

    def asked(self, value: Value) -> tuple[int, int]:
        """The literals that hold for a ``value`` of another sort, and those that are unknown.

        Each of them is asked, by the operators of the language.
        """
        true, unknown = [], []
        answers: dict[Test, Value] = {}
        for number, tests, negated in self._literals:
            for test in tests:
                if test not in answers:
                    answers[test] = _answer(test, value)
            found = [answers[test] for test in tests]
            if any(answer is True for answer in found):
                holds = not negated
            elif all(answer is False for answer in found):
                holds = negated
            else:
                unknown.append(number)
                continue
            if holds:
                true.append(number)
        return bits_of(true), bits_of(unknown)


def _holding(
    unless: int, find: Find, looks: Sequence[Callable[[Any], int]]
) -> Callable[[Any], int]:
    """What holds ``unless`` it is found, and what is found and not among that."""
    if not looks:
        return lambda value: unless ^ held if (held := find(value)) else unless
    first, *others = looks

    def holding(value: Any) -> int:
        found = first(value)
        for look in others:
            if held := look(value):
                found |= held
        if equal := find(value):
            found |= equal
        return unless ^ found if found else unless

    return holding


def _answer(test: Test, value: Value) -> Value:
    """The answer of the language to a test."""
    sign = _SIGNS.get(test.kind)
    if sign is not None:
        return compare(sign, value, test.constant)
    return contains(test.constant, value) if test.kind is Kind.PART else _NO_TEXT
