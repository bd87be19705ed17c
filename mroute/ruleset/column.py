"""All that rules ask of one tag: for each value of it, the terms that it does not rule out.

Knows that a term may ask several things of a tag, by several views of it, and keeps what was found
for a value. Does not know how the literals of a view are looked up (group), what a term belongs to
(index), or how a tag is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from mroute.expr import Functions
from mroute.expr.values import Value
from mroute.ruleset.bits import bits_of
from mroute.ruleset.group import Lookup, lookups_of
from mroute.ruleset.literals import Literal, Test, View
from mroute.ruleset.table import Filed
from mroute.ruleset.views import Text, reader_of

CACHE_BYTES: Final = 4 * 1024 * 1024
"""Bytes for what is kept of one tag; see docs/explanation/performance.md."""

MAX_VALUES: Final = 4096
"""Values of a tag that are kept at most."""

LONGEST_VALUE: Final = 1024
"""Characters of a text that is kept; a longer one is looked up each time."""


class _Layer(NamedTuple):
    """The first literal of every term on the tag, or the second, ...: one for a term at most."""

    others: int
    """The bits of the terms without such a literal."""
    lookups: Sequence[Lookup]


class Column:
    """The terms of a rule set, of which there are ``count``, as far as they are about one tag."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._filed: list[dict[View, list[Filed]]] = []
        self._layers: tuple[_Layer, ...] = ()
        # A text for which nothing differs has one object in both.
        self._most = max(1, min(MAX_VALUES, CACHE_BYTES // (count // 4 + 128)))
        self.known_true: dict[Text, int] = {}
        self.known_possible: dict[Text, int] = {}

    def file(self, term: int, layer: int, literal: Literal) -> None:
        """File a literal on the tag under the number of its ``term``, of which it is number
        ``layer`` on this tag.
        """
        if layer == len(self._filed):
            self._filed.append({})
        views = self._filed[layer]
        view = literal.tests[0].view
        if len(literal.tests) == 1:
            filed = Filed(term, literal.tests, literal.negated)
            views.setdefault(view, []).append(filed)
            return
        by_view: dict[View, list[Test]] = {}
        for test in literal.tests:
            by_view.setdefault(test.view, []).append(test)
        for view, tests in by_view.items():
            views.setdefault(view, []).append(Filed(term, tests, literal.negated))

    def close(self, functions: Functions, accelerated: bool) -> None:
        """Make what was filed ready to be looked up."""
        readers: dict[View, Callable[[Text], Value]] = {}
        layers = []
        for views in self._filed:
            lookups: list[Lookup] = []
            for view, filed in views.items():
                if view not in readers:
                    readers[view] = reader_of(view, functions)
                lookups += lookups_of(view, readers[view], filed, accelerated)
            mentioned = [each.number for filed in views.values() for each in filed]
            layers.append(_Layer(((1 << self._count) - 1) ^ bits_of(mentioned), lookups))
        self._layers, self._filed = tuple(layers), []
        self.forget()

    def true(self, text: Text) -> int:
        """The bits of the terms that are not ruled out: of whose literals on the tag all hold."""
        bits = self.known_true.get(text)
        return self._look(text)[0] if bits is None else bits

    def possible(self, text: Text) -> int:
        """The bits of the terms of whose literals on the tag none is false."""
        bits = self.known_possible.get(text)
        return self._look(text)[1] if bits is None else bits

    def forget(self) -> None:
        """Empty the cache, but for the tag that is missing."""
        self.known_true.clear()
        self.known_possible.clear()
        self._look(None)

    def _look(self, text: Text) -> tuple[int, int]:
        true = possible = -1
        for others, lookups in self._layers:
            here = there = others
            for look in lookups:
                holding, perhaps = look(text)
                here |= holding
                there |= perhaps
            true, possible = true & here, possible & there
        if text is None or len(text) <= LONGEST_VALUE:
            if len(self.known_true) >= self._most:
                self.forget()
            self.known_true[text] = true
            self.known_possible[text] = true if true == possible else possible
        return true, possible
