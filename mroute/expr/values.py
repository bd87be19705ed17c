"""The values an expression computes with, and the one that stands for "unknown".

A value is a text, a number, a truth value, a tuple of values, a record - or `Unknown`, with its
reason. Knows how texts become numbers, and the results of functions values. Knows no operator.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from mroute.expr.language import MAX_INTEGER, MAX_ITEMS, MAX_NUMBER_TEXT, MAX_TEXT
from mroute.expr.outcome import quoted
from mroute.expr.record import RecordValue

Value: TypeAlias = Any
"""A value of the language, or `Unknown`."""

Number: TypeAlias = int | float

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][+-]?[0-9]+)?", re.ASCII)
"""Without a group it is a whole number."""

BLANKS = " \t\r\n\f\v\0"
"""What does not count as content of a tag: blanks, and the padding of DICOM."""


_LISTS_IN_LISTS = 10
"""How deep the lists may be that a function gives."""


class Unknown:
    """The value of what cannot be known, and why; ``reason`` may quote tags."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Unknown({self.reason!r})"


class StudyTags(dict[str, str]):
    """The tags of the first series of a study, and with them those of every ``series``."""

    def __init__(self, series: Sequence[Mapping[str, str]], first: Mapping[str, str]) -> None:
        super().__init__(first)
        self.series = tuple(series)


def series_of(tags: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    """The tags of every series of a study."""
    assert type(tags) is StudyTags
    return tags.series


class UnanswerableError(Exception):
    """Raised by the language's own functions where their result is unknown; says why."""


def kind_of(value: Value) -> str:
    """What ``value`` is, as a sentence says it: "a text"."""
    kind = type(value)
    if kind is str:
        return "a text"
    if kind is bool:
        return "a truth value"
    if kind is int or kind is float:
        return "a number"
    if kind is RecordValue:
        return f"a {value.kind}"
    return "a list" if kind is tuple else f"a {kind.__name__}"


def is_number(value: Value) -> bool:
    """Whether ``value`` is a number; True and False are none."""
    return type(value) in (int, float)


def number_of(value: Value) -> Number | Unknown:
    """``value`` as a number: itself, or what a text says; else unknown."""
    kind = type(value)
    if kind is str:
        text = value.strip(BLANKS)
        if len(text) <= MAX_NUMBER_TEXT and (match := _NUMBER.fullmatch(text)):
            return bounded_number(float(text) if match.lastindex else int(text))
        return Unknown(f"{quoted(value)} is not a number")
    if kind is int or kind is float:
        return cast(Number, value)
    if kind is Unknown:
        return cast(Unknown, value)
    return Unknown(f"{kind_of(value)} is not a number")


def integer_of(value: Value) -> int | Unknown:
    """``value`` as a whole number: itself, or what a text says; else unknown."""
    number = number_of(value)
    if isinstance(number, float):
        if not number.is_integer():
            return Unknown(f"{number} is not a whole number")
        return int(number)
    return number


def bounded_number(number: Number) -> Number | Unknown:
    """``number``, unless it is too large or no number at all."""
    if isinstance(number, int):
        return number if -MAX_INTEGER <= number <= MAX_INTEGER else Unknown("a number is too large")
    return number if math.isfinite(number) else Unknown("a number is too large")


def bounded(value: Value) -> Value:
    """``value``, which a function gave, as one of the language: without what a subclass adds to it.

    Unknown where it, or anything in it, is too large or of no type of the language. Nothing that a
    subclass defines is called.
    """
    taken = _bounded(value, [MAX_ITEMS], _LISTS_IN_LISTS)
    unknown = first_unknown((taken,))
    return taken if unknown is None else unknown


def _bounded(value: Value, room: list[int], depth: int) -> Value:
    kind = type(value)
    if kind is bool or kind is RecordValue:
        return value
    if issubclass(kind, str):
        if str.__len__(value) > MAX_TEXT:
            return Unknown(f"a text has more than {MAX_TEXT:,} characters")
        return str.__str__(value)
    if issubclass(kind, int):
        return bounded_number(int.__int__(value))
    if issubclass(kind, float):
        return bounded_number(float.__float__(value))
    for base in (list, tuple):
        if issubclass(kind, base):
            room[0] -= base.__len__(value)
            if room[0] < 0:
                return Unknown(f"a list has more than {MAX_ITEMS:,} items")
            if not depth:
                return Unknown(f"more than {_LISTS_IN_LISTS} lists are in each other")
            # Most lists are of short texts, and those are fine as they are.
            return tuple(
                [
                    item
                    if type(item) is str and len(item) <= MAX_TEXT
                    else _bounded(item, room, depth - 1)
                    for item in base.__iter__(value)
                ]
            )
    return Unknown(f"{kind_of(value)} is no value of the language")


def first_unknown(values: Sequence[Value]) -> Unknown | None:
    """The first unknown among ``values`` and within the lists among them."""
    for value in values:
        if type(value) is Unknown:
            return value
        if type(value) is tuple:
            inner = first_unknown(value)
            if inner is not None:
                return inner
    return None


def tag(tags: Mapping[str, str], name: str, keyword: str, missing: Unknown) -> Value:
    """The text of a tag in whatever case it is spelled: ``tags.X``.

    ``name`` is how the expression spells it and ``keyword`` how the DICOM dictionary does. Where
    neither is among ``tags``, the alphabetically first that differs only in case counts.
    """
    value = tags.get(name)
    if value is None:
        value = tags.get(keyword)
        if value is None:
            folded, length = name.lower(), len(name)
            found = [key for key in tags if len(key) == length and key.lower() == folded]
            value = tags[min(found)] if found else None
            if value is None:
                return missing
    return value if type(value) is str else _text_of(value)


def exact_tag(tags: Mapping[str, str], name: str, missing: Unknown) -> Value:
    """The text of the tag of exactly this name: ``tags["X"]``."""
    value = tags.get(name)
    if value is None:
        return missing
    return value if type(value) is str else _text_of(value)


def _text_of(value: object) -> str:
    # Tags are text by their type, but an embedding program may hand over what pydicom gave it.
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\\".join(str(item) for item in value)
    # What a subclass makes of its text is no part of it.
    return str.__str__(value) if isinstance(value, str) else str(value)
