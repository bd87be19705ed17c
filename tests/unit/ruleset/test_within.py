"""Texts that are looked for at the ends of a text, or in it, are all found, in every way there is.

Knows what is filed under each of them. Does not know tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from mroute.ruleset.bits import bits_of, numbers_of
from mroute.ruleset.hits import SPARSE, finder
from mroute.ruleset.literals import Kind
from mroute.ruleset.substrings import search_for
from mroute.ruleset.within import looks_into

FEW: Final = ("a", "ab", "bab", "")
MANY: Final = (
    *("a", "aa", "ab", "abab", "b", "bab", "babab", "", "xyz", "\udcb1", "ß", "\0", "İ", "i\u0307"),
    *(f"T{number}" for number in range(40)),
)

TEXTS: Final = ("", "a", "b", "aab", "babab", "T3", "xT39x", "ßT", "\udcb1", "\ud83d\udcb1", "İ")


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize("sought", [(), FEW, MANY, MANY[:9]])
@pytest.mark.parametrize("text", [*TEXTS, "babab" * 30, "T1" * 5_000])
def test_all_parts_of_a_text_are_found(sought: Sequence[str], text: str, accelerated: bool) -> None:
    found = set(search_for(sought, accelerated)(text))
    assert found == {each for each in sought if each in text}


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize("roomy", [True, False])
@pytest.mark.parametrize("text", TEXTS)
def test_beginnings_ends_and_parts_are_found(text: str, accelerated: bool, roomy: bool) -> None:
    filed = {each: [n, 1_000 + n] for n, each in enumerate(MANY)}
    found = [
        [look(text) for look in looks_into({kind: filed}, accelerated, roomy)]
        for kind in (Kind.PREFIX, Kind.SUFFIX, Kind.PART, Kind.EQUAL)
    ]
    holding = [
        [n for n, each in enumerate(MANY) if holds(each)]
        for holds in (text.startswith, text.endswith, text.__contains__)
    ]
    assert found == [
        *([bits_of([*numbers, *(1_000 + n for n in numbers)])] for numbers in holding),
        [],
    ]


def test_kinds_are_looked_for_apart() -> None:
    filed = {Kind.PART: {"b": [2]}, Kind.SUFFIX: {"b": [1]}, Kind.PREFIX: {"b": [0]}}
    looks = looks_into(filed, accelerated=False, roomy=True)
    assert [[numbers_of(look(text)) for look in looks] for text in ("ba", "ab", "abc", "c")] == [
        [[0], [], [2]],
        [[], [1], [2]],
        [[], [], [2]],
        [[], [], []],
    ]


@pytest.mark.parametrize("roomy", [True, False])
def test_what_is_filed_is_found_however_it_is_kept(roomy: bool) -> None:
    full = list(range(0, 20 * SPARSE, SPARSE))
    filed: dict[Any, list[int]] = {"full": full, "far": [50 * SPARSE, 3], "near": [0], 1: [7]}
    find = finder(filed, roomy)
    assert {constant: find(constant) for constant in filed} == {
        constant: bits_of(numbers) for constant, numbers in filed.items()
    }
    assert (find(1.0), find("1"), find("none"), find(None)) == (bits_of([7]), None, None, None)
