"""The nodes of a parsed expression: what was written, without how it was spelled.

Knows the shape of the tree. Does not know how it is read (parser), spelled (printer), checked or
compiled. Places are offsets into the text; they take no part in comparison, so that two spellings
of one expression are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

from mroute.expr.language import Language

OWN = "tags"
"""The owner of a tag where there is one series only, or the first one of a study is meant."""

SERIES = "series"
"""What the series of a study are called in a condition over them."""

Place: TypeAlias = tuple[int, int]
"""Offset of the first character, and of the one after the last."""

NOWHERE: Place = (0, 0)
"""The place of a node that was not read from a text."""


@dataclass(frozen=True, slots=True)
class Node:
    """What all nodes have: their place in the text."""

    place: Place = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A text, a number, or true or false."""

    value: str | int | float | bool

    def __eq__(self, other: object) -> bool:
        # 1, 1.0 and True are equal to Python, but not the same thing to write.
        if not isinstance(other, Literal):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Tag(Node):
    """A tag of the series: ``tags.X`` and ``@X@``, or ``tags["X"]`` where ``exact``.

    In a loop over the series of a study, ``owner`` is the variable that stands for the series.
    """

    name: str
    exact: bool = False
    owner: str = OWN


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare word: a variable of a loop, a tag within ``has(...)``, or a mistake."""

    name: str


@dataclass(frozen=True, slots=True)
class Items(Node):
    """A list or tuple."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """``value.name`` where nothing is called. Only tags are reached so; the checker refuses it."""

    value: Node
    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``name(arguments)``."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Method(Node):
    """``value.name(arguments)``; ``name_place`` is where the name of the method stands."""

    value: Node
    name: str
    arguments: tuple[Node, ...]
    name_place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """``name(body for variable in source if filters...)``; ``name`` is any, all, or count."""

    name: str
    body: Node
    variable: str
    source: Node
    filters: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Index(Node):
    """``value[index]``."""

    value: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """``value[lower:upper:step]``."""

    value: Node
    lower: Node | None = None
    upper: Node | None = None
    step: Node | None = None


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-operand`` or ``+operand``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """``left operator right`` for ``+ - * / // %``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """``operands[0] operators[0] operands[1] operators[1] operands[2] ...``."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class And(Node):
    """Two or more operands; ``symbol`` where they were joined by ``&``."""

    operands: tuple[Node, ...]
    symbol: bool = field(default=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Two or more operands; ``symbol`` where they were joined by ``|``."""

    operands: tuple[Node, ...]
    symbol: bool = field(default=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """``not operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """``then if test else otherwise``."""

    then: Node
    test: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Received(Node):
    """A quoted name of the completion language: a series description that contains it came."""

    name: str


@dataclass(frozen=True, slots=True)
class Count(Node):
    """``count('name') operator number`` of the completion language."""

    name: str
    operator: str
    number: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed expression: its root, and the text it was read from."""

    root: Node
    language: Language = Language.CONDITION
    text: str = field(default="", compare=False, repr=False)


_CHILD_FIELDS: dict[type[Node], tuple[str, ...]] = {}


def children(node: Node) -> list[Node]:
    """The nodes directly below ``node``, in the order of the fields."""
    found: list[Node] = []
    for name in _child_fields(type(node)):
        value = getattr(node, name)
        if type(value) is tuple:
            found += value
        elif value is not None:
            found.append(value)
    return found


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with ``change`` applied to each node directly below it."""
    changed: dict[str, Any] = {}
    for name in _child_fields(type(node)):
        value = getattr(node, name)
        if type(value) is tuple:
            changed[name] = tuple(change(item) for item in value)
        elif value is not None:
            changed[name] = change(value)
    return replace(node, **changed) if changed else node


def walk(root: Node) -> Iterator[tuple[Node, int]]:
    """Every node at and below ``root`` with its depth, the root's being 1. Does not recurse."""
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        yield node, depth
        pending += [(child, depth + 1) for child in children(node)]


def _child_fields(kind: type[Node]) -> tuple[str, ...]:
    names = _CHILD_FIELDS.get(kind)
    if names is None:
        names = tuple(f.name for f in fields(kind) if "Node" in str(f.type))
        _CHILD_FIELDS[kind] = names
    return names
