"""The content of a file as a tree in which everything has its place.

Knows values and offsets into the text. Does not know which language the text is in, or what any
value means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from mroute.config.codes import Code

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions that lead from the top of a file to a value."""

MAX_NESTING = 50
"""Mappings and lists within each other."""

TOO_DEEP = f"mappings and lists are nested more than {MAX_NESTING} deep"


class Style(StrEnum):
    """How a text is written; where its characters are in the file follows from that."""

    PLAIN = "plain"
    SINGLE = "single-quoted"
    DOUBLE = "double-quoted"
    LITERAL = "literal block"
    FOLDED = "folded block"
    JSON = "JSON text"
    RAW = "TOML literal text"
    LINES = "TOML text of several lines"
    RAW_LINES = "TOML literal text of several lines"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value and where it is written, from offset ``start`` to ``end``.

    A scalar has its ``raw`` text and its ``style``; a mapping has ``entries``, a list ``items``.
    """

    value: Any
    start: int
    end: int
    raw: str = ""
    style: Style = Style.PLAIN
    entries: Mapping[str, Entry] | None = None
    items: Sequence[Node] | None = None
    weight: int = 1

    def entry(self, key: str | int) -> Entry | None:
        """The entry of a mapping, or None."""
        return self.entries.get(key) if self.entries and isinstance(key, str) else None

    def child(self, step: str | int) -> Node | None:
        """The value under a key of a mapping, or at a position of a list; None if there is none."""
        if entry := self.entry(step):
            return entry.node
        if self.items is not None and isinstance(step, int) and 0 <= step < len(self.items):
            return self.items[step]
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key of a mapping, from offset ``start`` to ``end``, and its value."""

    start: int
    end: int
    node: Node


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the text itself, from offset ``start`` to ``end``."""

    start: int
    end: int
    code: Code
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What was read from a text; ``root`` is None where it could not be read to its end."""

    root: Node | None
    faults: Sequence[Fault] = ()


def mapping(entries: Mapping[str, Entry], start: int, end: int) -> Node:
    """The node of a mapping."""
    value = {key: entry.node.value for key, entry in entries.items()}
    weight = 1 + sum(entry.node.weight for entry in entries.values())
    return Node(value, start, end, entries=entries, weight=weight)


def sequence(items: Sequence[Node], start: int, end: int) -> Node:
    """The node of a list."""
    weight = 1 + sum(item.weight for item in items)
    return Node([item.value for item in items], start, end, items=items, weight=weight)
