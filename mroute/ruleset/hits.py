"""What is filed under constants, in layers: found by the constant, as bits.

Knows how it is kept: as bits, or as numbers where bits would take too much room. Does not know what
the constants are compared with (table).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from mroute.ruleset.bits import bits_of

Layered: TypeAlias = Sequence[tuple[int, int]]
"""Layers, each with bits."""

ByConstant: TypeAlias = Mapping[Any, Mapping[int, Sequence[int]]]
"""For each constant, the numbers that are filed under it in each layer."""

Find: TypeAlias = Callable[[Any], Layered | None]
"""What is filed under a constant, or None where that is no constant."""

SPARSE: Final = 512
"""Where there is not room for all as bits: one member in so many makes a set that is kept so."""


def finder(filed: ByConstant, roomy: bool) -> Find:
    """What finds all that is ``filed``; ``roomy`` where there is room for all of it as bits."""
    if roomy:
        return {constant: bits_by_layer(layers) for constant, layers in filed.items()}.get
    dense: dict[Any, Layered] = {}
    sparse: dict[Any, Mapping[int, Sequence[int]]] = {}
    for constant, layers in filed.items():
        if all(len(each) * SPARSE >= max(each) for each in layers.values()):
            dense[constant] = bits_by_layer(layers)
        else:
            sparse[constant] = layers

    def find(constant: Any) -> Layered | None:
        found = dense.get(constant)
        if found is None and (layers := sparse.get(constant)):
            return bits_by_layer(layers)
        return found

    return find


def bits_by_layer(layers: Mapping[int, Sequence[int]]) -> Layered:
    """The same numbers as bits."""
    return tuple([(layer, bits_of(numbers)) for layer, numbers in layers.items()])
