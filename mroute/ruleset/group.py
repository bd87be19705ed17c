"""The literals on one view of a tag, whatever they compare it with.

Knows which value is looked up in which table. Does not know how (table), or what else a rule asks
of the tag (column).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mroute.expr import Functions
from mroute.expr.values import Unknown, Value, is_number, number_of
from mroute.ruleset.bits import bits_of
from mroute.ruleset.literals import Kind, Test, View
from mroute.ruleset.table import Filed, Table
from mroute.ruleset.views import Text, quick_reader_of, reader_of


class Group:
    """What is filed under tests of one ``view``, but for those that ask whether it is there."""

    def __init__(
        self,
        view: View,
        functions: Functions,
        literals: Sequence[Filed],
        accelerated: bool,
    ) -> None:
        sorts: dict[type | None, list[Filed]] = {}
        for literal in literals:
            for sort, of_sort in _by_sort(literal).items():
                sorts.setdefault(sort, []).append(literal._replace(tests=of_sort))
        plain = view.node is view.tag and not view.fold
        self._read = None if plain else reader_of(view, functions)
        self._texts = Table(sorts[str], accelerated) if str in sorts else None
        self._numbers = Table(sorts[float], accelerated) if float in sorts else None
        self._flags = tuple(
            bits_of([f.number for f in sorts.get(None, ()) if any(t.kind is kind for t in f.tests)])
            for kind in (Kind.TRUE, Kind.FALSE)
        )
        only_numbers = plain and sorts.keys() == {float}
        self.numeric = self._numbers if only_numbers else None
        """The literals, where all of them compare the tag itself with numbers."""
        self.certain = self._certain(view, plain) if sorts.keys() == {str} else None
        """The bits of what holds for a short text, where nothing can be unknown; else None."""
        self.named = [
            test.constant
            for literal in (literals if plain else ())
            for test in literal.tests
            if test.kind is Kind.EQUAL and isinstance(test.constant, str)
        ]
        """The texts that the tag itself is compared with."""

    def _certain(self, view: View, plain: bool) -> Callable[[str], int] | None:
        read, texts = quick_reader_of(view), self._texts
        if read is None or texts is None:
            return None
        holding = texts.holding
        return holding if plain else lambda text: holding(read(text))

    def look(self, text: Text) -> tuple[int, int]:
        """The bits of the literals that hold for this ``text`` of the tag, and of the unknown."""
        if self._read is None:
            value: Value = Unknown("") if text is None else text
        else:
            value = self._read(text)
        is_text = type(value) is str
        true = unknown = 0
        if self._texts is not None:
            if is_text:
                true = self._texts.holding(value)
            else:
                true, unknown = _of_another_sort(self._texts, value)
        if self._numbers is not None:
            number = number_of(value) if is_text else value
            if is_number(number):
                true |= self._numbers.holding(number)
            else:
                holding, perhaps = _of_another_sort(self._numbers, number)
                true, unknown = true | holding, unknown | perhaps
        if self._flags != (0, 0):
            if type(value) is bool:
                true |= self._flags[not value]
            else:
                unknown |= self._flags[0] | self._flags[1]
        return true, unknown


def _of_another_sort(table: Table, value: Value) -> tuple[int, int]:
    return (0, table.numbers) if type(value) is Unknown else table.asked(value)


def _by_sort(literal: Filed) -> dict[type | None, list[Test]]:
    sorts: dict[type | None, list[Test]] = {}
    for test in literal.tests:
        constant = test.constant
        sort = None if constant is None else str if type(constant) is str else float
        sorts.setdefault(sort, []).append(test)
    return sorts
