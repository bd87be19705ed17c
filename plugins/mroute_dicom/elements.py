"""The elements of a data set as texts.

Knows which elements have a text and how it is spelled: as in the file, several values joined by
backslashes. Does not know files, or which elements must be there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

LONGEST = 65_536
"""Bytes of the longest value that becomes a tag; of a longer one no rule would ask the text."""

_LONG_TEXTS = frozenset({"LT", "ST", "UT"})
"""Value representations in which leading spaces mean something (PS3.5, 6.2)."""
_SHORT_TEXTS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UC", "UI", "UR"})
_NUMBERS = frozenset({"AT", "DS", "IS", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})


def element_texts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Keyword and text of every element that has a text, in the order of the data set.

    An element without a keyword, a private one say, is called ``gggg,eeee``. Sequences and binary
    values have no text. A value that breaks the rules of its representation is given as it is.
    """
    for tag, raw in sorted(
        dataset.items(), key=lambda item: item[0]
    ):  # not yet read where they are long
        if tag.element == 0 or (getattr(raw, "length", 0) or 0) > LONGEST:
            continue
        text = _text(dataset, tag)
        if text is not None:
            yield _name(tag), text


def _name(tag: BaseTag) -> str:
    from pydicom.datadict import keyword_for_tag

    keyword = "" if tag.is_private else keyword_for_tag(tag)
    return keyword or f"{tag.group:04x},{tag.element:04x}"


def _text(dataset: Dataset, tag: BaseTag) -> str | None:
    try:
        element = dataset[tag]
    # The parser raises whatever comes up in a broken value, which then is text or nothing at all.
    except Exception:  # noqa: BLE001
        return _broken_text(dataset, tag)
    representation, value = element.VR, element.value
    if representation not in _LONG_TEXTS | _SHORT_TEXTS | _NUMBERS:
        return None
    if value is None:
        return ""
    if representation in _LONG_TEXTS:
        return str(value).rstrip(" \0")
    values = value if isinstance(value, MultiValue | list) else [value]
    if representation == "FL":
        return "\\".join(_single_precision(each) for each in values)
    return "\\".join(str(each).strip(" \0") for each in values)


def _broken_text(dataset: Dataset, tag: BaseTag) -> str | None:
    raw: Any = dataset.get_item(tag)
    value = getattr(raw, "value", None)
    if not isinstance(value, bytes):
        return None
    try:
        return value.decode("ascii").strip(" \0")
    except UnicodeDecodeError:
        return None


def _single_precision(value: float) -> str:
    """The shortest text that is this number among those of 32 bits."""
    for digits in range(6, 9):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return text
    return f"{value:.9g}"
