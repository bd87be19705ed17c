"""The elements of a data set as texts.

Knows which elements have a text and how it is spelled: as in the file, several values joined by
backslashes. Does not know files, or which elements must be there.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

LONGEST = 65_536
"""Bytes of the longest value that becomes a tag; of a longer one no rule would ask the text."""

_LONG_TEXTS = frozenset({"LT", "ST", "UT"})
"""Value representations in which leading spaces mean something (PS3.5, 6.2)."""
_SHORT_TEXTS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UC", "UI", "UR"})
_ASCII = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI", "DS", "IS"})
"""Value representations whose texts have the default repertoire, whatever the character set."""

_TEXT = re.compile(rb"[ -~]*\0*")
_PLAIN = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "UI", "SH", "LO", "UC", "PN"), _TEXT),
    **dict.fromkeys(("LT", "ST", "UT"), re.compile(rb"[ -~\r\n]*\0*")),
    "DS": re.compile(rb"(?: *[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? *(?:\\|(?= *\0*$)))* *\0*"),
    "IS": re.compile(rb"(?: *[+-]?\d{1,9} *(?:\\|(?= *\0*$)))* *\0*"),
}
"""How the bytes of an element look whose text needs no parser, by its value representation."""

_LETTERS = {
    "US": "H",
    "SS": "h",
    "UL": "L",
    "SL": "l",
    "UV": "Q",
    "SV": "q",
    "FL": "f",
    "FD": "d",
}
"""How `struct` calls binary numbers, by their value representation."""

_NUMBERS = frozenset({"AT", "DS", "IS", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})


def element_texts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Keyword and text of every element that has a text, in the order of the data set.

    An element without a keyword, a private one say, is called ``gggg,eeee``. Sequences and binary
    values have no text. A value that breaks the rules of its representation is given as it is.
    """
    items = sorted(dataset.items(), key=_number)
    one_encoding = _has_one_encoding(dataset)
    for tag, raw in items:  # not yet read where they are long
        if tag.element == 0 or (getattr(raw, "length", 0) or 0) > LONGEST:
            continue
        text = _plain(raw, one_encoding)
        if text is None:
            text = _text(dataset, tag)
        if text is not None:
            yield name_of(int(tag)), text


def _plain(raw: Any, one_encoding: bool) -> str | None:
    """The text of an element that was not decoded yet, where that is plain to see."""
    if type(raw) is not RawDataElement or not isinstance(raw.value, bytes):
        return None
    return plain_text(raw.VR or "", raw.value, one_encoding, raw.is_little_endian)


def plain_text(
    representation: str, value: bytes, one_encoding: bool, little_endian: bool = True
) -> str | None:
    """The text of the bytes of an element, where that is plain to see.

    None where the parser must be asked: that takes twenty times as long, and an image has hundreds
    of elements. ``one_encoding`` says that bytes of ASCII are what they seem.
    """
    pattern = _PLAIN.get(representation)
    if pattern is None:
        return _plain_numbers(representation, value, little_endian)
    if not (one_encoding or representation in _ASCII) or not pattern.fullmatch(value):
        return None
    text = value.decode("ascii").rstrip(" \0")
    if representation in _LONG_TEXTS or "\\" not in text:
        return text if representation in _LONG_TEXTS else text.strip(" ")
    return "\\".join(each.strip(" ") for each in text.split("\\"))


def _plain_numbers(representation: str, value: bytes, little_endian: bool) -> str | None:
    """The text of binary numbers; None where they are none, or not whole."""
    letter = _LETTERS.get(representation)
    if letter is None or len(value) % struct.calcsize(f"={letter}"):
        return None
    count = len(value) // struct.calcsize(f"={letter}")
    numbers = struct.unpack(f"{'<' if little_endian else '>'}{count}{letter}", value)
    return "\\".join(map(_single_precision if letter == "f" else str, numbers))


def has_text(representation: str) -> bool:
    """Whether an element of this value representation has a text."""
    return representation in _LONG_TEXTS | _SHORT_TEXTS | _NUMBERS


def is_one_encoding(character_set: str) -> bool:
    """Whether a byte of ASCII stands for that character in every text with this character set."""
    return not any(each in character_set for each in ("13", "2022", "\\", ","))


def _number(item: tuple[BaseTag, Any]) -> int:
    return int(item[0])


def _has_one_encoding(dataset: Dataset) -> bool:
    """As `is_one_encoding`, of a data set."""
    raw = dataset.get_item("SpecificCharacterSet") if "SpecificCharacterSet" in dataset else None
    value = getattr(raw, "value", None) or ""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return is_one_encoding(text)


@cache
def name_of(tag: int) -> str:
    """The keyword of a tag, or ``gggg,eeee``."""
    from pydicom.datadict import keyword_for_tag

    group, element = tag >> 16, tag & 0xFFFF
    keyword = "" if group % 2 else keyword_for_tag(tag)
    return keyword or f"{group:04x},{element:04x}"


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
