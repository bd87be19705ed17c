"""Checked conditions as plain lists and texts, and back: so that they need not be read again.

Knows how nodes are written down. What several conditions have in common is there once, and places
are left out: what is wrong with an expression is found by then. Does not know where it is kept
(config/cache). Nothing that was written down can do more than an expression could.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from mroute.errors import Problem, Severity
from mroute.expr import nodes
from mroute.expr.checker import Checked
from mroute.expr.function import Functions
from mroute.expr.nodes import NOWHERE, Node, Tree

FORMAT = 2
"""Changes whenever what is written down is to be read in another way."""

_KINDS: tuple[type[Node], ...] = tuple(
    kind
    for kind in vars(nodes).values()
    if isinstance(kind, type) and issubclass(kind, Node) and kind is not Node
)
"""Each kind of node is written down as its number."""


def write_down(conditions: Mapping[str, Checked]) -> dict[str, Any]:
    """``conditions``, by their texts, as lists, texts and numbers that JSON can hold."""
    table = NodeTable()
    texts = {
        text: [table.number(checked.tree.root), [_written(p) for p in checked.problems]]
        for text, checked in conditions.items()
    }
    return {"nodes": table.rows, "texts": texts}


def read_back(written: Any, functions: Functions) -> dict[str, Checked]:
    """The conditions that `write_down` has written; their nodes have no places.

    Raises `ValueError` where ``written`` is anything else.
    """
    try:
        made = read_nodes(written["nodes"])
        return {
            text: Checked(
                Tree(made[root], text=text), functions, tuple([_problem(p) for p in problems])
            )
            for text, (root, problems) in written["texts"].items()
        }
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"these are no conditions: {error}") from error


def read_nodes(rows: Any) -> list[Node]:
    """The nodes of the ``rows`` of a `NodeTable`; they have no places.

    Raises `LookupError`, `TypeError`, `ValueError` or `AttributeError` where these are none.
    """
    made: list[Node] = []
    for row in rows:
        made.append(_node(row, made))
    return made


class NodeTable:
    """Rows of nodes; each is there once, behind those that it refers to."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._numbers: dict[Node, int] = {}

    def number(self, node: Node) -> int:
        """The row of ``node``."""
        known = self._numbers.get(node)
        if known is not None:
            return known
        row = [
            _KINDS.index(type(node)),
            *(self._value(getattr(node, n)) for n in _names(type(node))),
        ]
        self.rows.append(row)
        self._numbers[node] = len(self.rows) - 1
        return len(self.rows) - 1

    def _value(self, value: Any) -> Any:
        """A node as the number of its row, several as a list of those, anything else as it is."""
        if isinstance(value, Node):
            return self.number(value)
        return [self._value(each) for each in value] if isinstance(value, tuple) else value


_Reader = Callable[[Any, list[Node]], Any]


def _one(written: int, made: list[Node]) -> Node:
    return made[written]


def _several(written: list[int], made: list[Node]) -> tuple[Node, ...]:
    return tuple([made[number] for number in written])


def _perhaps(written: int | None, made: list[Node]) -> Node | None:
    return None if written is None else made[written]


def _texts(written: list[str], made: list[Node]) -> tuple[str, ...]:
    return tuple(written)


_READERS: Mapping[str, _Reader] = {
    "Node": _one,
    "tuple[Node, ...]": _several,
    "Node | None": _perhaps,
    "tuple[str, ...]": _texts,
}
"""How a field is read back, by its type; a field of any other is there as it is."""


def _names(kind: type[Node]) -> tuple[str, ...]:
    """The fields that make a node what it is, in their order; "symbol" is how it was joined."""
    return tuple(f.name for f in fields(kind) if f.compare or f.name == "symbol")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What fills the slots of a new node, past its constructor, which takes its time."""

    kind: type[Node]
    places: tuple[Any, ...]
    fillers: tuple[tuple[Any, _Reader | None], ...]


def _plan(kind: type[Node]) -> _Plan:
    types, names = {f.name: str(f.type) for f in fields(kind)}, _names(kind)
    return _Plan(
        kind,
        tuple(getattr(kind, name).__set__ for name in types if name not in names),
        tuple((getattr(kind, name).__set__, _READERS.get(types[name])) for name in names),
    )


_PLANS = tuple(map(_plan, _KINDS))


def _node(row: list[Any], made: list[Node]) -> Node:
    plan = _PLANS[row[0]]
    node: Node = object.__new__(plan.kind)
    for set_place in plan.places:
        set_place(node, NOWHERE)
    for (fill, read), value in zip(plan.fillers, row[1:], strict=True):
        fill(node, value if read is None else read(value, made))
    return node


def _written(problem: Problem) -> list[Any]:
    return [str(v) if isinstance(v, str) else v for v in map(problem.__getattribute__, _PROBLEM)]


def _problem(written: list[Any]) -> Problem:
    values = dict(zip(_PROBLEM, written, strict=True))
    return Problem(**{**values, "severity": Severity(values["severity"])})


_PROBLEM = tuple(f.name for f in fields(Problem) if f.name != "file")
