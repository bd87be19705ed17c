"""Literals on one view that are all compared with texts, or all with numbers.

Knows how those that hold for a value are found without asking each: equality, beginnings and ends
by hash, order by bisection, parts by a search for all of them at once. Does not know the view
(group), or what the numbers stand for that are filed here (index).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from mroute.expr.operators import compare, contains
from mroute.expr.values import Unknown, Value
from mroute.ruleset.hits import Layered, bits_by_layer, finder
from mroute.ruleset.literals import Kind, Test
from mroute.ruleset.thresholds import ORDERS, Thresholds
from mroute.ruleset.within import looks_into

_NO_TEXT: Final = Unknown("it is no text")

_SIGNS: Final = {
    Kind.EQUAL: "==",
    Kind.LESS: "<",
    Kind.AT_MOST: "<=",
    Kind.MORE: ">",
    Kind.AT_LEAST: ">=",
}


class Filed(NamedTuple):
    """A literal in a table.

    ``number`` is what it is filed under. Of the literals of one number, each is in another
    ``layer``. What it asks for is as in `mroute.ruleset.literals.Literal`.
    """

    layer: int
    number: int
    tests: Sequence[Test]
    negated: bool


class Table:
    """What is filed under tests whose constants are of one sort."""

    def __init__(self, literals: Sequence[Filed], accelerated: bool, roomy: bool) -> None:
        self._literals = literals
        everything: dict[int, list[int]] = {}
        unless: dict[int, list[int]] = {}
        filed: dict[Kind, dict[Any, dict[int, list[int]]]] = {}
        for layer, number, tests, negated in literals:
            everything.setdefault(layer, []).append(number)
            unless.setdefault(layer, []).extend((number,) if negated else ())
            for _, kind, constant in tests:
                by_constant = filed.setdefault(kind, {})
                by_constant.setdefault(constant, {}).setdefault(layer, []).append(number)
        self.all = bits_by_layer(everything)
        """All that is filed here."""
        self._unless = bits_by_layer(unless)
        self._equal = finder(filed.get(Kind.EQUAL, {}), roomy)
        orders = {kind: each for kind, each in filed.items() if kind in ORDERS}
        self._thresholds = Thresholds(orders) if orders else None
        self._within = looks_into(filed, accelerated, roomy)

    def add_holding(self, value: Any, true: list[int]) -> None:
        """Add the literals that hold for ``value`` to the bits that ``true`` has for each layer.

        The value is of the sort of the constants: none of the literals is unknown.
        """
        found = [0] * len(true)
        for layer, bits in self._equal(value) or ():
            found[layer] |= bits
        if self._thresholds is not None:
            for layer, bits in self._thresholds.holding(value):
                found[layer] |= bits
        for look in self._within:
            for hit in look(value):
                for layer, bits in hit:
                    found[layer] |= bits
        # A literal is either among those that hold unless they are found, or not.
        for layer, unless in self._unless:
            true[layer] |= unless ^ found[layer]

    def ask(self, value: Value, true: list[int]) -> Layered:
        """As `add_holding`, for a ``value`` of another sort: each literal is asked.

        Returns those that are unknown.
        """
        unknown = dict.fromkeys((layer for layer, _ in self._unless), 0)
        answers: dict[Test, Value] = {}
        for layer, number, tests, negated in self._literals:
            for test in tests:
                if test not in answers:
                    answers[test] = _answer(test, value)
            found = [answers[test] for test in tests]
            if any(answer is True for answer in found):
                holds = not negated
            elif all(answer is False for answer in found):
                holds = negated
            else:
                unknown[layer] |= 1 << number
                continue
            if holds:
                true[layer] |= 1 << number
        return tuple(unknown.items())


def _answer(test: Test, value: Value) -> Value:
    """The answer of the language to a test."""
    sign = _SIGNS.get(test.kind)
    if sign is not None:
        return compare(sign, value, test.constant)
    return contains(test.constant, value) if test.kind is Kind.PART else _NO_TEXT
