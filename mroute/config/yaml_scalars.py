"""What a plain YAML scalar stands for: the core schema of YAML 1.2.

Knows that ``on`` and ``12:30`` are texts, which YAML 1.1 takes for a truth value and a number.
Does not know where a scalar stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

CORE = "tag:yaml.org,2002:"

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda raw: int(raw, base=0)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda raw: int(raw, base=0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda raw: float(raw.replace(".", ""))),
)
_LONGEST_NUMBER = 300
"""A longer one is a text: Python takes its time for numbers of thousands of digits."""

_TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
}


def resolve(raw: str) -> Any:
    """The value of a plain scalar."""
    if raw in _NULLS:
        return None
    if raw in _TRUTHS:
        return _TRUTHS[raw]
    if raw[0] in "+-.0123456789" and len(raw) <= _LONGEST_NUMBER:
        for pattern, read in _NUMBERS:
            if pattern.fullmatch(raw):
                return read(raw)
    return raw


def resolve_tagged(tag: str, raw: str) -> Any:
    """The value of a scalar with an explicit tag.

    Raises `ValueError` with a sentence where the tag is unknown or the text does not fit.
    """
    if tag in ("!", f"{CORE}str"):
        return raw
    name = tag.removeprefix(CORE)
    if name not in _TYPES:
        raise ValueError(f"unknown tag '{shown(tag)}', expected one of the YAML core schema")
    value = resolve(raw)
    if not isinstance(value, _TYPES[name]) or (name == "int" and isinstance(value, bool)):
        raise ValueError(f"'{raw}' is no value for the tag '{shown(tag)}'")
    return value


def shown(tag: str) -> str:
    """A tag as people write it."""
    return tag.replace(CORE, "!!", 1)
