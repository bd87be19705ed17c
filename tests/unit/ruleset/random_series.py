"""Random tags for random rules: near what the rules ask for, and odd in every way.

Knows the worlds of random rules. Does not know rules.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Any, Final

from pydicom.multival import MultiValue
from pydicom.uid import UID
from pydicom.valuerep import IS, DSfloat

from tests.unit.expr.strategies import ODD
from tests.unit.ruleset.random_rules import Subject, World


class Renamed(str):
    """A text that is another one than it is equal to."""

    __slots__ = ()

    def __str__(self) -> str:
        return self[::-1]


LENGTHS: Final = (10_241, 99_999, 100_001, 200_000)
"""Beyond what is searched for a pattern, up to the longest text, and beyond."""

FILLERS: Final = ("x", "ß", " ", "\\", "1", "\0", "İ")
"""What long values are filled with."""

UNREADABLE: Final = (
    "", " ", "1_000", "0x10", "1e400", "nan", "inf", "1,5", "2 mm", "\u0661", "9" * 31,
    "1\\2", "--1", "\u00a02", "1.5.2", "+", "1e", "0" * 401,
)  # fmt: skip
"""Texts that look like numbers, and are none."""


def series(world: World, random: Random, oddity: float = 1.0) -> Mapping[str, Any]:
    """The tags of a series; ``oddity`` is how often they are odd, 1 being as often as in CI."""
    tags: dict[str, Any] = {"SOPInstanceUID": "1.2.3"}
    for subject in world.subjects:
        if random.random() < 0.11:
            continue
        name = subject.name
        draw = random.random()
        if draw < 0.06:
            name = random.choice([name.lower(), name.upper(), name.swapcase()])
        elif draw < 0.1:
            # Two tags that differ only in case: which of them counts, depends on the rule.
            tags[random.choice([name.lower(), name.upper()])] = value(subject, random, oddity)
        tags[name] = value(subject, random, oddity)
    if random.random() < 0.2:
        items = list(tags.items())
        random.shuffle(items)
        tags = dict(items)
    draw = random.random()
    return tags if draw < 0.9 else MappingProxyType(tags) if draw < 0.97 else UserDict(tags)


def value(subject: Subject, random: Random, oddity: float = 1.0) -> Any:
    """A value of the tag: one that rules ask for, one near it, or an odd one."""
    draw = random.random()
    if draw < 0.000_4 * oddity:
        return long_value(subject, random)
    if draw < 0.02:
        return no_text(subject, random)
    word = random.choice(subject.words)
    if draw < 0.05:
        return random.choice(["", " ", "\0"])
    if draw < 0.55:
        return word
    if draw < 0.62:
        return random.choice(ODD)
    if draw < 0.8 and len(subject.numbers) > 2:
        return spelled(random.choice(subject.numbers), random)
    if draw < 0.84:
        return random.choice(UNREADABLE)
    return changed(word, random.choice(subject.words), random)


def changed(word: str, other: str, random: Random) -> str:
    """A text that is not far from ``word``."""
    return random.choice(
        [
            word.upper(), word.lower(), word.casefold(), word.title(), f" {word}", f"{word} ",
            f"{word}\0", f" {word}\0\0", f"\u00a0{word}", word[:-1], word[1:], word[:2], word[-2:],
            f"{word}a", f"x{word}", f"{word}\\{other}", f"{other}\\{word}", f"{word} {other}",
            f"{word}{other}", f"{word}-{other}", word[::-1], f"{word}\udcb1",
            f"{word}\n", "", " ", "\0",
        ]
    )  # fmt: skip


def spelled(number: int | float, random: Random) -> str:
    """The text of a number, or of one beside it."""
    if random.random() < 0.35:
        number = random.choice([-number, number + 1, number - 1, number / 2, number * 1.000_001])
    return random.choice(
        [
            f"{number}", f"{number}", f" {number} ", f"{number}\0", f"{float(number)}",
            f"{number:e}", f"{number:.17g}", f"+{number}", f"00{number}", f"{number}.",
            f"{float(number):.2f}", f"\t{number}\r\n",
        ]
    )  # fmt: skip


def no_text(subject: Subject, random: Random) -> Any:
    """A value that is no text, as a program that embeds mroute may hand over."""
    word, other = random.choice(subject.words), random.choice(subject.words)
    return random.choice(
        [
            None, [word, other], (word,), [], MultiValue(str, [word, other]), [1, 2], 1, 1.0,
            True, 2, 2.0, DSfloat("2.50"), DSfloat("2.5"), IS("2"), Renamed(word), UID("1.2"),
            b"MR", word.split("\\"),
        ]
    )  # fmt: skip


def long_value(subject: Subject, random: Random) -> str:
    """A value of tens of thousands of characters."""
    word, other = random.choice(subject.words), random.choice(subject.words)
    filler, length = random.choice(FILLERS), random.choice(LENGTHS)
    return f"{word}{filler * length}"[:length] + random.choice(["", other])


def tedious_value(subject: Subject, random: Random) -> str:
    """A value of up to hundreds of parts, which takes many steps."""
    part = random.choice([*subject.words, "a", ""])[:8]
    return "\\".join([part] * random.choice([1, 30, 90, 200]))
