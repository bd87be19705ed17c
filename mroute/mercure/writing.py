"""Writes a rule file as a person would: short things on one line, a blank line between entries.

Knows YAML's styles, and that a text has to be read back as the same text by the core schema of YAML
1.2. Does not know what the content means.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from mroute.config.yaml_scalars import CORE, resolve

FIRST_LINES = """\
# yaml-language-server: $schema=rules.schema.json
#
# Imported from a mercure configuration. What the report of the import lists has to be looked at.
"""

_WIDTH = 100
_ONE_LINE = 84
"""Characters of the longest list or mapping that is written on one line."""

_BLOCKS = frozenset({"rules", "modules", "targets"})
"""Sections whose entries stand on lines of their own."""

_TAGS = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
_OF_YAML_ONE_ONE = ("<<", "=")
_OTHER_BREAKS = "\r\x85\u2028\u2029"
"""What YAML 1.1 takes for the end of a line; in double quotes it is escaped."""


class _Dumper(yaml.SafeDumper):
    """A dumper that quotes what YAML 1.2 would not read as a text, and only that."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag that a plain scalar has for its reader."""
        if kind is yaml.ScalarNode and implicit[0] and value not in _OF_YAML_ONE_ONE:
            return CORE + _TAGS[type(resolve(value))]
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]

    def choose_scalar_style(self) -> Any:
        """Double quotes where single ones would be doubled, on a line that is not broken."""
        style = super().choose_scalar_style()
        value: str = getattr(self.event, "value", "")
        doubled = style == "'" and "'" in value and not {'"', "\\"} & set(value)
        return '"' if doubled and len(value) <= _ONE_LINE else style

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out, also what is there twice."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists below their key."""
        super().increase_indent(flow, False)


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    # A block where the lines are the text's own; PyYAML falls back to quotes where it has to.
    block = "\n" in value and not value.startswith((" ", "\n"))
    style = '"' if any(each in value for each in _OTHER_BREAKS) else "|" if block else None
    return dumper.represent_scalar(f"{CORE}str", value, style=style)


def _mapping(dumper: _Dumper, value: dict[str, Any]) -> yaml.MappingNode:
    return dumper.represent_mapping(f"{CORE}map", value.items(), flow_style=_is_short(value))


def _sequence(dumper: _Dumper, value: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence(f"{CORE}seq", value, flow_style=_is_short(value))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)


def write_rule_file(content: Mapping[str, Any]) -> str:
    """The text of a rule file with this ``content``."""
    parts = [FIRST_LINES.rstrip()]
    for key, value in content.items():
        if key in _BLOCKS and isinstance(value, dict) and value:
            parts.append(f"{key}:\n{_entries(value, apart=key != 'targets')}")
        elif isinstance(value, dict):
            parts.append(_dump({key: value}))
        else:
            parts[-1] += "\n" + _dump({key: value})
    return "\n\n".join(parts) + "\n"


def _entries(entries: Mapping[str, Any], apart: bool) -> str:
    dumped = []
    for name, entry in entries.items():
        text = _dump({name: entry})
        if apart and isinstance(entry, dict) and entry:
            # The entry itself is never on one line, however short.
            text = _dump({name: None}).removesuffix(" null") + "\n"
            text += textwrap.indent("\n".join(_dump({k: v}) for k, v in entry.items()), "  ")
        dumped.append(textwrap.indent(text, "  "))
    return ("\n\n" if apart else "\n").join(dumped)


def _dump(value: dict[str, Any]) -> str:
    """One key with its value, the key itself on a line of its own."""
    (key, below), *_ = value.items()
    root = _Block({key: below})
    text: str = yaml.dump(root, Dumper=_Dumper, allow_unicode=True, width=_WIDTH, sort_keys=False)
    return text.removesuffix("\n")


class _Block(dict[str, Any]):
    """A mapping that is written in lines, however short it is."""


def _block(dumper: _Dumper, value: _Block) -> yaml.MappingNode:
    return dumper.represent_mapping(f"{CORE}map", value.items(), flow_style=False)


_Dumper.add_representer(_Block, _block)


def _is_short(value: Any) -> bool:
    """Whether a list or mapping fits on one line: about as long as JSON would make it."""
    return _length(value) <= _ONE_LINE


def _length(value: Any) -> int:
    if isinstance(value, str):
        return _ONE_LINE + 1 if "\n" in value else len(value) + 2
    if isinstance(value, dict):
        return sum(len(key) + _length(each) + 4 for key, each in value.items())
    if isinstance(value, list):
        return sum(_length(each) + 2 for each in value)
    return len(str(value))
