"""The tags without which a clause is unknown.

Knows which parts of an expression are unknown as soon as anything in them is. Does not know what
they come to otherwise.
"""

from __future__ import annotations

from typing import Final

from mroute.expr.nodes import (
    Attribute,
    Binary,
    Call,
    Compare,
    Index,
    Literal,
    Method,
    Node,
    Slice,
    Tag,
    Unary,
    children,
)

_STRICT: Final = (Attribute, Binary, Index, Literal, Method, Slice, Unary)
"""Unknown wherever one of their parts is."""

_ANSWERING: Final = frozenset({"has", "any", "all"})
"""Functions that may answer although something in their argument is unknown."""


def needed_tags(clause: Node) -> list[Tag]:
    """Tags of ``clause``, in the order of the text, without any of which it is unknown.

    There may be more of them: only what cannot be otherwise is looked into.
    """
    found: dict[Tag, None] = {}
    pending = [clause]
    while pending:
        node = pending.pop()
        if isinstance(node, Tag):
            found[node] = None
        elif _is_strict(node):
            pending += reversed(list(children(node)))
    return list(found)


def _is_strict(node: Node) -> bool:
    if isinstance(node, Compare):
        # A value can be equal to one item of a list although another is unknown.
        return len(node.operators) == 1
    if isinstance(node, Call):
        return node.name not in _ANSWERING
    return isinstance(node, _STRICT)
