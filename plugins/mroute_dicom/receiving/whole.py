"""Whether a DICOM file is whole: its data set ends where the file ends (PS3.5, 7).

Knows lengths of elements, items and sequences. Does not look into values.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

from mroute_dicom.sending.instances import BIG, DEFLATED, IMPLICIT, NotSendableError, read_instance

_SHORT_VR = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Their length has two bytes; that of all others, known or not, four (PS3.5, 7.1.2)."""
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 64


class _TruncatedError(Exception):
    """An element ends behind the end of the file."""


def is_whole(path: Path) -> bool:
    """Whether nothing of the image is missing at its end; False for what is no image."""
    try:
        instance = read_instance(path)
    except NotSendableError:
        return False
    with instance.data_set() as content:
        if instance.transfer_syntax == DEFLATED:
            return _inflates(bytes(content))
        order = ">" if instance.transfer_syntax == BIG else "<"
        try:
            walk = _Walk(content, order, explicit=instance.transfer_syntax != IMPLICIT)
            return walk.elements(0, _UNDEFINED, 0) == len(content)
        except (_TruncatedError, struct.error):
            return False


def _inflates(content: bytes) -> bool:
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflating.decompress(content)
    except zlib.error:
        return False
    return inflating.eof


class _Walk:
    """A walk through a data set, from the beginning of one element to that of the next."""

    def __init__(self, content: memoryview | mmap.mmap, order: str, *, explicit: bool) -> None:
        self._content, self._explicit = content, explicit
        self._tag, self._short = struct.Struct(f"{order}HH"), struct.Struct(f"{order}H")
        self._long = struct.Struct(f"{order}I")

    def elements(self, position: int, until: int, depth: int) -> int:
        """The end of the elements from a position on: at the tag ``until``, or of the file."""
        while position < len(self._content):
            tag, length, begin = self._header(position)
            if tag == until:
                return begin
            if length != _UNDEFINED:
                position = self._over(begin, length)
            elif self._explicit and self._content[position + 4 : position + 6] == b"UN":
                # Whoever did not know it has kept it as it came: implicit (PS3.5, 6.2.2).
                unknown = _Walk(self._content, "<", explicit=False)
                position = unknown.items(begin, depth + 1)
            else:
                position = self.items(begin, depth + 1)
        if until != _UNDEFINED:
            raise _TruncatedError
        return position

    def items(self, position: int, depth: int) -> int:
        """The end of a sequence, or of encapsulated pixel data, without a length."""
        if depth > _DEEPEST:
            raise _TruncatedError
        while True:
            tag, length, position = self._header(position)
            if tag == _SEQUENCE_END:
                return position
            if tag != _ITEM:
                raise _TruncatedError
            if length == _UNDEFINED:
                position = self.elements(position, _ITEM_END, depth)
            else:
                position = self._over(position, length)

    def _header(self, position: int) -> tuple[int, int, int]:
        """Tag and length of an element, and where its value begins."""
        group, number = self._tag.unpack_from(self._content, position)
        tag = group << 16 | number
        representation = bytes(self._content[position + 4 : position + 6])
        if group == 0xFFFE or not self._explicit:
            return tag, self._long.unpack_from(self._content, position + 4)[0], position + 8
        if representation in _SHORT_VR:
            return tag, self._short.unpack_from(self._content, position + 6)[0], position + 8
        return tag, self._long.unpack_from(self._content, position + 8)[0], position + 12

    def _over(self, position: int, length: int) -> int:
        end: int = position + length
        if end > len(self._content):
            raise _TruncatedError
        return end
