"""The items of an A-ASSOCIATE-RQ or -AC (PS3.8, 9.3.2 and 9.3.3), without those nobody knows.

Knows where items begin and end. Does not know what they mean: pynetdicom decodes them, and stumbles
over an unknown one, which has to be left alone (PS3.8, 9.3.1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEADER = struct.Struct(">BxH")
_FIXED = 68
"""Bytes before the first item: version, AE titles, and what is reserved."""
_USER_INFORMATION = 0x50
_ITEMS = frozenset({0x10, 0x20, 0x21})
_USER_ITEMS = frozenset(range(0x51, 0x5A))


def known_items(content: bytes) -> bytes:
    """The content of the PDU without unknown items; raises `ValueError` where one is cut off."""
    parts = [content[:_FIXED]]
    for kind, value in _items(content[_FIXED:]):
        if kind == _USER_INFORMATION:
            known = (each for each in _items(value) if each[0] in _USER_ITEMS)
            parts.append(_item(kind, b"".join(_item(*each) for each in known)))
        elif kind in _ITEMS:
            parts.append(_item(kind, value))
    return b"".join(parts)


def _items(content: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(content):
        if position + _HEADER.size > len(content):
            raise ValueError("an item is cut off")
        kind, length = _HEADER.unpack_from(content, position)
        begin = position + _HEADER.size
        position = begin + length
        if position > len(content):
            raise ValueError("an item is cut off")
        yield kind, content[begin:position]


def _item(kind: int, value: bytes) -> bytes:
    return _HEADER.pack(kind, len(value)) + value
