"""Reads JSON and TOML into nodes.

Knows the parsers of the standard library and what their errors say. Does not know where things are
in the text (spans).
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from mroute.config.codes import Code
from mroute.config.nodes import (
    MAX_NESTING,
    TOO_DEEP,
    Content,
    Entry,
    Fault,
    Node,
    Path,
    Style,
    mapping,
    sequence,
)
from mroute.config.spans import Spans, json_spans, toml_spans
from mroute.config.yaml_nodes import duplicate, not_finite

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HALF = re.compile("[\ud800-\udfff]")


def read_json(text: str) -> Content:
    """Read a JSON text."""
    return _read(text, "JSON", partial(json.loads, parse_constant=_refuse), json_spans)


def read_toml(text: str) -> Content:
    """Read a TOML text."""
    return _read(text, "TOML", tomllib.loads, toml_spans)


def _read(
    text: str, language: str, parse: Callable[[str], Any], locate: Callable[[str], Spans]
) -> Content:
    try:
        value = parse(text)
        spans = locate(text)
        faults = [duplicate(*each) for each in spans.repeated]
        root = _Builder(spans, faults).node(value, (), Node(None, 0, 1))
    except RecursionError:
        return Content(None, (Fault(0, 1, Code.NESTING, TOO_DEEP),))
    except ValueError as error:
        at, problem = _place(text, error)
        message = f"the file is not {language}: {problem[:1].lower()}{problem[1:]}"
        return Content(None, (Fault(at, at + 1, Code.SYNTAX, message),))
    return Content(root, tuple(faults))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"'{constant}' is not a number of JSON")


def _place(text: str, error: ValueError) -> tuple[int, str]:
    if isinstance(error, json.JSONDecodeError):
        return error.pos, error.msg
    message = str(error)
    found = _TOML_PLACE.search(message)
    if found is None:
        # Python's own message about this one is for programmers.
        return 0, "a number has too many digits" if "4300 digits" in message else message
    problem = message[: found.start()]
    if found.group(1) is None:
        return len(text), problem
    lines = text.split("\n")
    number = int(found.group(1)) - 1
    return sum(len(line) + 1 for line in lines[:number]) + int(found.group(2)) - 1, problem


class _Builder:
    """Makes nodes of values; what has no place of its own is where its parent is."""

    def __init__(self, spans: Spans, faults: list[Fault]) -> None:
        self._spans = spans
        self._faults = faults

    def node(self, value: Any, path: Path, parent: Node) -> Node:
        """The node of a value and of all within it."""
        if len(path) > MAX_NESTING:
            raise RecursionError
        default = self._spans.keys.get(path, (parent.start, parent.end))
        start, end, style = self._spans.values.get(path, (*default, Style.PLAIN))
        here = Node(value, start, end)
        if isinstance(value, dict):
            return mapping(
                {key: self._entry(key, each, path, here) for key, each in value.items()}, start, end
            )
        if isinstance(value, list):
            items = [self.node(each, (*path, i), here) for i, each in enumerate(value)]
            return sequence(items, start, end)
        if isinstance(value, str):
            self._check(value, start, end)
        if isinstance(value, float) and not math.isfinite(value):
            self._faults.append(not_finite(str(value), start, end))
        return Node(value, start, end, value if isinstance(value, str) else "", style)

    def _entry(self, key: str, value: Any, path: Path, parent: Node) -> Entry:
        node = self.node(value, (*path, key), parent)
        start, end = self._spans.keys.get((*path, key), (node.start, node.end))
        self._check(key, start, end)
        return Entry(start, end, node)

    def _check(self, text: str, start: int, end: int) -> None:
        """JSON can write half a character, with which nothing can be done."""
        if half := _HALF.search(text):
            message = f"the text holds {half.group()!a}, which is half a character"
            self._faults.append(Fault(start, end, Code.ENCODING, message, "write it whole"))
