"""What is filed under constants: found by the constant, as bits.

Knows how it is kept: as bits, or as numbers where bits would take too much room. Does not know what
the constants are compared with (table).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from mroute.ruleset.bits import bits_of

ByConstant: TypeAlias = Mapping[Any, Sequence[int]]
"""For each constant, the numbers that are filed under it."""

Find: TypeAlias = Callable[[Any], int | None]
"""The bits of what is filed under a constant, or None where that is no constant."""

SPARSE: Final = 512
"""Where there is not room for all as bits: one member in so many makes a set that is kept so."""


def finder(filed: ByConstant, roomy: bool) -> Find:
    """What finds all that is ``filed``; ``roomy`` where there is room for all of it as bits."""
    dense: dict[Any, int] = {}
    sparse: dict[Any, Sequence[int]] = {}
    for constant, numbers in filed.items():
        if roomy or len(numbers) * SPARSE >= max(numbers):
            dense[constant] = bits_of(numbers)
        else:
            sparse[constant] = numbers
    if not sparse:
        return dense.get

    def find(constant: Any) -> int | None:
        found = dense.get(constant)
        if found is None and (numbers := sparse.get(constant)):
            return bits_of(numbers)
        return found

    return find
