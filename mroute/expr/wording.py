"""Questions about texts in which upper and lower case do not matter.

Knows what each function answers. Does not know how functions are called (calls), or patterns
(matching).
"""

from __future__ import annotations

from collections.abc import Sequence

from mroute.expr.values import BLANKS, UnanswerableError, Value, kind_of


def same(one: str, other: str) -> bool:
    """Whether the texts are equal but for case and the blanks around them."""
    return one.strip(BLANKS).casefold() == other.strip(BLANKS).casefold()


def any_of(text: str, parts: Sequence[Value]) -> bool:
    """Whether ``text`` contains any of ``parts``."""
    folded = text.casefold()
    return any(part in folded for part in _folded("any_of", parts))


def all_of(text: str, parts: Sequence[Value]) -> bool:
    """Whether ``text`` contains all of ``parts``."""
    folded = text.casefold()
    return all(part in folded for part in _folded("all_of", parts))


def has_word(text: str, word: str) -> bool:
    """Whether ``text`` contains ``word`` with no letter or digit directly before or after it."""
    folded, sought = text.casefold(), word.strip(BLANKS).casefold()
    if not sought:
        raise UnanswerableError("an empty text is no word")
    start = folded.find(sought)
    while start >= 0:
        end = start + len(sought)
        if not (folded[start - 1 : start].isalnum() or folded[end : end + 1].isalnum()):
            return True
        start = folded.find(sought, start + 1)
    return False


def _folded(name: str, parts: Sequence[Value]) -> list[str]:
    for part in parts:
        if type(part) is not str:
            raise UnanswerableError(f"'{name}' looks for texts, not {kind_of(part)}")
    return [part.casefold() for part in parts]
