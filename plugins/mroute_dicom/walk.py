"""A walk over the elements of a little endian file, as long as nothing in it is unusual.

Knows where each begins and ends (PS3.5, 7). Does not decode a value; where it ends early, a parser
must be asked.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

PREAMBLE = 128
MAGIC = b"DICM"
HEAD = 16_384
"""Bytes in which the file meta information should be."""

_TAG, _SHORT, _LONG = struct.Struct("<HH"), struct.Struct("<H"), struct.Struct("<I")
_LONG_VR = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UR", b"UT", b"UN"})
_SHORT_VR = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US SV UV".split()
)
_LONG_VR_64 = frozenset({b"SV", b"UV"})

Content: TypeAlias = bytes | memoryview | mmap.mmap


class Element(NamedTuple):
    """An element; ``representation`` is empty where the file does not say it."""

    tag: int
    representation: str
    begin: int
    end: int


def walk(content: Content, position: int, *, explicit: bool) -> Iterator[Element]:
    """The elements from a position on; ends before one that does not end in ``content``."""
    size = len(content)
    while position + 12 <= size:
        group, number = _TAG.unpack_from(content, position)
        representation = bytes(content[position + 4 : position + 6]) if explicit else b""
        if not explicit:
            begin = position + 8
            (length,) = _LONG.unpack_from(content, position + 4)
        elif representation in _LONG_VR or representation in _LONG_VR_64:
            begin = position + 12
            (length,) = _LONG.unpack_from(content, position + 8)
        elif representation in _SHORT_VR:
            begin = position + 8
            (length,) = _SHORT.unpack_from(content, position + 6)
        else:
            return
        end = begin + length
        if end > size:
            return
        yield Element(group << 16 | number, representation.decode("ascii"), begin, end)
        position = end


def file_meta(head: bytes) -> tuple[int, dict[int, bytes]]:
    """Where the data set begins, and the elements of group 2 before it, by their numbers."""
    begins = head[PREAMBLE : PREAMBLE + len(MAGIC)] == MAGIC
    position, meta = PREAMBLE + len(MAGIC) if begins else 0, {}
    for tag, _, begin, end in walk(head, position, explicit=True):
        if tag >> 16 != 2:
            break
        meta[tag & 0xFFFF], position = head[begin:end], end
    return position, meta


def uid_text(value: Content) -> str:
    """A UID without what fills it up."""
    return bytes(value).rstrip(b"\0 ").decode("latin-1")
