"""Where an image goes below a target: folders whose names have the values of its tags in them.

Knows that a value may be anything, and a name of a folder may not. Does not know what is there.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from mroute.api import Tags

UNKNOWN = "unknown"
"""Stands for a value that is missing or empty."""

_TASK_ID = "task_id"
_LONGEST = 120
"""Bytes of a value that are used, in UTF-8: file systems take names of 255 at most."""
_FORBIDDEN = frozenset('/\\:*?"<>|#%{}')


def folder_for(layout: str, tags: Tags, task_id: str) -> str:
    """The folder, relative and with slashes, of an image with these tags; empty for no layout."""
    values = {**tags, _TASK_ID: task_id}
    return "/".join(
        "".join(
            text + ("" if keyword is None else as_name(values.get(keyword, "")))
            for text, keyword in _parts(component)
        )
        for component in layout.split("/")
    )


def needs_tags(layout: str) -> bool:
    """Whether a layout has tags in it."""
    keywords = {keyword for each in layout.split("/") for _, keyword in _parts(each)}
    return bool(keywords - {None, _TASK_ID})


def as_name(value: str) -> str:
    """A value as a part of a name that every file system and object store takes."""
    text = unicodedata.normalize("NFC", value.strip())
    name = "".join("_" if _is_forbidden(each) else each for each in text)
    return name.encode()[:_LONGEST].decode(errors="ignore").strip(" .") or UNKNOWN


def check_layout(layout: str) -> str:
    """Return ``layout``; raises `ValueError` with a sentence where it cannot be one."""
    for component in layout.split("/") if layout else ():
        literal = ""
        for text, keyword in _parts(component):
            literal += text
            if keyword is not None:
                _check_keyword(keyword)
                literal += "x"
        if literal in ("", ".", "..") or literal != literal.strip() or "\\" in literal:
            raise ValueError(
                f"{component!a} cannot be the name of a folder; expected folders divided by single "
                "slashes, as in '{StudyInstanceUID}/{SeriesInstanceUID}'"
            )
    return layout


Layout = Annotated[
    str,
    AfterValidator(check_layout),
    Field(examples=["{StudyInstanceUID}/{SeriesInstanceUID}", "{PatientID}/{StudyDate}"]),
]
"""Folders below a target: tags by keyword, and ``task_id``, in braces."""


def _parts(component: str) -> Iterator[tuple[str, str | None]]:
    """Texts and the keyword after each, which may be none."""
    try:
        for text, keyword, specification, conversion in string.Formatter().parse(component):
            if specification or conversion:
                raise ValueError(f"expected a keyword alone in '{{{keyword}}}'")
            yield text, keyword
    except ValueError as error:
        raise ValueError(f"{component!a} is no layout: {error}") from error


def _check_keyword(keyword: str) -> None:
    if keyword != _TASK_ID and not (keyword.isascii() and keyword.isalnum()):
        raise ValueError(
            f"'{{{keyword}}}' names no tag; expected a keyword such as {{StudyInstanceUID}}, or "
            f"{{{_TASK_ID}}}"
        )


def _is_forbidden(character: str) -> bool:
    return character in _FORBIDDEN or unicodedata.category(character)[0] in "CZ"
