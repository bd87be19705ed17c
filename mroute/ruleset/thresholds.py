"""Sorted constants that a value is less or more than, found by bisection.

Knows how all that is filed under many constants is put together in few steps, with memory that
grows with the number of constants only. Does not know what is filed (table).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mroute.ruleset.bits import bits_of
from mroute.ruleset.hits import ByConstant
from mroute.ruleset.literals import Kind

CHECKPOINTS: Final = 32
"""Unions that are kept ready, evenly spread over the constants."""

_BISECT: Final[Mapping[Kind, Callable[[Sequence[Any], Any], int]]] = {
    Kind.LESS: bisect_right,
    Kind.AT_MOST: bisect_left,
    Kind.MORE: bisect_left,
    Kind.AT_LEAST: bisect_right,
}

ORDERS: Final = frozenset(_BISECT)
"""The kinds of tests that are looked up here."""


class Thresholds:
    """The tests of one of the `ORDERS`, by their constants."""

    def __init__(self, kind: Kind, filed: ByConstant) -> None:
        self._constants = sorted(filed)
        self._bisect = _BISECT[kind]
        # What is less than a constant is less than all larger ones.
        self._from_above = kind in (Kind.LESS, Kind.AT_MOST)
        order = self._constants[::-1] if self._from_above else self._constants
        self._filed = [tuple(filed[constant]) for constant in order]
        self._stride = max(1, -(-len(order) // CHECKPOINTS))
        self._ready = [0]
        for start in range(0, len(order), self._stride):
            self._ready.append(self._ready[-1] | self._among(start, start + self._stride))

    def holding(self, value: Any) -> int:
        """The bits of what is filed under the constants for which the test is true."""
        passed = self._bisect(self._constants, value)
        count = len(self._constants) - passed if self._from_above else passed
        ready, rest = divmod(count, self._stride)
        bits = self._ready[ready]
        return bits | self._among(count - rest, count) if rest else bits

    def _among(self, start: int, end: int) -> int:
        return bits_of([number for each in self._filed[start:end] for number in each])
