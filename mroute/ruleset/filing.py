"""The literals of all terms on one tag, sorted by what they ask of it.

Knows that a term may ask several things of a tag. Does not know how they are looked up (column).
"""

from __future__ import annotations

from typing import Final

from mroute.ruleset.bits import bits_of
from mroute.ruleset.literals import Kind, Literal, Test, View
from mroute.ruleset.table import Filed

PRESENCE: Final = (Kind.PRESENT, Kind.ABSENT, Kind.BLANK, Kind.FILLED)
"""The kinds of tests that need no look into the value: whether it is there, and any."""


class Filing:
    """What is filed under one tag, for a rule set of ``count`` terms.

    The first literal of every term on the tag is in the first layer, the second in the second, and
    so on: the literal of term number n in layer m is bit m * count + n.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.views: dict[View, list[Filed]] = {}
        """What is asked of each view of the tag, but for its presence."""
        self._presence: dict[Kind, list[int]] = {kind: [] for kind in PRESENCE}
        self._layers: list[list[int]] = []

    def file(self, term: int, layer: int, literal: Literal) -> None:
        """File a ``literal`` of the ``term`` of this number; the first one is in layer 0."""
        if layer == len(self._layers):
            self._layers.append([])
        self._layers[layer].append(term)
        number = layer * self.count + term
        by_view: dict[View, list[Test]] = {}
        for test in literal.tests:
            if test.kind in self._presence:
                self._presence[test.kind].append(number)
            else:
                by_view.setdefault(test.view, []).append(test)
        for view, tests in by_view.items():
            self.views.setdefault(view, []).append(Filed(number, tests, literal.negated))

    @property
    def mentioned(self) -> int:
        """The bits of the terms that ask something of the tag."""
        return bits_of(self._layers[0])

    @property
    def others(self) -> int:
        """The bits, in all layers, of the terms that ask nothing there."""
        everything, bits = (1 << self.count) - 1, 0
        for layer, terms in enumerate(self._layers):
            bits |= (everything ^ bits_of(terms)) << layer * self.count
        return bits

    @property
    def shifts(self) -> tuple[int, ...]:
        """How far the layers but the first are from the first."""
        return tuple(layer * self.count for layer in range(1, len(self._layers)))

    def present(self, kind: Kind) -> int:
        """The bits of the literals that one of the kinds in `PRESENCE` makes hold."""
        return bits_of(self._presence[kind])
