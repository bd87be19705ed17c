"""What is expected and what is there, in words.

Knows how types and values read in a sentence. Does not know where in a file they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import AnyUrl

from mroute.config.shapes import Shape
from mroute.expr import Language
from mroute.models import ExpressionText, Reference

_LONGEST = 60
"""Characters of a value that a message quotes."""


class _Words(NamedTuple):
    one: str
    many: str


ANYTHING = "a value"
"""What is expected where the type says nothing that could be put into words."""

_ANYTHING = _Words(ANYTHING, "values")
_MAPPING = _Words("a mapping", "mappings")
_WORDS: dict[Any, _Words] = {
    str: _Words("a text", "texts"),
    bool: _Words("true or false", "values true or false"),
    int: _Words("a whole number", "whole numbers"),
    float: _Words("a number", "numbers"),
    dict: _MAPPING,
    timedelta: _Words("a duration such as '15s', '90m' or '1h30m'", "durations such as '15s'"),
    Path: _Words("a path", "paths"),
}
_LANGUAGES = {
    Language.CONDITION: _Words("an expression such as \"tags.Modality == 'MR'\"", "expressions"),
    Language.STUDY: _Words(
        "an expression such as \"any(s.Modality == 'CT' for s in series)\"", "expressions"
    ),
    Language.COMPLETION: _Words("the series to wait for, such as \"'T1' and 'T2'\"", "series"),
}


def expected(shape: Shape | None) -> str:
    """What may stand at a place."""
    return _words(shape).one if shape else ANYTHING


def shown(value: Any) -> str:
    """A value that is there instead."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {_short(repr(value) if isinstance(value, float) else _digits(value))}"
    if isinstance(value, str):
        return f"'{_short(value)}'"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"'{_short(str(value))}'"


def one_of(names: Iterable[Any]) -> str:
    """The names that there are; or that there is none."""
    listed = [f"'{name}'" if isinstance(name, str) else str(name) for name in names]
    if not listed:
        return "nothing: there is none"
    return listed[0] if len(listed) == 1 else "one of " + ", ".join(listed)


def _words(shape: Shape) -> _Words:
    for mark in shape.metadata:
        if isinstance(mark, Reference):
            kind = singular(mark.section)
            return _Words(f"the name of a {kind}", f"names of {mark.section}")
        if isinstance(mark, ExpressionText):
            return _LANGUAGES[mark.language]
    members = shape.members
    if members:
        found = [_words(member) for member in members]
        return _Words(*(" or ".join(dict.fromkeys(each)) for each in zip(*found, strict=True)))
    if shape.choice or shape.model or get_origin(shape.type) is dict:
        return _MAPPING
    choices = choices_of(shape)
    if choices:
        return _Words(one_of(choices), "values of " + ", ".join(map(str, choices)))
    if shape.is_list:
        items = shape.items
        of = f" of {_words(items).many}" if items else ""
        return _Words(f"a list{of}", f"lists{of}")
    if isinstance(shape.type, type) and issubclass(shape.type, AnyUrl):
        return _Words("a URL", "URLs")
    return _WORDS.get(shape.type, _ANYTHING)


def choices_of(shape: Shape) -> list[Any]:
    """The values that there are to choose from, where they are few."""
    if get_origin(shape.type) is Literal:
        return [each.value if isinstance(each, Enum) else each for each in get_args(shape.type)]
    if isinstance(shape.type, type) and issubclass(shape.type, Enum):
        return [each.value for each in shape.type]
    return []


def singular(section: str) -> str:
    """What one entry of a section is called."""
    return section.removesuffix("s")


def _digits(number: int) -> str:
    # Python refuses to write several thousand digits.
    return str(number) if abs(number) < 10**_LONGEST else "of too many digits"


def _short(text: str) -> str:
    text = text.replace("\n", " ")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
