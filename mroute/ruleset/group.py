"""The literals on one view of a tag, whatever they compare it with.

Knows which value is looked up in which table. Does not know how (table), or what else a rule asks
of the tag (column).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from mroute.expr.values import Unknown, Value, is_number, number_of
from mroute.ruleset.bits import bits_of
from mroute.ruleset.literals import Kind, View
from mroute.ruleset.table import Filed, Table, Verdict
from mroute.ruleset.views import Text

Lookup: TypeAlias = Callable[[Text], Verdict]
"""What the literals come to where the tag has a text, or is missing."""

_FLAGS: Final = (Kind.TRUE, Kind.FALSE, Kind.PRESENT, Kind.ABSENT)


def lookups_of(
    view: View, read: Callable[[Text], Value], literals: Sequence[Filed], accelerated: bool
) -> list[Lookup]:
    """One for each sort of what the ``literals`` on ``view``, which ``read`` gives, ask."""
    sorts: dict[object, list[Filed]] = {}
    for literal in literals:
        first = _sort_of(literal.tests[0].constant)
        if all(_sort_of(test.constant) is first for test in literal.tests):
            sorts.setdefault(first, []).append(literal)
            continue
        for sort in (str, float, None):
            tests = [test for test in literal.tests if _sort_of(test.constant) is sort]
            if tests:
                sorts.setdefault(sort, []).append(literal._replace(tests=tests))
    lookups: list[Lookup] = []
    if str in sorts:
        table = Table(sorts[str], accelerated)
        plain = view.node is view.tag and not view.fold
        lookups.append(_of_text(table) if plain else _of_texts(table, read))
    if float in sorts:
        lookups.append(_of_numbers(Table(sorts[float], accelerated), read))
    if None in sorts:
        lookups.append(_of_flags(sorts[None], read))
    return lookups


def _sort_of(constant: object) -> type | None:
    return None if constant is None else str if type(constant) is str else float


def _of_text(table: Table) -> Lookup:
    holding, missing = table.holding, (0, table.numbers)

    def look(text: Text) -> Verdict:
        if text is None:
            return missing
        bits = holding(text)
        return bits, bits

    return look


def _of_texts(table: Table, read: Callable[[Text], Value]) -> Lookup:
    def look(text: Text) -> Verdict:
        value = read(text)
        return _verdict(table, value, type(value) is str)

    return look


def _of_numbers(table: Table, read: Callable[[Text], Value]) -> Lookup:
    def look(text: Text) -> Verdict:
        value = read(text)
        if type(value) is str:
            value = number_of(value)
        return _verdict(table, value, is_number(value))

    return look


def _verdict(table: Table, value: Value, fits: bool) -> Verdict:
    if fits:
        bits = table.holding(value)
        return bits, bits
    return (0, table.numbers) if type(value) is Unknown else table.asked(value)


def _of_flags(literals: Sequence[Filed], read: Callable[[Text], Value]) -> Lookup:
    """Whether the tag is there, and whether the value is true or false."""
    true, false, present, absent = (
        bits_of([each.number for each in literals if any(t.kind is kind for t in each.tests)])
        for kind in _FLAGS
    )

    def look(text: Text) -> Verdict:
        there = absent if text is None else present
        value = read(text) if true or false else None
        if value is True or value is False:
            there |= true if value else false
            return there, there
        return there, there | true | false

    return look
