"""All that rules ask of one tag: for each value of it, the terms that it does not rule out.

Knows that a term may ask several things of a tag, by several views of it, and keeps what was found
for a value. Does not know how the literals of a view are looked up (table), what a term belongs to
(index), or how a tag is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from mroute.expr import Functions
from mroute.expr.nodes import Tag
from mroute.expr.values import Unknown, Value, is_number, number_of
from mroute.ruleset.bits import bits_of
from mroute.ruleset.literals import Kind, Literal, Test, View
from mroute.ruleset.table import Filed, Table, Verdict
from mroute.ruleset.views import Text, reader_of

CACHE_BYTES: Final = 4 * 1024 * 1024
"""Bytes for what is kept of one tag; see docs/explanation/performance.md."""

MAX_VALUES: Final = 4096
"""Values of a tag that are kept at most."""

LONGEST_VALUE: Final = 1024
"""Characters of a text that is kept; a longer one is looked up each time."""


class _Group:
    """The literals on one view."""

    def __init__(
        self,
        read: Callable[[Text], Value],
        literals: Sequence[Filed],
        accelerated: bool,
    ) -> None:
        self._read = read
        sorts: dict[object, list[Filed]] = {}
        for number, tests, negated in literals:
            sorted_tests: dict[object, list[Test]] = {}
            for test in tests:
                constant = test.constant
                sort: object = type(constant) if type(constant) is str else float
                sorted_tests.setdefault(test.kind if constant is None else sort, []).append(test)
            for sort, each in sorted_tests.items():
                sorts.setdefault(sort, []).append(Filed(number, each, negated))
        self._texts = Table(sorts[str], accelerated) if str in sorts else None
        self._numbers = Table(sorts[float], accelerated) if float in sorts else None
        self._flags = {
            kind: bits_of([each.number for each in sorts[kind]])
            for kind in (Kind.TRUE, Kind.FALSE, Kind.PRESENT, Kind.ABSENT)
            if kind in sorts
        }

    def verdict(self, text: Text) -> Verdict:
        """What the literals come to where the tag has this ``text``."""
        value = self._read(text)
        true, possible = self._flagged(value, text) if self._flags else (0, 0)
        if self._texts is not None:
            verdict = _verdict(self._texts, value, type(value) is str)
            true, possible = true | verdict.true, possible | verdict.possible
        if self._numbers is not None:
            number = number_of(value) if type(value) is str else value
            verdict = _verdict(self._numbers, number, is_number(number))
            true, possible = true | verdict.true, possible | verdict.possible
        return Verdict(true, possible)

    def _flagged(self, value: Value, text: Text) -> tuple[int, int]:
        get = self._flags.get
        there = get(Kind.ABSENT if text is None else Kind.PRESENT, 0)
        if value is True or value is False:
            there |= get(Kind.TRUE if value else Kind.FALSE, 0)
            return there, there
        return there, there | get(Kind.TRUE, 0) | get(Kind.FALSE, 0)


def _verdict(table: Table, value: Value, fits: bool) -> Verdict:
    if fits:
        holding = table.holding(value)
        return Verdict(holding, holding)
    return Verdict(0, table.numbers) if type(value) is Unknown else table.asked(value)


class _Layer(NamedTuple):
    """The first literal of every term on the tag, or the second, ...: one for a term at most."""

    others: int
    """The bits of the terms without such a literal."""
    groups: Sequence[_Group]


class Column:
    """The terms of a rule set, as far as they are about one ``tag``."""

    def __init__(
        self,
        tag: Tag,
        terms: Sequence[tuple[int, Sequence[Literal]]],
        count: int,
        functions: Functions,
        accelerated: bool,
    ) -> None:
        """File the ``terms`` by number, of ``count`` in all, with their literals on ``tag``."""
        readers: dict[View, Callable[[Text], Value]] = {}
        depth = max(len(literals) for _, literals in terms)
        self._layers = []
        for layer in range(depth):
            mentioned = [number for number, literals in terms if len(literals) > layer]
            views: dict[View, list[Filed]] = {}
            for number, literals in terms:
                if len(literals) > layer:
                    for view, filed in _by_view(number, literals[layer]).items():
                        views.setdefault(view, []).append(filed)
            groups = []
            for view, filed_there in views.items():
                if view not in readers:
                    readers[view] = reader_of(view, tag, functions)
                groups.append(_Group(readers[view], filed_there, accelerated))
            self._layers.append(_Layer(((1 << count) - 1) ^ bits_of(mentioned), groups))
        size = count // 8 + 64
        self._most = max(1, min(MAX_VALUES, CACHE_BYTES // (2 * size)))
        self.known: dict[Text, int] = {}
        self._possible: dict[Text, int] = {}

    def true(self, text: Text) -> int:
        """The bits of the terms that are not ruled out: of whose literals on the tag all hold."""
        bits = self.known.get(text)
        if bits is None:
            bits = self._look(text).true
        return bits

    def possible(self, text: Text) -> int:
        """The bits of the terms of whose literals on the tag none is false."""
        bits = self._possible.get(text)
        if bits is None:
            bits = self._look(text).possible
        return bits

    def forget(self) -> None:
        """Empty the cache."""
        self.known.clear()
        self._possible.clear()

    def _look(self, text: Text) -> Verdict:
        true = possible = -1
        for others, groups in self._layers:
            here = there = others
            for group in groups:
                verdict = group.verdict(text)
                here, there = here | verdict.true, there | verdict.possible
            true, possible = true & here, possible & there
        if text is None or len(text) <= LONGEST_VALUE:
            if len(self.known) >= self._most:
                self.forget()
            self.known[text] = true
            # Nearly always they are equal, and then one object.
            self._possible[text] = true if true == possible else possible
        return Verdict(true, possible)


def _by_view(number: int, literal: Literal) -> dict[View, Filed]:
    views: dict[View, list[Test]] = {}
    for test in literal.tests:
        views.setdefault(test.view, []).append(test)
    return {view: Filed(number, tests, literal.negated) for view, tests in views.items()}
