"""All that rules ask of one tag: for each value of it, the terms that it does not rule out.

Knows that a term may ask several things of a tag, by several views of it, and keeps what was found
for a value. Does not know how the literals of a view are looked up (group), what a term belongs to
(index), or how a tag is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mroute.expr import Functions
from mroute.ruleset.bits import bits_of
from mroute.ruleset.group import Group
from mroute.ruleset.literals import Literal, Test, View
from mroute.ruleset.table import Filed
from mroute.ruleset.views import Text

CACHE_BYTES: Final = 4 * 1024 * 1024
"""Bytes for what is kept of one tag; see docs/explanation/performance.md."""

MAX_VALUES: Final = 4096
"""Values of a tag that are kept at most."""

LONGEST_VALUE: Final = 1024
"""Characters of a text that is kept; a longer one is looked up each time."""


class Column:
    """The terms of a rule set, of which there are ``count``, as far as they are about one tag."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._filed: dict[View, list[Filed]] = {}
        self._mentioned: list[list[int]] = []
        self._others: list[int] = []
        self._groups: tuple[Group, ...] = ()
        # A text for which nothing is unknown has one object in both.
        self._most = max(1, min(MAX_VALUES, CACHE_BYTES // (count // 4 + 128)))
        self._ready: tuple[dict[Text, int], dict[Text, int]] = ({}, {})
        self.known_true: dict[Text, int] = {}
        self.known_possible: dict[Text, int] = {}

    def file(self, term: int, layer: int, literal: Literal) -> None:
        """File a ``literal`` on the tag under the number of its ``term``.

        ``layer`` is 0 for the first literal of a term on this tag, 1 for the next, and so on.
        """
        if layer == len(self._mentioned):
            self._mentioned.append([])
        self._mentioned[layer].append(term)
        tests = literal.tests
        if len(tests) == 1:
            filed = Filed(layer, term, tests, literal.negated)
            self._filed.setdefault(tests[0].view, []).append(filed)
            return
        by_view: dict[View, list[Test]] = {}
        for test in tests:
            by_view.setdefault(test.view, []).append(test)
        for view, of_view in by_view.items():
            filed = Filed(layer, term, of_view, literal.negated)
            self._filed.setdefault(view, []).append(filed)

    def close(self, functions: Functions, accelerated: bool, roomy: bool) -> None:
        """Make what was filed ready to be looked up."""
        everything = (1 << self._count) - 1
        # In each layer: the terms without such a literal.
        self._others = [everything ^ bits_of(terms) for terms in self._mentioned]
        self._groups = tuple(
            Group(view, functions, filed, accelerated, roomy) for view, filed in self._filed.items()
        )
        self._filed, self._mentioned = {}, []
        # The tag that is missing, and the values that rules name.
        for text in (None, *self._named()):
            self._look(text)
        self._ready = dict(self.known_true), dict(self.known_possible)

    def _named(self) -> list[str]:
        """The texts that the tag itself is compared with, where they are few."""
        named = {text for group in self._groups for text in group.named}
        return sorted(named) if len(named) <= self._most // 2 else []

    def true(self, text: Text) -> int:
        """The bits of the terms that are not ruled out: of whose literals on the tag all hold."""
        bits = self.known_true.get(text)
        return self._look(text)[0] if bits is None else bits

    def possible(self, text: Text) -> int:
        """The bits of the terms of whose literals on the tag none is false."""
        bits = self.known_possible.get(text)
        return self._look(text)[1] if bits is None else bits

    def forget(self) -> None:
        """Empty the cache of values; what was found while the index was built stays."""
        for known, ready in zip((self.known_true, self.known_possible), self._ready, strict=True):
            known.clear()
            known.update(ready)

    def _look(self, text: Text) -> tuple[int, int]:
        layers = self._others.copy()
        unknown: list[tuple[int, int]] = []
        for group in self._groups:
            if there := group.look(text, layers):
                unknown += there
        true = possible = _conjoined(layers)
        if unknown:
            for layer, bits in unknown:
                layers[layer] |= bits
            possible = _conjoined(layers)
        if text is None or len(text) <= LONGEST_VALUE:
            if len(self.known_true) >= self._most:
                self.forget()
            self.known_true[text] = true
            self.known_possible[text] = possible
        return true, possible


def _conjoined(layers: Sequence[int]) -> int:
    bits = layers[0]
    for more in layers[1:]:
        bits &= more
    return bits
