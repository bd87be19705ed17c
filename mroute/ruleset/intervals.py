"""What holds for every number, found once for each stretch between the constants.

Knows that nothing changes between two constants. Does not know what the numbers are compared with
(table).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

MOST: Final = 128
"""Constants up to which this is worth its room."""


def by_interval(
    constants: Sequence[int | float], holding: Callable[[Any], int]
) -> Callable[[Any], int]:
    """``holding`` as a function that looks up what was found before it is asked.

    ``holding`` must compare its argument with ``constants`` only, which are ascending.
    """
    ready = [holding(value) for value in _representatives(constants)]

    def find(value: Any) -> int:
        passed = bisect_left(constants, value)
        on_it = passed < len(constants) and constants[passed] == value
        return ready[2 * passed + on_it]

    return find


def _representatives(constants: Sequence[int | float]) -> Iterator[Fraction]:
    """A number below the constants, then each of them, and one above it and below the next."""
    # Fractions are exact: between two floats there may be no other.
    exact = [Fraction(constant) for constant in constants]
    yield exact[0] - 1
    for constant, following in pairwise(exact):
        yield constant
        yield (constant + following) / 2
    yield exact[-1]
    yield exact[-1] + 1
