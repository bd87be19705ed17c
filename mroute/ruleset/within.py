"""Texts that are looked for at the beginning or the end of a text, or anywhere in it.

Knows how all of them are looked for at once. Does not know what is filed under those that are
found (hits), or what else a text is compared with (table).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mroute.ruleset.hits import ByConstant, finder
from mroute.ruleset.literals import Kind
from mroute.ruleset.substrings import search_for

LookInto: TypeAlias = Callable[[str], int]
"""The bits of what is filed under the texts that are in another."""


def looks_into(
    filed: Mapping[Kind, ByConstant], accelerated: bool, roomy: bool
) -> tuple[LookInto, ...]:
    """One for each of the kinds `Kind.PREFIX`, `Kind.SUFFIX` and `Kind.PART` that is ``filed``."""
    looks = []
    if prefixes := filed.get(Kind.PREFIX):
        looks.append(_at_beginning(prefixes, roomy))
    if suffixes := filed.get(Kind.SUFFIX):
        looks.append(_at_end(suffixes, roomy))
    if parts := filed.get(Kind.PART):
        looks.append(_anywhere(parts, accelerated, roomy))
    return tuple(looks)


def _at_beginning(filed: ByConstant, roomy: bool) -> LookInto:
    find, lengths = finder(filed, roomy), sorted({len(constant) for constant in filed})

    def look(text: str) -> int:
        bits = 0
        for length in lengths:
            # A text that is shorter is its own beginning, of any length, and then no constant.
            if hit := find(text[:length]):
                bits |= hit
        return bits

    return look


def _at_end(filed: ByConstant, roomy: bool) -> LookInto:
    find, lengths = finder(filed, roomy), sorted({len(constant) for constant in filed})

    def look(text: str) -> int:
        bits, longest = 0, len(text)
        for length in lengths:
            # As there; counted from the beginning, for the last 0 characters are none.
            if hit := find(text[max(0, longest - length) :]):
                bits |= hit
        return bits

    return look


def _anywhere(filed: ByConstant, accelerated: bool, roomy: bool) -> LookInto:
    find, search = finder(filed, roomy), search_for(tuple(filed), accelerated)

    def look(text: str) -> int:
        bits = 0
        for part in search(text):
            if hit := find(part):
                bits |= hit
        return bits

    return look
