"""The DICOM file of an image as it is received: its head, and the data set as it came (PS3.10, 7).

Knows the file meta information. Does not know where the file is, or what becomes of it.
"""

from __future__ import annotations

import struct

_LONG_VERSION = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01"


def file_head(sop_class: str, sop_instance: str, syntax: str) -> bytes:
    """Preamble and file meta information of an image, the same whoever has sent it.

    So an image that is sent twice is the same file, and is not stored twice. Its sender is in its
    tags.
    """
    from pynetdicom import PYNETDICOM_IMPLEMENTATION_UID

    elements = _LONG_VERSION + b"".join(
        (
            _element(0x0002, b"UI", sop_class),
            _element(0x0003, b"UI", sop_instance),
            _element(0x0010, b"UI", syntax),
            _element(0x0012, b"UI", str(PYNETDICOM_IMPLEMENTATION_UID)),
            _element(0x0013, b"SH", "MROUTE"),
        )
    )
    length = struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(elements))
    return b"\0" * 128 + b"DICM" + length + elements


def _element(number: int, representation: bytes, text: str) -> bytes:
    value = text.encode("ascii", "replace")
    if len(value) % 2:
        value += b"\0" if representation == b"UI" else b" "
    return struct.pack("<HH2sH", 0x0002, number, representation, len(value)) + value
