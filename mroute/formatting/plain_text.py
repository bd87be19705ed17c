"""Writes JSON and TOML files in their canonical form.

Knows that JSON has no comments and is written anew, while of TOML only expressions, line ends and
blank lines are changed: its keys and comments stay where they are. Does not know YAML.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mroute.config.nodes import Node, Path, Style
from mroute.config.source import Source
from mroute.expr.layout import comments_of, format_expression
from mroute.formatting.content import Expressions
from mroute.formatting.order import order_at

_ONE_LINE = float("inf")


def format_json(source: Source, expressions: Expressions) -> str:
    """The canonical form of a JSON file: keys in order, an indentation of two."""

    def written(node: Node, path: Path) -> Any:
        if node.entries is not None:
            keys = list(node.entries)
            if order := order_at(path):
                keys = order.sort(keys, str)
            return {key: written(node.entries[key].node, (*path, key)) for key in keys}
        if node.items is not None:
            return [written(each, (*path, place)) for place, each in enumerate(node.items)]
        if found := expressions.get(node.start):
            return format_expression(node.value, found[1], _ONE_LINE)
        return node.value

    return json.dumps(written(source.root, ()), indent=2, ensure_ascii=False) + "\n"


def format_toml(source: Source, expressions: Expressions) -> str:
    """The canonical form of a TOML file whose line ends are single characters."""
    text = source.text
    for start, (node, language) in sorted(expressions.items(), reverse=True):
        single = node.style not in (Style.LINES, Style.RAW_LINES)
        if single and not comments_of(node.value, language):
            formatted = format_expression(node.value, language, _ONE_LINE)
            text = text[:start] + json.dumps(formatted, ensure_ascii=False) + text[node.end :]
    if '"""' in text or "'''" in text:  # what looks like a blank may be a part of a value
        return text.rstrip("\n") + "\n"
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
