"""The ``.error`` files that a receiver leaves beside an image that it could not parse.

Knows which image such a file is about, and what it says. Does not know what is done with either.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from mroute.errors import describe

ERROR_SUFFIX = ".error"
LOCK_SUFFIX = ".lock"
"""After the name of an ``.error`` file: the receiver has not done with it."""

_READ = 4096
"""Bytes of an ``.error`` file that are looked at."""

_LINES = 3
_LONGEST = 500
"""Characters of a receiver's message that are quoted."""


def image_of(error_file: str, present: Container[str]) -> str | None:
    """The image among the ``present`` names that an ``.error`` file is about.

    ``a.error`` and ``a.dcm.error`` are about ``a.dcm``, or about ``a`` where there is no such file.
    """
    name = error_file.removesuffix(ERROR_SUFFIX)
    return next((each for each in (f"{name}.dcm", name) if each in present), None)


def message_of(error_file: Path) -> str:
    """What the receiver says in its first lines, on one line, without control characters."""
    try:
        with error_file.open("rb") as stream:
            raw = stream.read(_READ)
    except OSError as error:
        return f"its message cannot be read: {describe(error)}"
    lines = (line.strip() for line in raw.decode("utf-8", "replace").splitlines())
    text = "; ".join([line for line in lines if line][:_LINES])
    text = "".join(each if each.isprintable() else " " for each in text)
    return (
        f"{text[:_LONGEST]}..." if len(text) > _LONGEST else text or "the receiver gave no reason"
    )
