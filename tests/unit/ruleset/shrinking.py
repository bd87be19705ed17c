"""Makes lists, tags and conditions smaller, as long as something still holds for them.

Knows what there is to leave out. Does not know what has to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from mroute.expr.nodes import (
    And,
    Call,
    Choice,
    Compare,
    Items,
    Literal,
    Loop,
    Method,
    Node,
    Not,
    Or,
    children,
)

T = TypeVar("T")


def fewer(items: list[T], still: Callable[[list[T]], bool]) -> list[T]:
    """``items`` without those that can be left out, halves of them first; never none at all."""
    size = len(items) // 2
    while size:
        position = 0
        while position < len(items):
            rest = items[:position] + items[position + size :]
            if rest and still(rest):
                items = rest
            else:
                position += size
        size //= 2
    return items


def lesser(
    items: list[T], smaller_ones: Callable[[T], Iterable[T]], still: Callable[[list[T]], bool]
) -> list[T]:
    """``items`` with each replaced by the first smaller one that will do, once."""
    for number, item in enumerate(items):
        for less in smaller_ones(item):
            changed = [*items[:number], less, *items[number + 1 :]]
            if still(changed):
                items = changed
                break
    return items


def smaller_tags(tags: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """``tags`` with one less, or one that is shorter."""
    for name in tags:
        yield {other: value for other, value in tags.items() if other != name}
    for name, value in tags.items():
        if isinstance(value, str):
            yield from ({**tags, name: part} for part in shorter(value))


def shorter(text: str) -> Iterator[str]:
    """Halves of ``text``, and ``text`` without its first or last character."""
    if len(text) > 1:
        half = len(text) // 2
        yield from (text[:half], text[half:], text[1:], text[:-1])


_CONDITIONS = (And, Or, Not, Compare, Loop, Choice, Call, Method)


def smaller(node: Node) -> Iterator[Node]:
    """Nodes that are smaller than ``node``, the smallest first; some may make no sense."""
    for below in children(node):
        inner = below.items if isinstance(below, Items) else (below,)
        yield from (each for each in inner if isinstance(each, _CONDITIONS))
    match node:
        case And(operands=operands) | Or(operands=operands):
            for rest in without_some(operands):
                if len(rest) > 1:
                    yield replace(node, operands=rest)
        case Items(items=items):
            yield from map(Items, without_some(items))
        case Literal(value=str(text)):
            yield from map(Literal, shorter(text))
    yield from smaller_within(node)


def smaller_within(node: Node) -> Iterator[Node]:
    """``node`` with one of the nodes below it made smaller."""
    for each in fields(node):
        value: Any = getattr(node, each.name)
        changed: dict[str, Any] = {}
        if isinstance(value, Node):
            for less in smaller(value):
                changed[each.name] = less
                yield replace(node, **changed)
        elif isinstance(value, tuple):
            for position, inner in enumerate(value):
                for less in smaller(inner) if isinstance(inner, Node) else ():
                    changed[each.name] = (*value[:position], less, *value[position + 1 :])
                    yield replace(node, **changed)


def without_some(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    """``items`` without a half, a quarter, and so on down to one."""
    size = len(items) // 2
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size :]
        size //= 2
