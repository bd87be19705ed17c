"""Normal forms as plain lists and texts, and back: so that they need not be made again.

Knows how they are written down. What several forms have in common is there once. Does not know
where it is kept (config/cache).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mroute.expr.nodes import Tag
from mroute.expr.stored import NodeTable, read_nodes
from mroute.ruleset.literals import Fold, Form, Kind, Literal, Test, View

FORMAT: Final = 2
"""Changes whenever what is written down is to be read in another way."""


def write_down(forms: Mapping[str, Form]) -> dict[str, Any]:
    """``forms``, by the texts of their conditions, as lists, texts and numbers for JSON."""
    table = _Table()
    texts = {
        text: [
            [[table.literal(literal) for literal in term] for term in form.terms],
            form.exact,
            form.metered,
        ]
        for text, form in forms.items()
    }
    return {
        "nodes": table.nodes.rows,
        "views": table.view_rows,
        "literals": table.literal_rows,
        "texts": texts,
    }


def read_back(written: Any) -> dict[str, Form]:
    """The forms that `write_down` has written. Raises `ValueError` for anything else."""
    try:
        nodes = read_nodes(written["nodes"])
        views = [
            View(_tag(nodes[tag]), nodes[tag if node is None else node], Fold(fold))
            for tag, node, fold in written["views"]
        ]
        literals = [
            Literal(
                views[tests[0][0]].tag,
                tuple([Test(views[view], Kind(kind), value) for view, kind, value in tests]),
                negated,
            )
            for tests, negated in written["literals"]
        ]
        return {
            text: Form(
                tuple([tuple([literals[n] for n in term]) for term in terms]), exact, metered
            )
            for text, (terms, exact, metered) in written["texts"].items()
        }
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"these are no forms: {error}") from error


def _tag(node: object) -> Tag:
    if not isinstance(node, Tag):
        raise TypeError(f"{node!r} is no tag")
    return node


class _Table:
    """Views and literals, each of them once."""

    def __init__(self) -> None:
        self.nodes = NodeTable()
        self.view_rows: list[list[Any]] = []
        self.literal_rows: list[list[Any]] = []
        self._views: dict[View, int] = {}
        self._literals: dict[Literal, int] = {}

    def literal(self, literal: Literal) -> int:
        """The row of ``literal``."""
        number = self._literals.get(literal)
        if number is None:
            tests = [[self._view(view), kind, value] for view, kind, value in literal.tests]
            self.literal_rows.append([tests, literal.negated])
            number = self._literals[literal] = len(self.literal_rows) - 1
        return number

    def _view(self, view: View) -> int:
        number = self._views.get(view)
        if number is None:
            # A view of the tag itself has the tag for its node, as one object.
            node = None if view.node is view.tag else self.nodes.number(view.node)
            self.view_rows.append([self.nodes.number(view.tag), node, view.fold])
            number = self._views[view] = len(self.view_rows) - 1
        return number
