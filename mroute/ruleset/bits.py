"""Sets of small numbers as the bits of an integer.

Knows how numbers become bits, and bits numbers. Does not know what the numbers stand for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

_SHORT: Final = 512
"""Bits up to which there is nothing better than one step for each of them."""


def bits_of(numbers: Collection[int]) -> int:
    """The integer whose bits of these ``numbers``, zero or more each, are one."""
    if len(numbers) < 4:
        bits = 0
        for number in numbers:
            bits |= 1 << number
        return bits
    room = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        room[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(room, "little")


def items_at(bits: int, items: Sequence[T]) -> list[T]:
    """Those of ``items`` at whose positions there is a one in ``bits``, in order."""
    found = []
    if bits.bit_length() <= _SHORT:
        while bits:
            lowest = bits & -bits
            found.append(items[lowest.bit_length() - 1])
            bits ^= lowest
        return found
    # The runs of zeros between the ones, from the highest to the lowest: the loop runs once for
    # each one, and what lies between them is passed over by the interpreter's own code.
    position = bits.bit_length()
    runs = f"{bits:b}".split("1")
    runs.pop()
    for run in runs:
        position -= len(run) + 1
        found.append(items[position])
    found.reverse()
    return found


def numbers_of(bits: int) -> list[int]:
    """The positions of the ones in ``bits``, ascending."""
    return items_at(bits, range(bits.bit_length()))
