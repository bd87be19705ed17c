"""Where each character of a text value is in the file.

Knows quotes, escapes, line folding and the indentation of blocks. Does not know what the text says.
An expression that is written over several lines, or with escapes, can so be pointed into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mroute.config.nodes import Node, Style

_BREAKS = re.compile(r"[ \t]*(?:\r\n|\n|\r)(?:[ \t]*(?:\r\n|\n|\r))*[ \t]*")
_BREAK = re.compile(r"\r\n|\n|\r")
_CODE = r"x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|."
_ESCAPE = re.compile(rf"\\(?:{_CODE})")
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_CONTINUED = re.compile(r"\\[ \t]*(?:\r\n|\n|\r)\s*")

_QUOTE = {
    Style.PLAIN: 0,
    Style.SINGLE: 1,
    Style.DOUBLE: 1,
    Style.JSON: 1,
    Style.RAW: 1,
    Style.LINES: 3,
    Style.RAW_LINES: 3,
}
"""Characters that open and close a text of this style."""


def origins(text: str, node: Node) -> list[int]:
    """For each character of the value of ``node`` its offset in ``text``, and one for its end."""
    value = node.value if isinstance(node.value, str) else node.raw
    if node.style in (Style.LITERAL, Style.FOLDED):
        found = list(_block(text, node, value))
    else:
        found = list(_flow(text, node))
    # Where the two disagree, the start of the text is still right.
    found = found[: len(value)]
    found += [found[-1] + 1 if found else node.start] * (len(value) + 1 - len(found))
    return found


def _flow(text: str, node: Node) -> Iterator[int]:
    quote = _QUOTE[node.style]
    at, end = node.start + quote, max(node.start + quote, node.end - quote)
    one = _READERS[node.style]
    if node.style in (Style.LINES, Style.RAW_LINES) and (found := _BREAK.match(text, at)):
        at = found.end()
    while at < end:
        offsets, at = one(text, at)
        yield from offsets


def _folding(text: str, at: int) -> tuple[list[int], int]:
    """One line break is a space; of several, all but the first are kept."""
    if text[at] in " \t\r\n" and (found := _BREAKS.match(text, at)):
        breaks = len(_BREAK.findall(found.group()))
        return [found.start()] * max(1, breaks - 1), found.end()
    return [at], at + 1


def _single(text: str, at: int) -> tuple[list[int], int]:
    return ([at], at + 2) if text.startswith("''", at) else _folding(text, at)


def _double(text: str, at: int) -> tuple[list[int], int]:
    if text[at] != "\\":
        return _folding(text, at)
    if found := _CONTINUED.match(text, at):
        return [], found.end()
    return _escape(text, at)


def _json(text: str, at: int) -> tuple[list[int], int]:
    if found := _PAIR.match(text, at):
        return [at], found.end()
    return _escape(text, at)


def _raw(text: str, at: int) -> tuple[list[int], int]:
    # A TOML parser takes \r\n for \n.
    return [at], at + (2 if text.startswith("\r\n", at) else 1)


def _lines(text: str, at: int) -> tuple[list[int], int]:
    if found := _CONTINUED.match(text, at):
        return [], found.end()
    return _escape(text, at) if text[at] == "\\" else _raw(text, at)


def _escape(text: str, at: int) -> tuple[list[int], int]:
    found = _ESCAPE.match(text, at)
    return [at], found.end() if found else at + 1


_READERS: dict[Style, Callable[[str, int], tuple[list[int], int]]] = {
    Style.PLAIN: _folding,
    Style.SINGLE: _single,
    Style.DOUBLE: _double,
    Style.JSON: _json,
    Style.RAW: _raw,
    Style.LINES: _lines,
    Style.RAW_LINES: _raw,
}
"""From the offset of a character or escape: the offsets of what it stands for, and what follows."""


def _block(text: str, node: Node, value: str) -> Iterator[int]:
    """The lines of a block, less their indentation.

    How many line breaks are left between two lines of a folded block depends on how these begin;
    the value itself tells.
    """
    found = _BREAK.search(text, node.start)
    at = found.end() if found else node.end
    indent = _indentation(text, at, node, text[node.start : at])
    number = 0
    while number < len(value) and at < len(text):
        end = _end_of_line(text, at)
        written = range(min(at + indent, end), end)
        breaks, at = _breaks(text, end, indent)
        yield from written
        number += len(written)
        behind = value[number : number + len(breaks)]
        kept = len(behind) - len(behind.lstrip("\n"))
        # Where none is kept, the first became a space.
        left = breaks[len(breaks) - kept :] if kept else breaks[:1]
        yield from left
        number += len(left)


def _breaks(text: str, end: int, indent: int) -> tuple[list[int], int]:
    """The line break at ``end``, those of the empty lines behind it, and where the next begins."""
    breaks: list[int] = []
    while found := _BREAK.match(text, end):
        breaks.append(end)
        at = found.end()
        end = _end_of_line(text, at)
        if end - at > indent or text[at:end].strip(" ") or end == len(text):
            return breaks, at
    return breaks, len(text)


def _end_of_line(text: str, at: int) -> int:
    found = _BREAK.search(text, at)
    return found.start() if found else len(text)


def _indentation(text: str, at: int, node: Node, header: str) -> int:
    """The columns that a block is indented by: those of its first line that has any text."""
    first = re.compile(r"(?:[ ]*(?:\r\n|\n|\r))*([ ]*)").match(text, at)
    indent = len(first.group(1)) if first else 0
    if given := re.search(r"[1-9]", header.split("#")[0]):
        # An explicit number counts from the indentation of the line that the block belongs to.
        line = text[text.rfind("\n", 0, node.start) + 1 : node.start]
        indent = len(line) - len(line.lstrip(" -")) + int(given.group())
    return indent
