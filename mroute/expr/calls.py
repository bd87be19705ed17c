"""How compiled code calls functions and methods, and runs the loops of any() and all().

Knows what a declared type demands of a value, and what becomes of an exception. Does not know which
functions there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mroute.expr.function import RuleFunction
from mroute.expr.language import Type
from mroute.expr.operators import conjunction, disjunction, truth
from mroute.expr.record import Record, RecordValue
from mroute.expr.values import (
    UnanswerableError,
    Unknown,
    Value,
    bounded,
    first_unknown,
    is_number,
    kind_of,
    number_of,
)

_KINDS: dict[Type, Callable[[Value], bool]] = {
    Type.TEXT: lambda value: type(value) is str,
    Type.NUMBER: is_number,
    Type.TRUTH: lambda value: type(value) is bool,
    Type.LIST: lambda value: type(value) is tuple,
    Type.ANY: lambda value: True,
}

_SAID = 300
"""Characters of an exception that a reason repeats."""


def bind(function: RuleFunction, title: str = "") -> Callable[..., Value]:
    """A callable that takes and gives values of the language, unknown ones included.

    Args:
        function: what to call.
        title: how reasons name it; "function 'name' of plugin 'plugin'" when left out.

    Returns:
        The callable. It never raises: whatever goes wrong in ``function`` makes its result unknown.
    """
    named = title or function.title
    declared = function.arguments
    call = function.call

    def bound(*arguments: Value) -> Value:
        unknown = first_unknown(arguments)
        if unknown is not None:
            return unknown
        values = []
        for kind, value in zip(declared, arguments, strict=False):
            taken = number_of(value) if kind is Type.NUMBER else value
            if type(taken) is Unknown:
                return taken
            if not _KINDS[kind](taken):
                return Unknown(f"{named} takes a {kind}, not {kind_of(taken)}")
            values.append(taken)
        return _result(function, named, call, values)

    return bound


def _result(
    function: RuleFunction, named: str, call: Callable[..., Any], values: list[Value]
) -> Value:
    returns = function.returns
    try:
        given = call(*values)
        if given is None:
            return Unknown(f"{named} gave nothing")
        if isinstance(returns, Record) and type(given) is not RecordValue:
            return _record(returns, named, given)
        result = bounded(given)
    except UnanswerableError as reason:
        return Unknown(str(reason))
    except Exception as error:  # noqa: BLE001 - a plugin's mistake must not reach other rules
        return Unknown(f"{named} failed: {_words_of(error)}")
    if type(result) is Unknown:
        return Unknown(f"{named}: {result.reason}")
    fits = result.kind == returns if isinstance(returns, Record) else _KINDS[returns](result)
    return result if fits else Unknown(f"{named} gave {kind_of(result)}, not a {returns}")


def _record(kind: Record, named: str, given: object) -> RecordValue | Unknown:
    """The record of the parts in ``given``. Nothing of it is read but by the names of parts."""
    if not isinstance(given, Mapping):
        return Unknown(f"{named} gave {kind_of(given)}, not a {kind}")
    parts = {}
    for name, declared in kind.parts.items():
        value = given.get(name)
        if value is None:
            parts[name] = Unknown(f"this {kind} has no {name}")
            continue
        parts[name] = taken = bounded(value)
        if type(taken) is Unknown:
            return Unknown(f"{named}: part '{name}': {taken.reason}")
        if not _KINDS[declared](taken):
            return Unknown(f"{named} gave {kind_of(taken)} as '{name}', not a {declared}")
    return RecordValue(kind, MappingProxyType(parts))


def _words_of(error: Exception) -> str:
    try:
        words = str.__str__(str(error))[:_SAID]
    except Exception:  # noqa: BLE001 - it is a plugin's, too
        words = ""
    return words or type(error).__name__


def has(value: Value) -> bool:
    """Whether a tag is there: the one question whose answer is never unknown."""
    return type(value) is not Unknown


def any_true(values: Value) -> bool | Unknown:
    """``any(list)``: its items joined by ``or``."""
    return disjunction(*values) if type(values) is tuple else _no_list(values)


def all_true(values: Value) -> bool | Unknown:
    """``all(list)``: its items joined by ``and``."""
    return conjunction(*values) if type(values) is tuple else _no_list(values)


def loop(stop: bool, source: Value, body: Callable[[Value], Value]) -> bool | Unknown:
    """``any(body for x in source)`` where ``stop`` is true, ``all(...)`` where it is false.

    Args:
        stop: the answer of one round that decides the whole.
        source: the list.
        body: takes an item.
    """
    if type(source) is not tuple:
        return _no_list(source)
    unknown: Unknown | None = None
    for value in source:
        answer = truth(body(value))
        if answer is stop:
            return stop
        if unknown is None and type(answer) is Unknown:
            unknown = answer
    return not stop if unknown is None else unknown


def counted(source: Value, body: Callable[[Value], Value]) -> int | Unknown:
    """``count(body for x in source)``: for how many it is true; unknown where it is for one."""
    if type(source) is not tuple:
        return _no_list(source)
    true = 0
    for value in source:
        answer = truth(body(value))
        if type(answer) is Unknown:
            return answer
        true += answer is True
    return true


def _no_list(value: Value) -> Unknown:
    return value if type(value) is Unknown else Unknown(f"{kind_of(value)} is not a list")
