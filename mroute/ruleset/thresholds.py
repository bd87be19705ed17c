"""Sorted constants that a value is less or more than, found by bisection.

Knows how all that is filed under many constants is put together in few steps, with memory that
grows with the number of constants only. Does not know what is filed (table).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import methodcaller
from typing import Any, Final

from mroute.ruleset.bits import bits_of
from mroute.ruleset.hits import ByConstant, Layered
from mroute.ruleset.literals import Kind

CHECKPOINTS: Final = 32
"""Unions that are kept ready for constants that are many, evenly spread over them."""

FEW: Final = 64
"""Constants between which all is ready: for each of them, and for what lies between two."""

_BISECT: Final[Mapping[Kind, Callable[[Sequence[Any], Any], int]]] = {
    Kind.LESS: bisect_right,
    Kind.AT_MOST: bisect_left,
    Kind.MORE: bisect_left,
    Kind.AT_LEAST: bisect_right,
}

ORDERS: Final = frozenset(_BISECT)
"""The kinds of tests that are looked up here."""


class Thresholds:
    """All tests of the kinds in `ORDERS`, by their kinds and then by their constants."""

    def __init__(self, filed: Mapping[Kind, ByConstant]) -> None:
        layers: dict[int, dict[Kind, dict[Any, Sequence[int]]]] = {}
        for kind, by_constant in filed.items():
            for constant, by_layer in by_constant.items():
                for layer, numbers in by_layer.items():
                    layers.setdefault(layer, {}).setdefault(kind, {})[constant] = numbers
        self._layers = {
            layer: [_Side(kind, each) for kind, each in kinds.items()]
            for layer, kinds in layers.items()
        }
        constants = sorted({constant for each in filed.values() for constant in each})
        self._constants = constants if len(constants) <= FEW else []
        self._ready: list[Layered] = []
        if self._constants:
            self._ready.append(self._of_all(lambda side: side.at(0)))
        for constant in self._constants:
            for bits in (methodcaller("holding", constant), methodcaller("above", constant)):
                self._ready.append(self._of_all(bits))

    def holding(self, value: Any) -> Layered:
        """All that is filed under a test that is true for ``value``."""
        constants = self._constants
        if not constants:
            return self._of_all(lambda side: side.holding(value))
        passed = bisect_left(constants, value)
        on_it = passed < len(constants) and constants[passed] == value
        return self._ready[2 * passed + on_it]

    def _of_all(self, bits: Callable[[_Side], int]) -> Layered:
        return tuple(
            [(layer, _union(bits(side) for side in sides)) for layer, sides in self._layers.items()]
        )


class _Side:
    """The tests of one kind in one layer."""

    def __init__(self, kind: Kind, filed: Mapping[Any, Sequence[int]]) -> None:
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
        return self.at(self._bisect(self._constants, value))

    def above(self, constant: Any) -> int:
        """The same for a value between ``constant`` and the next one of any kind."""
        return self.at(bisect_right(self._constants, constant))

    def at(self, passed: int) -> int:
        """The same for a value beyond the first ``passed`` constants."""
        count = len(self._constants) - passed if self._from_above else passed
        ready, rest = divmod(count, self._stride)
        bits = self._ready[ready]
        return bits | self._among(count - rest, count) if rest else bits

    def _among(self, start: int, end: int) -> int:
        return bits_of([number for each in self._filed[start:end] for number in each])


def _union(sets: Iterable[int]) -> int:
    bits = 0
    for each in sets:
        bits |= each
    return bits
