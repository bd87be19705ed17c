"""In a condition over a study, which tag is of which series.

Knows that in a loop over ``series`` the tags of its variable are those of one series after the
other. Does not know whether an expression makes sense (checker).
"""

from __future__ import annotations

from dataclasses import replace

from mroute.expr.nodes import (
    SERIES,
    Attribute,
    Call,
    Index,
    Literal,
    Loop,
    Name,
    Node,
    Tag,
    rebuilt,
)


def over_series(node: Loop) -> bool:
    """Whether a loop runs over the series of a study."""
    return isinstance(node.source, Name) and node.source.name == SERIES


def with_owners(node: Node, text: str, variable: str = "") -> Node:
    """The tree in which ``s.X`` is a tag, where the ``variable`` s stands for a series.

    ``text`` is what it was read from.
    """
    match node:
        case Attribute(value=Name(name=owner), name=name) if owner == variable:
            return Tag(name, owner=owner, place=node.place)
        case Index(value=Name(name=owner), index=Literal(value=str(name))) if owner == variable:
            return Tag(name, exact=True, owner=owner, place=node.place)
        case Call(name="has" | "empty", arguments=(Tag() as tag,)) if variable:
            # has(X) asks about the series that is looked at; has(tags.X) says which one it means.
            if text[slice(*tag.place)].strip("rR'\"") == tag.name:
                return replace(node, arguments=(replace(tag, owner=variable),))
            return node
        case Loop():
            return _loop(node, text, variable)
    return rebuilt(node, lambda below: with_owners(below, text, variable))


def _loop(node: Loop, text: str, variable: str) -> Loop:
    source = with_owners(node.source, text, variable)
    inner = variable
    if over_series(node):
        inner = node.variable
    elif node.variable == variable:  # it means something else in there
        inner = ""
    body = with_owners(node.body, text, inner)
    filters = tuple(with_owners(each, text, inner) for each in node.filters)
    return replace(node, source=source, body=body, filters=filters)
