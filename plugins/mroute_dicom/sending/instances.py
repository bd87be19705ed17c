"""What a DICOM file holds, as far as one must know to send it.

Knows where its data set begins and what it is. Does not decode it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mroute_dicom.walk import HEAD, file_meta, uid_text, walk

_SOP_CLASS, _LAST_WANTED = 0x0008_0016, 0x0008_0018

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

_PLAIN = frozenset({IMPLICIT, EXPLICIT, BIG, DEFLATED})


class NotSendableError(ValueError):
    """A file holds no instance that could be sent; the text says why."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A SOP Instance in a file; its data set begins at ``offset``, in bytes."""

    path: Path
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    offset: int

    @property
    def is_compressed(self) -> bool:
        """Whether its pixel data must be decoded before it is uncompressed."""
        return self.transfer_syntax not in _PLAIN

    @contextmanager
    def data_set(self) -> Iterator[memoryview]:
        """The bytes of the data set, as they are."""
        with (
            self.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as whole,
            whole[self.offset :] as part,
        ):
            yield part


def read_instance(path: Path) -> Instance:
    """What the file at ``path`` holds; raises `NotSendableError`, or `OSError`."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        offset, meta = file_meta(head)
        if head[offset : offset + 2] == b"\x02\x00" and len(head) == HEAD:
            raise NotSendableError(f"its file meta information has more than {HEAD} bytes")
        found = _plain(head, offset, meta)
        sop_class, instance, syntax = found or _parsed(file)
        length = file.seek(0, 2) - offset
    if length <= 0 or (length % 2 and syntax != DEFLATED):
        raise NotSendableError(f"its data set has {length} bytes, expected an even number of them")
    if not all(_is_uid(each) for each in (sop_class, instance, syntax)):
        raise NotSendableError("it has no SOP Class or SOP Instance UID")
    return Instance(path, sop_class, instance, syntax, offset)


def _plain(head: bytes, offset: int, meta: Mapping[int, bytes]) -> tuple[str, str, str] | None:
    """SOP class, instance and transfer syntax, where that is plain to see.

    None where the parser must be asked, which takes ten times as long.
    """
    syntax = uid_text(meta.get(0x10, b""))
    if syntax in (DEFLATED, BIG) or not _is_uid(syntax):
        return None
    uids: dict[int, str] = {}
    for tag, _, begin, end in walk(head, offset, explicit=syntax != IMPLICIT):
        if tag > _LAST_WANTED:
            break
        uids[tag] = uid_text(head[begin:end])
    sop_class, instance = uids.get(_SOP_CLASS, ""), uids.get(_LAST_WANTED, "")
    return (sop_class, instance, syntax) if _is_uid(sop_class) and _is_uid(instance) else None


def _parsed(file: BinaryIO) -> tuple[str, str, str]:
    """SOP class, instance and transfer syntax, as the parser finds them."""
    from pydicom.filereader import read_partial

    file.seek(0)
    try:
        dataset = read_partial(
            file, stop_when=lambda tag, vr, length: tag > _LAST_WANTED, force=True
        )
        meta = dataset.file_meta
        syntax = str(meta.get("TransferSyntaxUID", "")) or _guessed(*dataset.original_encoding)
        sop_class = str(dataset.get("SOPClassUID", "") or meta.get("MediaStorageSOPClassUID"))
        instance = str(dataset.get("SOPInstanceUID", "") or meta.get("MediaStorageSOPInstanceUID"))
    # The parser raises whatever comes up in a file of any bytes.
    except Exception as error:
        raise NotSendableError(f"it is no DICOM file: {type(error).__name__}") from error
    return sop_class, instance, syntax


def _guessed(implicit: bool | None, little_endian: bool | None) -> str:
    if implicit:
        return IMPLICIT
    return EXPLICIT if little_endian else BIG


def _is_uid(text: str) -> bool:
    return 0 < len(text) <= 64 and all(c.isdigit() or c == "." for c in text) and text.isascii()
