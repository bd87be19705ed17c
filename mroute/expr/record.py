"""Values with named parts, such as a date with its year: their type, and the values themselves.

Knows what a record declares about itself. Does not know which records there are (the functions that
give them), how one is made of a function's result (calls), or how two compare (operators).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from mroute.expr.language import Type

_NAME = re.compile(r"[a-z][a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Record:
    """A type with named parts, for the results of a function.

    Args:
        name: what messages call such a value: "person".
        parts: the type of each part by its name, which is of small letters and digits.
        ordered: whether ``<`` compares two of them, by their parts in the order given here; those
            are texts and numbers then.

    Raises `ValueError` for names and types that cannot be.
    """

    name: str
    parts: Mapping[str, Type]
    ordered: bool = False

    def __post_init__(self) -> None:
        for name in (self.name, *self.parts):
            if not _NAME.fullmatch(name):
                raise ValueError(f"record '{self.name}': '{name}' is not of small letters")
        allowed = (Type.TEXT, Type.NUMBER) if self.ordered else tuple(Type)
        for name, kind in self.parts.items():
            if kind not in allowed:
                raise ValueError(f"record '{self.name}': part '{name}' cannot be of type '{kind}'")
        object.__setattr__(self, "parts", MappingProxyType(dict(self.parts)))

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.parts)))

    def __str__(self) -> str:
        return self.name


Kind: TypeAlias = Type | Record
"""The type of a value, as the checker knows it."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordValue:
    """A value of the type ``kind``; every part is there, some may be unknown.

    Two are compared by the operators of the language only.
    """

    kind: Record
    parts: Mapping[str, Any]
