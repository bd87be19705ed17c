"""Clauses that are another spelling of *and*, *or* and *not*: chains, and loops over short lists.

Knows what each is spelled out to; the value is the same, unknown included. Does not know what
becomes of it (normal_form).
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from mroute.expr.nodes import (
    And,
    Call,
    Compare,
    Items,
    Literal,
    Loop,
    Name,
    Node,
    Not,
    Or,
    Tag,
    children,
)

MAX_ROUNDS: Final = 64
"""Rounds that are spelled out, of a loop and of those within it."""


def unrolled(node: Node) -> Node | None:
    """What ``node`` spells in one: for a chain, ``!=``, ``not in`` and any() or all() of a list.

    The operands of a chain must give the same whenever they are evaluated. None where ``node`` is
    anything else, or a loop over what is no short list.
    """
    match node:
        case Compare(operators=("!=",), operands=operands):
            return Not(Compare(("==",), operands))
        case Compare(operators=("not in",), operands=operands):
            return Not(Compare(("in",), operands))
        case Compare(operators=operators, operands=operands) if len(operators) > 1:
            pairs = zip(operators, operands, operands[1:], strict=False)
            return And(tuple(Compare((sign,), (left, right)) for sign, left, right in pairs))
        case Call(name="any" | "all" as name, arguments=(Items(items=items),)):
            return _joined(name, items)
        case Loop(name=name, source=Items(items=items)) if _rounds(node) <= MAX_ROUNDS:
            if all(isinstance(item, Literal | Tag) for item in items):
                return _joined(name, tuple(_round(node, item) for item in items))
    return None


def _joined(name: str, operands: tuple[Node, ...]) -> Node:
    """``any`` or ``all`` of the ``operands``."""
    if not operands:
        return Literal(name == "all")
    # An operand twice, for one alone need not be a condition.
    pair = operands if len(operands) > 1 else operands * 2
    return Or(pair) if name == "any" else And(pair)


def _rounds(node: Node) -> int:
    """How often the innermost part of the loops in ``node`` would be written."""
    within = max((_rounds(child) for child in children(node)), default=1)
    match node:
        case Loop(source=Items(items=items)):
            return len(items) * within
    return within


def _round(loop: Loop, item: Node) -> Node:
    """The body of ``loop`` for one item; ``if`` excludes it from any() by and, from all() by or."""
    body, *filters = (_replaced(part, loop.variable, item) for part in (loop.body, *loop.filters))
    if not filters:
        return body
    if loop.name == "any":
        return And((*filters, body))
    return Or((*(Not(each) for each in filters), body))


def _replaced(node: Node, variable: str, item: Node) -> Node:
    """``node`` with ``item``, which has no variables, wherever ``variable`` is named in it."""
    if isinstance(node, Name):
        return item if node.name == variable else node
    # A loop within that has a variable of this name means its own, but in its source.
    hidden = isinstance(node, Loop) and node.variable == variable
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if hidden and field.name != "source":
            continue
        if isinstance(value, Node):
            changed[field.name] = _replaced(value, variable, item)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changed[field.name] = tuple(_replaced(each, variable, item) for each in value)
    return replace(node, **changed) if changed else node
