"""A YAML file as it is written: styles, anchors and blank lines, and each comment at its place.

Knows which entry of a mapping, or item of a list, a comment belongs to. Does not know how any of it
is written again (yaml_text), or what it means.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, TypeAlias

import yaml

from mroute.config.yaml_nodes import LOADER
from mroute.config.yaml_scalars import resolve, shown

_COMMENT = re.compile(r"(?:^|(?<=[ \t\n]))#[^\n]*", re.MULTILINE)
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#[^\n]*)?")


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on a line of its own; ``blank`` where the line above it is blank."""

    text: str
    blank: bool


@dataclass(slots=True, eq=False)
class Scalar:
    """One value. ``content`` is where it begins behind its properties, an anchor and a tag.

    ``value`` is None, a truth value, a number or a text; ``raw`` what it was read from; ``style``
    one of ``'"|>``, or empty for a plain one. ``remark`` is the comment behind a block's sign,
    ``lines`` how many lines it has.
    """

    start: int
    end: int
    properties: str
    content: int
    value: Any
    raw: str
    style: str
    source: str
    tagged: bool = False
    remark: str = ""

    @property
    def is_block(self) -> bool:
        """Whether it is written below its key."""
        return self.style in ("|", ">")


@dataclass(slots=True, eq=False)
class Alias:
    """What stands for a value with an anchor."""

    start: int
    end: int
    name: str


@dataclass(slots=True, eq=False)
class Collection:
    """A mapping or a list; ``below`` are comments behind its last part.

    ``remarked`` says of one in brackets that there are comments between them.
    """

    start: int
    end: int
    properties: str
    is_mapping: bool
    flow: bool
    parts: list[Part] = field(default_factory=list)
    below: list[Remark] = field(default_factory=list)
    remarked: bool = False


Value: TypeAlias = Scalar | Alias | Collection


@dataclass(slots=True, eq=False)
class Part:
    """An entry or item, from its key or dash on; ``opened`` is where that ends.

    ``above`` are the comments before it; ``beside_key`` and ``beside`` those on the line of its key
    or dash, and of the end of its value; ``blank`` says that the line above its first is blank.
    """

    key: Scalar | Alias | None
    value: Value
    start: int
    opened: int
    blank: bool = False
    above: list[Remark] = field(default_factory=list)
    beside_key: str = ""
    beside: str = ""

    @property
    def name(self) -> str:
        """The key as the reader takes it."""
        return self.key.raw if isinstance(self.key, Scalar) else ""


@dataclass(slots=True, eq=False)
class Document:
    """The only document of a file; ``marked`` where ``---`` is before it, behind ``above``."""

    root: Value
    marked: bool
    above: list[Remark] = field(default_factory=list)
    below: list[Remark] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def read_document(text: str) -> Document:
    """Read a YAML text that the reader of rule files takes, with line ends of one character."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        tokens: Iterator[Any] = yaml.scan(text, Loader=LOADER)
        self._dashes = [
            token.start_mark.index for token in tokens if token.id == yaml.BlockEntryToken.id
        ]
        self._scalars: list[Scalar] = []
        self._comments: list[tuple[int, str]] = []
        self._next = 0

    def document(self) -> Document:
        """The whole file."""
        events = iter(yaml.parse(self._text, Loader=LOADER))
        start: Any = next(e for e in events if type(e) is yaml.DocumentStartEvent)
        root = self._value(next(events), events)
        self._comments = list(self._find_comments())
        every = [comment for _, comment in self._comments]
        every += [each.remark for each in self._scalars if each.remark]
        document = Document(root, bool(start.explicit), comments=every)
        if start.explicit:
            document.above = self._before(start.end_mark.index)
        if isinstance(root, Collection):
            self._attach(root, len(self._text), -1)
        document.below = self._before(len(self._text))
        return document

    # What is written

    def _value(self, event: Any, events: Iterator[Any]) -> Value:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.AliasEvent):
            return Alias(start, end, str(event.anchor))
        properties = f"&{event.anchor} " if event.anchor else ""
        if event.tag:
            properties += f"{shown(event.tag)} "
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, start, end, properties)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        found = Collection(start, end, properties, is_mapping, bool(event.flow_style))
        while not isinstance(inner := next(events), yaml.CollectionEndEvent):
            found.parts.append(self._part(found, inner, events))
        end_mark: Any = inner.end_mark
        found.end = end_mark.index
        return found

    def _part(self, owner: Collection, event: Any, events: Iterator[Any]) -> Part:
        value = self._value(event, events)
        if owner.is_mapping:
            assert not isinstance(value, Collection), "the reader refuses such a key"
            return Part(value, self._value(next(events), events), value.start, value.end)
        if owner.flow:
            return Part(None, value, value.start, value.start)
        dash = self._dashes[bisect.bisect_left(self._dashes, value.start) - 1]
        return Part(None, value, dash, dash + 1)

    def _scalar(self, event: Any, start: int, end: int, properties: str) -> Scalar:
        found = _PROPERTIES.match(self._text, start, end) if properties else None
        content = found.end() if found else start
        source = self._text[content:end]
        style = event.style if event.style in ("'", '"', "|", ">") else ""
        value = resolve(event.value) if not style and not event.tag else event.value
        scalar = Scalar(start, end, properties, content, value, event.value, style, source)
        scalar.tagged = bool(event.tag)
        if scalar.is_block and (header := _HEADER.match(source)) and header.group(1):
            scalar.remark = header.group(1).rstrip()
        self._scalars.append(scalar)
        return scalar

    # Where comments are

    def _find_comments(self) -> Iterator[tuple[int, str]]:
        at = 0
        ends = [(each.content, each.end) for each in self._scalars if each.end > each.content]
        for start, end in [*ends, (len(self._text), len(self._text))]:
            for found in _COMMENT.finditer(self._text, at, start):
                yield found.start(), found.group().rstrip()
            at = end

    def _attach(self, owner: Collection, limit: int, column: int) -> None:
        """Give the parts of ``owner`` their comments; what is before ``limit`` may be its own."""
        own = self._column(owner.parts[0].start) if owner.parts else column
        for part, following in zip_longest(owner.parts, owner.parts[1:]):
            part.above += self._before(part.start)
            part.blank = self._alone(part.start) and self._blank_above(part.start)
            self._attach_value(part, own, following.start if following else limit)
        while self._next < len(self._comments) and self._comments[self._next][0] < limit:
            start, _ = self._comments[self._next]
            # A list may begin in the column of its key: what is there is about the next key.
            if not owner.flow and (self._column(start) < own or own == column):
                break
            owner.below.append(self._take())

    def _attach_value(self, part: Part, column: int, limit: int) -> None:
        value = part.value
        while (start := self._peek()) < max(value.start, part.opened):
            if not part.beside_key and not self._broken(part.opened, start):
                part.beside_key = self._take().text
            elif isinstance(value, Collection) and not value.flow:
                break
            else:
                if part.beside_key:  # what it begins goes on in this one
                    part.above.append(Remark(part.beside_key, blank=False))
                    part.beside_key = ""
                part.above.append(self._take())
        if isinstance(value, Collection):
            inside = self._peek() < value.end
            value.remarked = value.flow and inside
            self._attach(value, value.end if value.flow else limit, column)
        if self._peek() < limit and not self._broken(max(value.end, part.opened), self._peek()):
            part.beside = self._take().text

    def _peek(self) -> int:
        """Where the next comment is; behind everything where there is none."""
        comments = self._comments
        return comments[self._next][0] if self._next < len(comments) else len(self._text) + 1

    def _take(self) -> Remark:
        start, text = self._comments[self._next]
        self._next += 1
        return Remark(text, self._alone(start) and self._blank_above(start))

    def _before(self, limit: int) -> list[Remark]:
        taken = []
        while self._peek() < limit:
            taken.append(self._take())
        return taken

    def _broken(self, start: int, end: int) -> bool:
        """Whether a line ends between two offsets, or one ends at the first."""
        return "\n" in self._text[start:end] or self._alone(end)

    def _alone(self, offset: int) -> bool:
        line = self._lines[bisect.bisect_right(self._lines, offset) - 1]
        return not self._text[line:offset].strip()

    def _column(self, offset: int) -> int:
        return offset - self._lines[bisect.bisect_right(self._lines, offset) - 1]

    def _blank_above(self, offset: int) -> bool:
        line = bisect.bisect_right(self._lines, offset) - 1
        return line > 0 and not self._text[self._lines[line - 1] : self._lines[line]].strip()
