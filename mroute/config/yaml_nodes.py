"""Reads YAML into nodes.

Knows anchors, aliases and merge keys, and keeps them within bounds. Does not know what a plain
scalar stands for (yaml_scalars) or why a text is no YAML (yaml_faults).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from mroute.config.codes import Code
from mroute.config.nodes import (
    MAX_NESTING,
    TOO_DEEP,
    Content,
    Entry,
    Fault,
    Node,
    Style,
    mapping,
    sequence,
)
from mroute.config.yaml_faults import forbidden_character, syntax_fault
from mroute.config.yaml_scalars import CORE, resolve, resolve_tagged, shown

# The C parser is ten times as fast; both read the same.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_ALIASED = 100_000
"""Values that aliases may add to a file: ten lines of aliases can stand for billions."""

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_STYLES = {"'": Style.SINGLE, '"': Style.DOUBLE, "|": Style.LITERAL, ">": Style.FOLDED}
_MERGE = "<<"


class _StoppedError(Exception):
    """Reading on makes no sense; the fault is told already."""


def read_yaml(text: str) -> Content:
    """Read a YAML document; all faults are collected, and the first of the syntax ends reading."""
    if fault := forbidden_character(text):
        return Content(None, (fault,))
    builder = _Builder(text)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        builder.root = None
        builder.faults.append(syntax_fault(text, error))
    except _StoppedError:
        builder.root = None
    return Content(builder.root, tuple(builder.faults))


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end was not read yet."""

    start: int
    anchor: str | None
    is_mapping: bool
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    merged: list[Node] = field(default_factory=list)
    key: Node | None = None


class _Builder:
    """Makes nodes of the events of one document, without recursion."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._aliased = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        start, end = event.start_mark.index, event.end_mark.index
        match event:  # what there is most of comes first
            case yaml.ScalarEvent():
                self._add(self._scalar(event), event.anchor)
            case yaml.CollectionStartEvent():
                self._begin(event)
            case yaml.CollectionEndEvent():
                ended = self._open.pop()
                self._add(self._collection(ended, end), ended.anchor)
            case yaml.AliasEvent():
                self._add(self._alias(str(event.anchor), start, end), None)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop(start, end, Code.SYNTAX, "a second document begins, expected one")

    def _begin(self, event: Any) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        start, end = event.start_mark.index, event.end_mark.index
        if event.tag not in (None, "!", f"{CORE}map" if is_mapping else f"{CORE}seq"):
            message = f"unknown tag '{shown(event.tag)}', expected one of the YAML core schema"
            self._fault(start, end, Code.TAG, message, "remove the tag")
        if len(self._open) == MAX_NESTING:
            self._stop(start, start + 1, Code.NESTING, TOO_DEEP)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open(self._behind_properties(event), event.anchor, is_mapping))

    def _scalar(self, event: Any) -> Node:
        start, end = self._behind_properties(event), event.end_mark.index
        style = _STYLES.get(event.style or "", Style.PLAIN)
        value: Any = event.value
        if event.tag is not None:
            try:
                value = resolve_tagged(event.tag, event.value)
            except ValueError as error:
                self._fault(event.start_mark.index, end, Code.TAG, str(error), "remove the tag")
        elif style is Style.PLAIN:
            value = resolve(event.value)
        if isinstance(value, float) and not math.isfinite(value):
            self.faults.append(not_finite(event.value, start, end))
        return Node(value, start, end, event.value, style)

    def _behind_properties(self, event: Any) -> int:
        start: int = event.start_mark.index
        if event.anchor or event.tag:
            properties = _PROPERTIES.match(self.text, start, event.end_mark.index)
            return properties.end() if properties else start
        return start

    def _alias(self, anchor: str, start: int, end: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            what = "holds itself" if anchor in self._anchors else "has no anchor before it"
            self._stop(start, end, Code.ALIAS, f"the alias '*{anchor}' {what}")
        self._aliased += node.weight
        if self._aliased > MAX_ALIASED:
            message = f"the aliases of the file stand for more than {MAX_ALIASED:,} values"
            self._stop(start, end, Code.ALIAS, message, "write out what differs, or use less")
        return node

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            key, parent.key = parent.key, None
            self._add_entry(parent, key, node)

    def _add_entry(self, parent: _Open, key: Node, node: Node) -> None:
        if key.entries is not None or key.items is not None:
            message = "a key must be a text, not a mapping or list"
            self._fault(key.start, key.start + 1, Code.KEY, message)
        elif key.raw == _MERGE and key.style is Style.PLAIN:
            self._merge(parent, node)
        elif key.raw in parent.entries:
            self.faults.append(duplicate(key.raw, key.start, key.end))
        else:
            parent.entries[key.raw] = Entry(key.start, key.end, node)

    def _merge(self, parent: _Open, node: Node) -> None:
        for each in (node,) if node.items is None else node.items:
            if each.entries is None:
                message = "'<<' merges mappings, and this is none"
                self._fault(each.start, each.end, Code.ALIAS, message, "write <<: *name")
            else:
                parent.merged.append(each)

    def _collection(self, ended: _Open, end: int) -> Node:
        if not ended.is_mapping:
            return sequence(ended.items, ended.start, end)
        for each in ended.merged:
            for key, entry in (each.entries or {}).items():
                ended.entries.setdefault(key, entry)
        return mapping(ended.entries, ended.start, end)

    def _fault(self, start: int, end: int, code: Code, message: str, hint: str = "") -> None:
        self.faults.append(Fault(start, end, code, message, hint))

    def _stop(self, start: int, end: int, code: Code, message: str, hint: str = "") -> NoReturn:
        self._fault(start, end, code, message, hint)
        raise _StoppedError


def duplicate(key: str, start: int, end: int) -> Fault:
    """The fault of a key that is in its mapping already."""
    message = f"the key '{key}' is there twice"
    return Fault(start, end, Code.DUPLICATE_KEY, message, "rename or remove one of the two")


def not_finite(number: str, start: int, end: int) -> Fault:
    """The fault of an infinite number, or of none at all: settings go into task files."""
    message = f"'{number}' is not a finite number, and JSON, which task files are, has no other"
    hint = "write a finite number, or a text in quotes"
    return Fault(start, end, Code.VALUE, message, hint)
