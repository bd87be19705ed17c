"""What a service says of each instance that it was to store (PS3.18, section 10.5.3 and annex I).

Knows the answer in both of its forms, JSON and XML, and what its codes mean. Does not trust it: an
answer may be anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

_STORED, _FAILED = "00081199", "00081198"
_INSTANCE, _WARNING, _FAILURE = "00081155", "00081196", "00081197"

_MEANINGS = {
    0x0110: "processing failure",
    0x0111: "it has this instance already",
    0x0122: "it does not take this SOP class",
    0x0124: "not authorized",
    0xB000: "coercion of data elements",
    0xB006: "elements discarded",
    0xB007: "the data set does not match its SOP class",
    0xC122: "it does not take this transfer syntax",
}
_KINDS = {
    0xA700: (0xFF00, "out of resources"),
    0xA900: (0xFF00, "the data set does not match its SOP class"),
    0xC000: (0xF000, "it cannot understand the data set"),
}


@dataclass(frozen=True, slots=True)
class Results:
    """The reason for each instance by its UID: why it was stored with a warning, or not stored.

    None is no reason: stored without a warning, or not stored, it did not say why.
    """

    stored: Mapping[str, int | None] = field(default_factory=dict)
    failed: Mapping[str, int | None] = field(default_factory=dict)


def results_in(body: bytes) -> Results | None:
    """The results in an answer; None where it is none."""
    try:
        text = body.decode("utf-8-sig").lstrip()
        content = _from_xml(text) if text.startswith("<") else json.loads(text)
    except (ValueError, RecursionError, ElementTree.ParseError):
        return None
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict) or not (_STORED in content or _FAILED in content):
        return None
    return Results(
        dict(_reasons(content.get(_STORED), _WARNING)),
        dict(_reasons(content.get(_FAILED), _FAILURE)),
    )


def code(reason: int | None) -> str:
    """A reason in four hexadecimal digits; empty for none."""
    return "" if reason is None else f"{reason:04X}"


def meaning(reason: int) -> str:
    """A reason in words."""
    if reason in _MEANINGS:
        return _MEANINGS[reason]
    for value, (mask, said) in _KINDS.items():
        if reason & mask == value:
            return said
    return "a reason that the standard does not have"


def _reasons(sequence: object, reason: str) -> Iterator[tuple[str, int | None]]:
    """UID and reason of each item that has a UID."""
    for item in _values(sequence):
        uids = _values(item.get(_INSTANCE)) if isinstance(item, dict) else []
        if uids:
            yield str(uids[0]).strip(), _number(_values(item.get(reason)))


def _values(element: object) -> list[Any]:
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _number(values: list[Any]) -> int | None:
    try:
        number = int(values[0])
    except (IndexError, TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= 0xFFFF else None


def _from_xml(text: str) -> object:
    """The JSON form of a Native DICOM Model (PS3.19, annex A)."""
    if "<!DOCTYPE" in text:  # which defines entities, of any size
        return None
    return _dataset(ElementTree.fromstring(text))  # noqa: S314


def _dataset(node: ElementTree.Element) -> dict[str, Any]:
    return {
        each.get("tag", "").upper(): {"Value": list(_xml_values(each))}
        for each in node.iterfind("{*}DicomAttribute")
    }


def _xml_values(attribute: ElementTree.Element) -> Iterator[Any]:
    for item in attribute.iterfind("{*}Item"):
        yield _dataset(item)
    for value in attribute.iterfind("{*}Value"):
        yield value.text or ""
