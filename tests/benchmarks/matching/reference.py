"""Reference (c): all rules as one generated Python function, evaluated one after the other.

It is what a careful programmer would generate: each tag is fetched into a local once and each
number read once, and a rule is one ``if`` of native operators that stops at the first clause which
decides. What is unknown costs nothing: a missing text is an empty one for what looks into texts,
and a number that cannot be read is NaN, for which no comparison holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from mroute.expr.values import BLANKS, Unknown, number_of
from tests.benchmarks.matching.forms import Form, Kind, Predicate, predicates

Function = Callable[[Mapping[str, str]], list[str]]

_LARGEST = 2**53
"""Whole numbers up to this are exact as a float."""


def reference(forms: Mapping[str, Form], lazy: bool) -> Function:
    """The function that returns the names of the rules that are true, in their order.

    Numbers and lower-cased texts are made when a rule first asks for them where ``lazy``, else at
    the beginning: the first is faster for few rules and the second for many.
    """
    source = "\n    ".join(_lines(forms, lazy))
    names: dict[str, Any] = {"number": number}
    exec(compile(source, "<reference>", "exec"), names)  # noqa: S102 - our own text, from our tree
    function: Function = names["triggered"]
    return function


def number(text: str | None) -> float:
    """The number that ``text`` says in the rule language, else NaN; quick for what is usual."""
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        pass
    else:
        plain = text.isascii() and text.isprintable() and "_" not in text
        if plain and -_LARGEST < value < _LARGEST:
            return value
    slowly = number_of(text)
    return math.nan if isinstance(slowly, Unknown) else slowly


_SEARCHES = frozenset({Kind.PREFIX, Kind.SUFFIX, Kind.CONTAINS})


def _lines(forms: Mapping[str, Form], lazy: bool) -> list[str]:
    asked = [each for form in forms.values() for each in predicates(form)]
    tags = {name: number for number, name in enumerate(dict.fromkeys(each.tag for each in asked))}
    compared = {each.tag for each in asked if each.kind is Kind.COMPARE}
    lowered = {each.tag for each in asked if each.lowered}
    searched = {each.tag for each in asked if each.kind in _SEARCHES or each.lowered}
    blank = {each.tag for each in asked if each.kind is Kind.EMPTY}
    lines = ["def triggered(tags):", "get = tags.get", "found = []", "add = found.append"]
    for name, at in tags.items():
        lines.append(f"v{at} = get({name!r})")
        if name in searched:
            lines.append(f"s{at} = v{at} or ''")
        if name in compared:
            lines.append(f"n{at} = None" if lazy else f"n{at} = number(v{at})")
        if name in lowered:
            lines.append(f"l{at} = None" if lazy else f"l{at} = s{at}.lower()")
        if name in blank:
            lines.append(f"e{at} = None if v{at} is None else not v{at}.strip({BLANKS!r})")
    for name, form in forms.items():
        lines.append(f"if {_spelled(form, tags, lazy)}: add({name!r})")
    return [*lines, "return found"]


def _spelled(form: Form, tags: Mapping[str, int], lazy: bool) -> str:
    if isinstance(form, Predicate):
        return _predicate(form, tags[form.tag], lazy)
    join = " and " if form.every else " or "
    return f"({join.join(_spelled(part, tags, lazy) for part in form.parts)})"


def _predicate(asked: Predicate, at: int, lazy: bool) -> str:
    if asked.kind is Kind.HAS:
        return f"v{at} is not None" if asked.wanted else f"v{at} is None"
    if asked.kind is Kind.EMPTY:
        return f"e{at}" if asked.wanted else f"e{at} is False"
    if asked.kind is Kind.COMPARE:
        value = f"(n{at} if n{at} is not None else (n{at} := number(v{at})))" if lazy else f"n{at}"
        if asked.sign == "!=":  # not of NaN
            return f"({value} < {asked.constants[0]!r} or {value} > {asked.constants[0]!r})"
        return f"{value} {asked.sign} {asked.constants[0]!r}"
    text = f"s{at}" if asked.kind in _SEARCHES else f"v{at}"
    if asked.lowered:
        text = f"(l{at} if l{at} is not None else (l{at} := s{at}.lower()))" if lazy else f"l{at}"
    # No constant is empty, so a missing text has none of these; that it has not must be asked.
    return _TEXTS[asked.kind](text, asked.constants, asked.wanted) + (
        "" if asked.wanted else f" and v{at} is not None"
    )


def _membership(text: str, constants: tuple[str | float, ...], wanted: bool) -> str:
    return f"{text} {'in' if wanted else 'not in'} {{{', '.join(map(repr, constants))}}}"


_TEXTS: dict[Kind, Callable[[str, tuple[str | float, ...], bool], str]] = {
    Kind.EQUAL: lambda text, each, wanted: f"{text} {'==' if wanted else '!='} {each[0]!r}",
    Kind.ONE_OF: _membership,
    Kind.PREFIX: lambda text, each, wanted: (
        f"{'' if wanted else 'not '}{text}.startswith({each[0]!r})"
    ),
    Kind.SUFFIX: lambda text, each, wanted: (
        f"{'' if wanted else 'not '}{text}.endswith({each[0]!r})"
    ),
    Kind.CONTAINS: lambda text, each, wanted: f"{each[0]!r} {'in' if wanted else 'not in'} {text}",
}
