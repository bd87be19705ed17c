"""Writes a YAML file in its canonical form.

Knows lines, indentation, and what stays on one line. Does not know where comments come from
(yaml_tree), the order of keys (order), how a text is quoted (scalars), or expressions
(mroute.expr).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mroute.config.nodes import Path
from mroute.expr import Language
from mroute.expr.layout import WIDTH, comments_of, format_expression
from mroute.formatting.order import order_at
from mroute.formatting.scalars import block_lines, folded_lines, is_plain, quote, write_scalar
from mroute.formatting.yaml_tree import (
    Alias,
    Collection,
    Document,
    Part,
    Remark,
    Scalar,
    Value,
    read_document,
)

_STEP = 2
_SCHEMA = re.compile(r"#\s*yaml-language-server:")


def format_yaml(text: str, expressions: Mapping[int, Language]) -> str:
    """The canonical form of a YAML text with line ends of one character.

    ``expressions`` says which texts are expressions, by the offset at which they begin.
    """
    document = read_document(text)
    writer = _Writer(expressions)
    lines = writer.document(document)
    return "\n".join(line.rstrip() if not line.strip() else line for line in lines) + "\n"


class _Writer:
    def __init__(self, expressions: Mapping[int, Language]) -> None:
        self._expressions = expressions

    def document(self, document: Document) -> list[str]:
        """All lines of a file."""
        root = document.root
        head = [] if document.marked else _head(root)
        lines = _remark_lines(_schema_first([*document.above, *head]), 0)
        if document.marked:
            lines.append("---")
        if isinstance(root, Collection) and self._breaks(root, 0):
            first = root.parts[0]
            _arrange(root, ())
            if head and (_opens(first) or root.parts[0] is not first):
                lines.append("")
            lines += self._collection(root, 0, ())
        else:
            lines.append(self._inline(root, flow=False) or "")
        return lines + _remark_lines(document.below, 0)

    # Mappings and lists below each other

    def _collection(self, owner: Collection, indent: int, path: Path) -> list[str]:
        lines: list[str] = []
        _arrange(owner, path)
        for number, part in enumerate(owner.parts):
            below = part.name if owner.is_mapping else number
            written = self._part(part, indent, (*path, below))
            lines += written[1:] if not lines and written and not written[0] else written
        return lines + _remark_lines(owner.below, indent)

    def _part(self, part: Part, indent: int, path: Path) -> list[str]:
        """The lines of an entry or item with its comments, and the blank line above it, if any."""
        start = " " * indent
        opening = self._key(part.key) + ":" if part.key else "-"
        value = part.value
        remark = value.remark if isinstance(value, Scalar) else ""
        beside = [each for each in (part.beside_key, remark, part.beside) if each]
        inline = self._fitting(value, indent + len(opening) + 1)
        if inline is not None:
            line = start + f"{opening} {inline}".rstrip()
            return [*self._above(part, beside[:-1], indent), *_beside([line], beside[-1:])]
        if isinstance(value, Scalar):
            opened, *body = self._block(value, indent + _STEP)
            first = _beside([f"{start}{opening} {value.properties}{opened}"], beside[-1:])
            return [*self._above(part, beside[:-1], indent), *first, *body]
        assert isinstance(value, Collection), "an alias fits on any line"
        body = self._collection(value, indent + _STEP, path)
        # On the line of a dash begins what it stands for, where nothing is said about that first.
        joins = not part.key and not value.properties and not beside
        if joins and not body[0].lstrip().startswith("#"):
            return [
                *self._above(part, [], indent),
                f"{start}- {body[0][indent + _STEP :]}",
                *body[1:],
            ]
        line = f"{start}{opening} {value.properties}".rstrip()
        return [
            *self._above(part, beside[:-1], indent),
            *_beside([line], beside[-1:]),
            *body,
        ]

    def _above(self, part: Part, others: Sequence[str], indent: int) -> list[str]:
        """The comments above a part, with those that have no place beside it."""
        lines = _remark_lines(part.above, indent)
        lines += [""] if part.blank else []
        return lines + [" " * indent + each for each in others]

    # One line

    def _fitting(self, value: Value, column: int) -> str | None:
        """A value on one line from ``column`` on; None where it has to go on below."""
        if isinstance(value, Collection) and self._breaks(value, column):
            return None
        if isinstance(value, Scalar):
            if value.content in self._expressions:
                return self._expression_line(value, column)
            if value.is_block and self._block(value, 0):
                return None
            if self._folds(value, column):
                return None
        return self._inline(value, flow=False)

    def _breaks(self, owner: Collection, column: int) -> bool:
        """Whether a mapping or list has a line for each of its parts."""
        if not owner.parts:
            return False
        if not owner.flow or owner.remarked:
            return True
        line = self._inline(owner, flow=True)
        return line is None or column + len(line) > WIDTH

    def _inline(self, value: Value, *, flow: bool) -> str | None:
        """A value on one line, however long; None where it has none."""
        if isinstance(value, Alias):
            return f"*{value.name}"
        if isinstance(value, Scalar):
            if value.content in self._expressions:
                return self._expression_line(value, 0, width=float("inf"), flow=flow)
            return value.properties + _write(value, flow=flow)
        parts = []
        for part in value.parts:
            text = self._inline(part.value, flow=True)
            if text is None:
                return None
            if part.key:
                text = f"{self._key(part.key, flow=True)}: {text or 'null'}"
            parts.append(text or "null")
        opening, closing = "{}" if value.is_mapping else "[]"
        return value.properties + opening + ", ".join(parts) + closing

    def _key(self, key: Scalar | Alias, *, flow: bool = False) -> str:
        if isinstance(key, Alias):
            return f"*{key.name} "
        if key.raw == "<<" and not key.style:
            return "<<"
        quoted = key.style in ("'", '"')
        return key.properties + write_scalar(key.raw, flow=flow, quoted=quoted)

    # Texts

    def _expression_line(
        self, scalar: Scalar, column: int, width: float = WIDTH, *, flow: bool = False
    ) -> str | None:
        language = self._expressions[scalar.content]
        text = format_expression(scalar.raw, language, float("inf"))
        if "\n" in text or comments_of(text, language):
            return None
        line = scalar.properties + write_scalar(text, flow=flow)
        return line if column + len(line) <= width else None

    def _block(self, scalar: Scalar, indent: int) -> list[str]:
        """The sign of a block and its lines; empty where the text cannot be in one."""
        margin = " " * indent
        if language := self._expressions.get(scalar.content):
            text = format_expression(scalar.raw, language, WIDTH - indent)
            return ["|", *(margin + line for line in text.split("\n"))]
        sign, lines = "|", block_lines(scalar.raw)
        if scalar.style == ">":
            sign, lines = ">", lines and _source_lines(scalar.source)
        elif not scalar.is_block:
            sign, lines = ">", folded_lines(scalar.raw, WIDTH - indent)
        if lines is None:
            return []
        chomp = "" if scalar.raw.endswith("\n") else "-"
        return [sign + chomp, *(margin + line if line else "" for line in lines)]

    def _folds(self, scalar: Scalar, column: int) -> bool:
        """Whether a text that its author had on several lines is too long for one."""
        if scalar.is_block or "\n" not in scalar.source or not isinstance(scalar.value, str):
            return False
        line = scalar.properties + _write(scalar, flow=False)
        return column + len(line) > WIDTH and bool(folded_lines(scalar.raw, WIDTH))


def _write(scalar: Scalar, *, flow: bool) -> str:
    """A value that is no expression, on one line."""
    quoted = bool(scalar.style)
    if scalar.tagged:
        # Behind a tag a text is what the tag says, but only syntax decides about quotes.
        plain = not quoted and (not scalar.raw or is_plain(f"x{scalar.raw}", flow=flow))
        return scalar.raw if plain else quote(scalar.raw)
    if isinstance(scalar.value, str):
        return write_scalar(scalar.raw, flow=flow, quoted=quoted)
    if isinstance(scalar.value, bool) or (scalar.value is None and scalar.raw):
        return "null" if scalar.value is None else str(scalar.value).lower()
    return scalar.raw


def _source_lines(source: str) -> list[str] | None:
    """The lines of a block as they are in the file, without their indentation."""
    header, *lines = source.rstrip().split("\n")
    if any(character.isdigit() for character in header.partition("#")[0]):
        return None
    margin = min(len(line) - len(line.lstrip(" ")) for line in lines if line.strip())
    return [line[margin:] for line in lines]


def _arrange(owner: Collection, path: Path) -> None:
    """Put keys into their canonical order, unless an alias would come before its anchor."""
    order = order_at(path) if owner.is_mapping else None
    if order is None:
        return
    parts = order.sort(owner.parts, lambda part: part.name)
    anchors = [_names(part, "&") for part in parts]
    for position, part in enumerate(parts):
        here = set().union(*anchors[: position + 1])
        later = set().union(*anchors[position + 1 :]) - here
        if _names(part, "*") & later:
            return
    if not path and parts[0] is not owner.parts[0] and _opens(parts[0]):
        # The section that was first gets the blank line of the one that is first now.
        _open(owner.parts[0])
    owner.parts = parts


def _names(part: Part, sign: str) -> set[str]:
    """The names of the anchors, or of the aliases, in a part."""
    found: set[str] = set()
    pending: list[Value | None] = [part.key, part.value]
    while pending:
        value = pending.pop()
        if isinstance(value, Alias):
            found |= {value.name} if sign == "*" else set()
            continue
        if value and sign == "&":
            found |= {each[1:] for each in value.properties.split() if each.startswith("&")}
        if isinstance(value, Collection):
            pending += [each for inner in value.parts for each in (inner.key, inner.value)]
    return found


# Comments and blank lines


def _opens(part: Part) -> bool:
    """Whether a blank line is before a part and its comments."""
    return part.above[0].blank if part.above else part.blank


def _open(part: Part) -> None:
    if part.above:
        part.above[0] = Remark(part.above[0].text, blank=True)
    else:
        part.blank = True


def _head(root: Value) -> list[Remark]:
    """Take the comments that are about the file away from its first key.

    Those are all up to the last blank line before the key; without one, all of them.
    """
    if not isinstance(root, Collection) or root.flow or not root.parts:
        return []
    first = root.parts[0]
    blanks = [place for place, each in enumerate(first.above) if place and each.blank]
    end = len(first.above) if first.blank or not blanks else blanks[-1]
    head, first.above = first.above[:end], first.above[end:]
    return head


def _schema_first(head: Sequence[Remark]) -> list[Remark]:
    """The comment that names the schema is the first line; nothing is between the others."""
    first = [each for each in head if _SCHEMA.match(each.text)]
    others = [each for each in head if not _SCHEMA.match(each.text)]
    return [Remark(each.text, blank=False) for each in first] + others


def _remark_lines(remarks: Sequence[Remark], indent: int) -> list[str]:
    lines = []
    for each in remarks:
        lines += [""] if each.blank else []
        lines.append(" " * indent + each.text)
    return lines


def _beside(lines: list[str], remarks: Sequence[str]) -> list[str]:
    return [*lines[:-1], *("  ".join([lines[-1], *remarks]),)]
