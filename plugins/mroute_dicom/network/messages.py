"""The messages of C-STORE and C-ECHO, and how they lie in PDUs (PS3.7, 9.3; PS3.8, 9.3.5).

Knows command sets, which are always implicit VR little endian. Does not look into data sets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from mroute_dicom.network.connection import PeerError

_ELEMENT = struct.Struct("<HHI")
_ITEM = struct.Struct(">IBB")
_PDU_ITEM = struct.Struct(">BxIIBB")
_COMMAND, _LAST = 0x01, 0x02
_NO_DATA_SET = 0x0101
_SMALLEST = 8
_BATCH = 1 << 20
"""Bytes that are given to the socket at once, at least."""

GROUP_LENGTH = 0x0000
SOP_CLASS = 0x0002
COMMAND_FIELD = 0x0100
MESSAGE_ID = 0x0110
ANSWERED_ID = 0x0120
PRIORITY = 0x0700
DATA_SET_TYPE = 0x0800
STATUS = 0x0900
SOP_INSTANCE = 0x1000

C_STORE_RQ, C_STORE_RSP = 0x0001, 0x8001
C_ECHO_RQ, C_ECHO_RSP = 0x0030, 0x8030

_TEXTS = frozenset({SOP_CLASS, 0x0003, SOP_INSTANCE})

Command = Mapping[int, int | str]
"""The elements of group 0000 by their number: UIDs as texts, all others that matter as numbers."""


def encoded(command: Command) -> bytes:
    """The command set of a message."""
    elements = b""
    for number in sorted(command):
        value = command[number]
        if isinstance(value, str):
            text = value.encode("ascii")
            content = text + b"\0" * (len(text) % 2)
        else:
            content = struct.pack("<H", value)
        elements += _ELEMENT.pack(0, number, len(content)) + content
    return _ELEMENT.pack(0, GROUP_LENGTH, 4) + struct.pack("<I", len(elements)) + elements


def decoded(content: bytes | bytearray) -> dict[int, int | str]:
    """The elements of a command set; raises `PeerError` where it is none."""
    command: dict[int, int | str] = {}
    position = 0
    try:
        while position < len(content):
            group, number, length = _ELEMENT.unpack_from(content, position)
            position += _ELEMENT.size
            value = bytes(content[position : position + length])
            position += length
            if group != 0 or len(value) != length:
                raise PeerError("the peer sent a damaged command")
            if number in _TEXTS:
                command[number] = value.decode("ascii").rstrip("\0 ")
            elif length == 2:
                command[number] = int.from_bytes(value, "little")
    except (struct.error, UnicodeDecodeError) as error:
        raise PeerError("the peer sent a damaged command") from error
    return command


def store_request(message_id: int, sop_class: str, sop_instance: str) -> bytes:
    """The command set of a C-STORE-RQ."""
    return encoded(
        {
            SOP_CLASS: sop_class,
            COMMAND_FIELD: C_STORE_RQ,
            MESSAGE_ID: message_id,
            PRIORITY: 0,
            DATA_SET_TYPE: 0x0000,
            SOP_INSTANCE: sop_instance,
        }
    )


def echo_request(message_id: int) -> bytes:
    """The command set of a C-ECHO-RQ."""
    return encoded(
        {
            SOP_CLASS: "1.2.840.10008.1.1",
            COMMAND_FIELD: C_ECHO_RQ,
            MESSAGE_ID: message_id,
            DATA_SET_TYPE: _NO_DATA_SET,
        }
    )


def response(request: Command, status: int) -> bytes:
    """The command set that answers a C-STORE-RQ or C-ECHO-RQ."""
    answer: dict[int, int | str] = {
        number: request[number] for number in (SOP_CLASS, SOP_INSTANCE) if number in request
    }
    return encoded(
        {
            **answer,
            COMMAND_FIELD: int(request[COMMAND_FIELD]) | 0x8000,
            ANSWERED_ID: request.get(MESSAGE_ID, 0),
            DATA_SET_TYPE: _NO_DATA_SET,
            STATUS: status,
        }
    )


def has_data_set(command: Command) -> bool:
    """Whether a data set follows the command set."""
    return command.get(DATA_SET_TYPE, _NO_DATA_SET) != _NO_DATA_SET


def command_pdus(context_id: int, command: bytes, largest: int) -> bytes:
    """A command set as P-DATA of at most ``largest`` bytes each; 0 stands for no limit.

    Raises `PeerError` where that is too little for anything.
    """
    return b"".join(_pdus(context_id, memoryview(command), largest, _COMMAND))


def data_pdus(context_id: int, data_set: memoryview, largest: int) -> Iterator[bytes]:
    """A data set as P-DATA of at most ``largest`` bytes each, some megabytes at a time."""
    return _pdus(context_id, data_set, largest, 0)


def _pdus(context_id: int, content: memoryview, largest: int, kind: int) -> Iterator[bytes]:
    if 0 < largest < _SMALLEST:
        raise PeerError(f"the peer takes no PDU of more than {largest} bytes, and nothing fits in")
    if len(content) % 2:  # a deflated data set: a fragment has an even length (PS3.5, A.5)
        content = memoryview(bytes(content) + b"\0")
    room = ((min(largest, _BATCH) or _BATCH) - 6) // 2 * 2
    parts: list[bytes | memoryview] = []
    gathered = 0
    for begin in range(0, len(content), room):
        part = content[begin : begin + room]
        last = _LAST if begin + room >= len(content) else 0
        size = len(part) + 2
        parts += (_PDU_ITEM.pack(4, size + 4, size, context_id, kind | last), part)
        gathered += size
        if last or gathered >= _BATCH:
            yield b"".join(parts)
            parts, gathered = [], 0


def fragments(content: bytearray) -> Iterator[tuple[int, bool, bool, memoryview]]:
    """The items of a P-DATA PDU: context id, whether of a command, whether the last, and content.

    Raises `PeerError` where they are damaged.
    """
    view, position = memoryview(content), 0
    while position < len(view):
        if position + _ITEM.size > len(view):
            raise PeerError("the peer sent damaged P-DATA")
        length, context_id, control = _ITEM.unpack_from(view, position)
        end = position + 4 + length
        if length < 2 or end > len(view):
            raise PeerError("the peer sent damaged P-DATA")
        part = view[position + _ITEM.size : end]
        yield context_id, bool(control & _COMMAND), bool(control & _LAST), part
        position = end
