"""The literals on one view of a tag, whatever they compare it with.

Knows which value is looked up in which table. Does not know how (table), or what else a rule asks
of the tag (column).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mroute.expr import Functions
from mroute.expr.values import Unknown, Value, is_number, number_of
from mroute.ruleset.hits import Layered
from mroute.ruleset.literals import Kind, Test, View
from mroute.ruleset.table import Filed, Table
from mroute.ruleset.views import Text, reader_of

_NOTHING: Final[Layered] = ()


class Group:
    """What is filed under tests of one ``view``."""

    def __init__(
        self,
        view: View,
        functions: Functions,
        literals: Sequence[Filed],
        accelerated: bool,
        roomy: bool,
    ) -> None:
        sorts: dict[type | None, list[Filed]] = {}
        for literal in literals:
            for sort, of_sort in _by_sort(literal).items():
                sorts.setdefault(sort, []).append(literal._replace(tests=of_sort))
        self._read = reader_of(view, functions)
        plain = view.node is view.tag and not view.fold
        self.named = [
            test.constant
            for literal in (literals if plain else ())
            for test in literal.tests
            if test.kind is Kind.EQUAL and isinstance(test.constant, str)
        ]
        """The texts that the tag itself is compared with."""
        self._texts = Table(sorts[str], accelerated, roomy) if str in sorts else None
        self._numbers = Table(sorts[float], accelerated, roomy) if float in sorts else None
        flags: dict[Kind, dict[int, int]] = {}
        for layer, number, tests, _ in sorts.get(None, ()):
            for test in tests:
                bits = flags.setdefault(test.kind, {})
                bits[layer] = bits.get(layer, 0) | 1 << number
        self._flags = {kind: tuple(bits.items()) for kind, bits in flags.items()}

    def look(self, text: Text, true: list[int]) -> Layered:
        """Add the literals that hold for this ``text`` of the tag to ``true``, the bits by layer.

        Returns those that are unknown.
        """
        value = self._read(text)
        unknown = _NOTHING
        if self._texts is not None:
            if type(value) is str:
                self._texts.add_holding(value, true)
            else:
                unknown = _of_another_sort(self._texts, value, true)
        if self._numbers is not None:
            number = number_of(value) if type(value) is str else value
            if is_number(number):
                self._numbers.add_holding(number, true)
            else:
                unknown = (*unknown, *_of_another_sort(self._numbers, number, true))
        if self._flags:
            unknown = (*unknown, *self._look_at_flags(value, text, true))
        return unknown

    def _look_at_flags(self, value: Value, text: Text, true: list[int]) -> Layered:
        get = self._flags.get
        is_so = type(value) is bool
        for kind in (
            Kind.ABSENT if text is None else Kind.PRESENT,
            *((Kind.TRUE if value else Kind.FALSE,) if is_so else ()),
        ):
            for layer, bits in get(kind, ()):
                true[layer] |= bits
        return () if is_so else (*get(Kind.TRUE, ()), *get(Kind.FALSE, ()))


def _of_another_sort(table: Table, value: Value, true: list[int]) -> Layered:
    return table.all if type(value) is Unknown else table.ask(value, true)


def _by_sort(literal: Filed) -> dict[type | None, list[Test]]:
    sorts: dict[type | None, list[Test]] = {}
    for test in literal.tests:
        constant = test.constant
        sort = None if constant is None else str if type(constant) is str else float
        sorts.setdefault(sort, []).append(test)
    return sorts
