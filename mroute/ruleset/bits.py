"""Sets of small numbers as the bits of an integer, and as sorted tuples where they are sparse.

Knows how one becomes the other, and which takes less memory. Does not know what the numbers stand
for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeAlias

SPARSE: Final = 512
"""A set is kept as bits where it has a member for at least that many: a few bits each."""

Members: TypeAlias = int | tuple[int, ...]
"""A set: its bits, or the numbers themselves."""


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


def numbers_of(bits: int) -> list[int]:
    """The positions of the ones in ``bits``, ascending."""
    # The lengths of the runs of zeros between the ones: the loop runs once for each one, and what
    # lies between them is passed over by the interpreter's own code.
    position, numbers = -1, []
    runs = bin(bits)[:1:-1].split("1")
    runs.pop()
    for run in runs:
        position += len(run) + 1
        numbers.append(position)
    return numbers


def packed(numbers: Iterable[int]) -> Members:
    """A set of ``numbers`` in the form that suits it: of at most 64 bytes for each of them."""
    members = tuple(sorted(set(numbers)))
    if not members:
        return 0
    return bits_of(members) if len(members) * SPARSE >= members[-1] else members


def union(sets: Sequence[Members]) -> int:
    """The bits that are in any of ``sets``."""
    bits = 0
    for members in sets:
        bits |= members if type(members) is int else bits_of(members)  # type: ignore[arg-type]
    return bits
