"""All that rules ask of one tag: for each value of it, the terms that it does not rule out.

Knows that a term may ask several things of a tag, by several views of it, and keeps what was found
for a value. Does not know how the literals of a view are looked up (group), what a term belongs to
(index), or how a tag is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from mroute.expr import Functions
from mroute.expr.values import BLANKS, Unknown, number_of
from mroute.ruleset.bits import bits_of
from mroute.ruleset.group import Group
from mroute.ruleset.intervals import by_interval
from mroute.ruleset.literals import Kind, Literal, Test, View
from mroute.ruleset.table import Filed
from mroute.ruleset.views import Text

CACHE_BYTES: Final = 4 * 1024 * 1024
"""Bytes for what is kept of one tag; see docs/explanation/performance.md."""

MAX_VALUES: Final = 4096
"""Values of a tag that are kept at most."""

LONGEST_VALUE: Final = 1024
"""Characters of a text that is kept; a longer one is looked up each time."""


_PRESENCE: Final = frozenset({Kind.PRESENT, Kind.ABSENT, Kind.BLANK, Kind.FILLED})
"""The kinds of tests that a column answers itself: there is no need to look into the value."""


class Column:
    """The terms of a rule set, of which there are ``count``, as far as they are about one tag.

    A term may ask several things of the tag. The first literal of every term is in the first layer,
    the second in the second, and so on: literal number n of layer m is bit m * count + n.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._layers: list[list[int]] = []
        self._filed: dict[View, list[Filed]] = {}
        self._asked: dict[Kind, list[int]] = {kind: [] for kind in _PRESENCE}
        self._others = 0
        self._groups: tuple[Group, ...] = ()
        self._shifts: tuple[int, ...] = ()
        # A text for which nothing is unknown has one object in both.
        self._most = max(1, min(MAX_VALUES, CACHE_BYTES // (count // 4 + 128)))
        self._ready: tuple[dict[Text, int], dict[Text, int]] = ({}, {})
        self.mentioned = 0
        """The bits of the terms that ask something of the tag."""
        self._shared: dict[int, int] = {}
        self.known_true: dict[Text, int] = {}
        self.known_possible: dict[Text, int] = {}

    def file(self, term: int, layer: int, literal: Literal) -> None:
        """File a ``literal`` on the tag under the number of its ``term``.

        ``layer`` is 0 for the first literal of a term on this tag, 1 for the next, and so on.
        """
        if layer == len(self._layers):
            self._layers.append([])
        self._layers[layer].append(term)
        number = layer * self._count + term
        by_view: dict[View, list[Test]] = {}
        for test in literal.tests:
            if test.kind in _PRESENCE:
                self._asked[test.kind].append(number)
            else:
                by_view.setdefault(test.view, []).append(test)
        for view, tests in by_view.items():
            self._filed.setdefault(view, []).append(Filed(number, tests, literal.negated))

    def close(self, functions: Functions, accelerated: bool, roomy: bool) -> None:
        """Make what was filed ready to be looked up."""
        everything = (1 << self._count) - 1
        self.mentioned = bits_of(self._layers[0])
        for layer, terms in enumerate(self._layers):
            self._others |= (everything ^ bits_of(terms)) << layer * self._count
        self._shifts = tuple(layer * self._count for layer in range(1, len(self._layers)))
        self._groups = tuple(
            Group(view, functions, filed, accelerated, roomy) for view, filed in self._filed.items()
        )
        asked = {kind: bits_of(numbers) for kind, numbers in self._asked.items()}
        self._blank, self._filled = asked[Kind.BLANK], asked[Kind.FILLED]
        self._asks_for_blanks = self._blank | self._filled != 0
        self._missing = self._others | asked[Kind.ABSENT], self._blank | self._filled
        self._there = self._others | asked[Kind.PRESENT]
        self._certain = tuple(group.certain for group in self._groups if group.certain)
        self._uncertain = tuple(group for group in self._groups if not group.certain)
        self._of_number = self._by_interval()
        self._filed, self._asked, self._layers = {}, {}, []
        # The tag that is missing, and the values that rules name.
        for text in (None, *self._named()):
            self._look(text)
        self._ready = dict(self.known_true), dict(self.known_possible)

    def _by_interval(self) -> Callable[[Any], int] | None:
        """The terms for a number, where all that is asked of the tag is which number it is."""
        table = self._groups[0].numeric if len(self._groups) == 1 else None
        if table is None or not table.intervals:
            return None
        there = self._there | self._filled
        return by_interval(
            table.intervals, lambda value: self._conjoined(there | table.holding(value))
        )

    def _named(self) -> list[str]:
        """The texts that the tag itself is compared with, where they are few."""
        named = {text for group in self._groups for text in group.named}
        return sorted(named) if len(named) <= self._most // 2 else []

    def true(self, text: Text) -> int:
        """The bits of the terms that are not ruled out: of whose literals on the tag all hold."""
        return self._look(text)[0]

    def possible(self, text: Text) -> int:
        """The bits of the terms of whose literals on the tag none is false."""
        return self._look(text)[1]

    def forget(self) -> None:
        """Empty the cache of values; what was found while the index was built stays."""
        self._shared.clear()
        for known, ready in zip((self.known_true, self.known_possible), self._ready, strict=True):
            known.clear()
            known.update(ready)

    def _look(self, text: Text) -> tuple[int, int]:
        """What is true and what is possible, kept for the next time."""
        if self._of_number is not None and text is not None:
            number = number_of(text)
            if type(number) is not Unknown:
                bits = self._of_number(number)
                self._keep(text, bits, bits)
                return bits, bits
        if text is None:
            true, unknown = self._missing
            groups: Sequence[Group] = self._groups
        else:
            true, unknown, groups = self._there, 0, self._uncertain
            if self._asks_for_blanks:
                true |= self._filled if text.strip(BLANKS) else self._blank
            for holding in self._certain:
                true |= holding(text)
        for group in groups:
            held, perhaps = group.look(text)
            true |= held
            unknown |= perhaps
        # Many values rule out the same terms, and then share one object.
        share = self._shared.setdefault
        found = possible = self._conjoined(true)
        found = possible = share(found, found)
        if unknown:
            possible = self._conjoined(true | unknown)
            possible = share(possible, possible)
        self._keep(text, found, possible)
        return found, possible

    def _keep(self, text: Text, true: int, possible: int) -> None:
        if text is None or len(text) <= LONGEST_VALUE:
            if len(self.known_true) >= self._most:
                self.forget()
            self.known_true[text] = true
            self.known_possible[text] = possible

    def _conjoined(self, bits: int) -> int:
        """The terms of which the literals of all layers are among ``bits``."""
        terms = bits
        for shift in self._shifts:
            terms &= bits >> shift
        return terms
