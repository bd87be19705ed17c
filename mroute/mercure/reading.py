"""Reads mercure.json, or says why it is none.

Knows what makes a JSON file a configuration of mercure. Does not know what is in its entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mroute.config.codes import Code
from mroute.config.nodes import Content, Node
from mroute.config.plain_nodes import read_json
from mroute.config.source import MAX_BYTES, Source
from mroute.errors import ConfigurationError, Problem

SECTIONS = ("targets", "rules", "modules")
"""The keys whose values hold named entries."""

_HINT = "give the file 'mercure.json' of mercure's folder 'config'"


def read_configuration(path: Path) -> Mapping[str, Any]:
    """The content of ``path``, with all three sections; an absent one is empty.

    Raises `ConfigurationError` where it is not JSON, or not a configuration of mercure.
    """
    text = _text(path)
    content: Content = read_json(text)
    root = content.root or Node(None, 0, 1)
    source = Source(str(path), text, root, content.faults)
    problems = [*source.problems] or _problems(source, root)
    if problems:
        raise ConfigurationError(problems)
    return {**root.value, **{each: root.value.get(each) or {} for each in SECTIONS}}


def _problems(source: Source, root: Node) -> list[Problem]:
    if root.entries is None:
        message = "the file holds no JSON object, expected a configuration of mercure"
        return [source.at_node(root, Code.NO_MAPPING, message, _HINT)]
    found = [root.entries[each] for each in SECTIONS if each in root.entries]
    if not found:
        wanted = "none of the keys 'rules', 'targets' and 'modules'"
        message = f"this is no configuration of mercure: it has {wanted}"
        return [source.at_node(root, Code.MISSING, message, _HINT)]
    return [
        source.at_node(
            entry.node,
            Code.TYPE,
            f"'{source.text[entry.start : entry.end].strip(chr(34))}' is no JSON object, "
            "expected one with an entry for each name",
        )
        for entry in found
        if entry.node.entries is None and entry.node.value is not None
    ]


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise _unreadable(path, "this is a folder, expected a configuration of mercure")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise _unreadable(path, f"the file cannot be read: {reason}") from error
    if len(content) > MAX_BYTES:
        limit = MAX_BYTES // 1024 // 1024
        raise _unreadable(path, f"the file is larger than {limit} MB, the most that is read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        source = Source(str(path), before, Node(None, 0, 1))
        message = f"the file is not UTF-8: byte 0x{content[error.start]:02x}"
        at = len(before)
        raise ConfigurationError(
            [source.problem(at, at + 1, Code.ENCODING, message, "save the file as UTF-8")]
        ) from error


def _unreadable(path: Path, message: str) -> ConfigurationError:
    return ConfigurationError([Problem(message, Code.UNREADABLE, _HINT, file=str(path))])
