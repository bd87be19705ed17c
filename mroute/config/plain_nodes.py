"""Reads JSON and TOML into nodes.

Knows the parsers of the standard library and what their errors say. Does not know where things are
in the text (spans).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from mroute.config.codes import Code
from mroute.config.nodes import Content, Entry, Fault, Node, Path, Style, mapping, sequence
from mroute.config.spans import Spans, json_spans, toml_spans
from mroute.config.yaml_nodes import MAX_NESTING, duplicate

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


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
        root = _node(value, (), spans, Node(None, 0, 1), 0)
    except RecursionError:
        message = f"mappings and lists are nested more than {MAX_NESTING} deep"
        return Content(None, (Fault(0, 1, Code.NESTING, message),))
    except ValueError as error:
        at, problem = _place(text, error)
        message = f"the file is not {language}: {problem[:1].lower()}{problem[1:]}"
        return Content(None, (Fault(at, at + 1, Code.SYNTAX, message),))
    return Content(root, tuple(duplicate(*each) for each in spans.repeated))


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


def _node(value: Any, path: Path, spans: Spans, parent: Node, depth: int) -> Node:
    """The node of a value; what has no place of its own is where its parent is."""
    if depth > MAX_NESTING:
        raise RecursionError
    default = spans.keys.get(path, (parent.start, parent.end))
    start, end, style = spans.values.get(path, (*default, Style.PLAIN))
    here = Node(value, start, end)
    if isinstance(value, dict):
        entries = {}
        for key, each in value.items():
            node = _node(each, (*path, key), spans, here, depth + 1)
            entries[key] = Entry(*spans.keys.get((*path, key), (node.start, node.end)), node)
        return mapping(entries, start, end)
    if isinstance(value, list):
        items = [_node(v, (*path, i), spans, here, depth + 1) for i, v in enumerate(value)]
        return sequence(items, start, end)
    return Node(value, start, end, value if isinstance(value, str) else "", style)
