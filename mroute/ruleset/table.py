"""Literals on one view that are all compared with texts, or all with numbers.

Knows how those that hold for a value are found without asking each: equality, beginnings and ends
by hash, order by bisection, parts by a search for all of them at once. Does not know the view
(column), or what the numbers stand for that are filed here (index).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from mroute.expr.operators import compare, contains
from mroute.expr.values import Unknown, Value
from mroute.ruleset.bits import Members, bits_of, packed, union
from mroute.ruleset.literals import Kind, Test
from mroute.ruleset.substrings import search_for
from mroute.ruleset.thresholds import ORDERS, Thresholds

_NO_TEXT: Final = Unknown("it is no text")

_SIGNS: Final = {
    Kind.EQUAL: "==",
    Kind.LESS: "<",
    Kind.AT_MOST: "<=",
    Kind.MORE: ">",
    Kind.AT_LEAST: ">=",
}


Verdict: TypeAlias = tuple[int, int]
"""The bits of the literals that hold, and of those that hold or are unknown."""


class Filed(NamedTuple):
    """A literal by its number; what it asks for is as in `mroute.ruleset.literals.Literal`."""

    number: int
    tests: Sequence[Test]
    negated: bool


Hits: TypeAlias = dict[Any, tuple[Members, Members]]
"""For a constant, the literals that hold where its test is true, and those that do not."""


class Table:
    """What is filed under tests whose constants are of one sort."""

    def __init__(self, literals: Sequence[Filed], accelerated: bool) -> None:
        self._literals = literals
        self.numbers = bits_of([each.number for each in literals])
        self._unless = bits_of([each.number for each in literals if each.negated])
        self._equal = _hits(literals, Kind.EQUAL)
        self._prefixes = _hits(literals, Kind.PREFIX)
        self._suffixes = _hits(literals, Kind.SUFFIX)
        self._parts = _hits(literals, Kind.PART)
        self._orders = [
            Thresholds(kind, filed) for kind in ORDERS if (filed := _by_constant(literals, kind))
        ]
        more = self._prefixes or self._suffixes or self._parts or self._orders
        self.holding = self._holding if more else self._holding_equal
        """The bits of the literals that hold for a value, which is of the sort of the constants.

        None of them is unknown then.
        """
        self._prefix_lengths = sorted({len(constant) for constant in self._prefixes})
        self._suffix_lengths = sorted({len(constant) for constant in self._suffixes})
        self._search = search_for(tuple(self._parts), accelerated) if self._parts else None

    def _holding_equal(self, value: Any) -> int:
        hit = self._equal.get(value)
        if hit is None:
            return self._unless
        because, unless = hit
        return self._unless & ~union((unless,)) | union((because,))

    def _holding(self, value: Any) -> int:
        hits = [hit] if (hit := self._equal.get(value)) else []
        hits += [
            hit
            for length in self._prefix_lengths
            if length <= len(value) and (hit := self._prefixes.get(value[:length]))
        ]
        hits += [
            hit
            for length in self._suffix_lengths
            if length <= len(value) and (hit := self._suffixes.get(value[len(value) - length :]))
        ]
        if self._search is not None:
            hits += [self._parts[part] for part in self._search(value)]
        bits = self._unless
        if hits:
            bits &= ~union([unless for _, unless in hits])
            bits |= union([because for because, _ in hits])
        for thresholds in self._orders:
            bits |= thresholds.holding(value)
        return bits

    def asked(self, value: Value) -> Verdict:
        """What the literals come to for a ``value`` of another sort: each of them is asked."""
        true, possible = [], []
        known: dict[Test, Value] = {}
        for number, tests, negated in self._literals:
            answers = []
            for test in tests:
                if test not in known:
                    known[test] = _answer(test, value)
                answers.append(known[test])
            if negated:
                holds = all(answer is False for answer in answers)
                may_hold = all(answer is not True for answer in answers)
            else:
                holds = any(answer is True for answer in answers)
                may_hold = any(answer is not False for answer in answers)
            if holds:
                true.append(number)
            if may_hold:
                possible.append(number)
        return bits_of(true), bits_of(possible)


def _answer(test: Test, value: Value) -> Value:
    """The answer of the language to a test."""
    sign = _SIGNS.get(test.kind)
    if sign is not None:
        return compare(sign, value, test.constant)
    return contains(test.constant, value) if test.kind is Kind.PART else _NO_TEXT


def _by_constant(
    literals: Iterable[Filed], kind: Kind, negated: bool = False
) -> dict[Any, list[int]]:
    """The numbers of the literals with tests of a ``kind``, by the constants of these."""
    found: dict[Any, list[int]] = {}
    for literal in literals:
        if literal.negated is negated:
            for test in literal.tests:
                if test.kind is kind:
                    found.setdefault(test.constant, []).append(literal.number)
    return found


def _hits(literals: Sequence[Filed], kind: Kind) -> Hits:
    because, unless = (_by_constant(literals, kind, negated) for negated in (False, True))
    return {
        constant: (packed(because.get(constant, ())), packed(unless.get(constant, ())))
        for constant in {**because, **unless}
    }
