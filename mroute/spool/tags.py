"""The tags beside an image: a JSON object of keyword to text, made from the image where missing.

Knows how ``.tags`` files are read and written. Does not know DICOM: a tag reader of a plugin does.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from mroute.errors import TagsError, is_shortage
from mroute.spool.files import Files
from mroute.spool.layout import tags_file
from mroute.types import Tags

MAX_BYTES = 8 * 2**20
"""Bytes of the largest tags file that is read."""

ReadImage = Callable[[Path], Tags]
"""Makes the tag list of an image; raises `TagsError` for a file that is none."""

ReadTags = Callable[[Path], tuple[Tags, str]]
"""The tags that an image is decided by, and what was odd about them; raises `TagsError`."""

LookUp = Callable[[Path], tuple[str, str]]
"""SeriesInstanceUID and SOPInstanceUID of an image, each empty where it has none; raises as
`ReadTags` does."""

_UID = {
    keyword: re.compile(rb'"%s"\s*:\s*"([0-9.]+)"' % keyword.encode())
    for keyword in ("SeriesInstanceUID", "SOPInstanceUID")
}


def read_tags(path: Path) -> tuple[dict[str, str], str]:
    """The tags in a ``.tags`` file, and a sentence on what was odd about it (often empty).

    Bytes that are not UTF-8 are kept as lone surrogates. Raises `TagsError` for a file that
    cannot be read, is no JSON or no object of texts, and `OSError` where nothing can be read now.
    """
    return _parsed(_bytes_of(path), path.name)


def read_uids(path: Path) -> tuple[str, str]:
    """SeriesInstanceUID and SOPInstanceUID in a ``.tags`` file; raises as `read_tags` does.

    Files as they are usually written are not parsed: thousands of them may have to be looked at.
    """
    raw = _bytes_of(path)
    found = [pattern.search(raw) for pattern in _UID.values()]
    if found[0] is None or found[1] is None:
        return uids_in(_parsed(raw, path.name)[0])
    return found[0][1].decode("ascii"), found[1][1].decode("ascii")


def uids_in(tags: Tags) -> tuple[str, str]:
    """SeriesInstanceUID and SOPInstanceUID, each empty where there is none."""
    return tags.get("SeriesInstanceUID", ""), tags.get("SOPInstanceUID", "")


def _bytes_of(path: Path) -> bytes:
    # Not blocking: opening a pipe would wait for somebody who writes into it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                raise TagsError(f"'{path.name}' is no file of at most {MAX_BYTES} bytes")
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read()
        finally:
            os.close(descriptor)
    except OSError as error:
        if is_shortage(error):
            raise
        raise TagsError(f"'{path.name}' cannot be read: {error.strerror}") from error


def _parsed(raw: bytes, name: str) -> tuple[dict[str, str], str]:
    text, trouble = decoded(raw, name)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TagsError(
            f"'{name}' is no JSON ({error}); expected an object of keyword to text"
        ) from error
    return tags_in(value, name), trouble


def decoded(raw: bytes, name: str) -> tuple[str, str]:
    """``raw`` as text, and a sentence where it is not UTF-8; ``name`` is where it is from."""
    try:
        return raw.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        trouble = f"'{name}' is not encoded in UTF-8; its other bytes are kept as they are"
        return raw.decode("utf-8", "surrogateescape"), trouble


def tags_in(value: object, name: str) -> dict[str, str]:
    """The tags that a JSON value holds; ``name`` is where it is from.

    Numbers become texts and null an empty one. Raises `TagsError` for what is no object of texts.
    """
    if not isinstance(value, dict):
        raise TagsError(f"'{name}' holds no JSON object; expected one of keyword to text")
    return {keyword: _text(name, keyword, item) for keyword, item in value.items()}


def _text(name: str, keyword: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    raise TagsError(f"'{name}' has {type(value).__name__} under '{keyword}'; expected a text")


def write_tags(files: Files, image: Path, tags: Mapping[str, str]) -> None:
    """Write the tags beside an image, atomically."""
    files.write_json(tags_file(image), dict(tags))
