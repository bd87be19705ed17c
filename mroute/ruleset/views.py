"""The value of a view: of an expression that reads one tag, for a value of that tag.

Knows how the value is computed from the text of the tag. Does not know what it is compared with
(table).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from mroute.expr import Functions
from mroute.expr.compiler import value_of
from mroute.expr.language import MAX_TEXT
from mroute.expr.nodes import Method, Tag
from mroute.expr.values import Unknown, Value
from mroute.ruleset.literals import Fold, View

Text: TypeAlias = str | None
"""The text of a tag, or None where it is missing."""

_MISSING: Final = Unknown("the tag is missing")

SHORT: Final = MAX_TEXT // 3
"""Characters that stay within the bounds of the language, for one can become three."""

_CASES: Final[Mapping[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "upper": str.upper,
    "casefold": str.casefold,
    "strip": str.strip,
}


def reader_of(view: View, functions: Functions) -> Callable[[Text], Value]:
    """A function from the text of the tag to the value of ``view``."""
    read: Callable[[Text], Value] = _itself
    if view.node is not view.tag:
        read = _compiled(view, functions)
    if view.fold is Fold.NONE:
        return read
    fold = view.fold.of

    def folded(text: Text) -> Value:
        value = read(text)
        return fold(value) if type(value) is str else Unknown("it is no text")

    return folded


def quick_reader_of(view: View) -> Callable[[str], str] | None:
    """A quicker one, for texts of at most `SHORT` characters; None where there is none.

    Its result is always a text.
    """
    match view.node:
        case Tag():
            change: Callable[[str], str] = str
        case Method(value=Tag(), name=name, arguments=()) if name in _CASES:
            change = _CASES[name]
        case _:
            return None
    if view.fold is Fold.NONE:
        return change
    fold = view.fold.of
    return fold if change is str else lambda text: fold(change(text))


def _itself(text: Text) -> Value:
    return _MISSING if text is None else text


def _compiled(view: View, functions: Functions) -> Callable[[Text], Value]:
    value, name = value_of(view.node, functions), view.tag.name
    return lambda text: value({} if text is None else {name: text})
