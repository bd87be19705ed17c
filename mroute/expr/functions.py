"""The functions that every rule can call, and the methods of texts.

Knows what each does with values that are known; those about words and patterns are in wording and
matching. Does not know how they are called (calls), or the functions that plugins add (registry).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final

from mroute.expr import matching, wording
from mroute.expr.function import Functions, RuleFunction
from mroute.expr.language import MAX_TEXT, Type
from mroute.expr.outcome import quoted
from mroute.expr.record import RecordValue
from mroute.expr.values import (
    BLANKS,
    Number,
    UnanswerableError,
    Unknown,
    Value,
    is_number,
    kind_of,
    number_of,
)

_SEVERAL = 8
"""How many values min() and max() take beside each other; a list may be longer."""

_DIGITS = 30


def _int(value: Value) -> int:
    if type(value) is str:
        number = number_of(value)
        # As Python: int('2.5') is no whole number, int(2.5) is cut off.
        if type(number) is not int:
            raise UnanswerableError(f"{quoted(value)} is not a whole number")
        return number
    return int(_number(value))


def _number(value: Value) -> Number:
    number = number_of(value)
    if isinstance(number, Unknown):
        raise UnanswerableError(number.reason)
    return number


def _str(value: Value) -> str:
    if type(value) in (tuple, RecordValue):
        raise UnanswerableError(f"{kind_of(value)} is not a text")
    return str(value)


def _len(value: Value) -> int:
    if type(value) not in (str, tuple):
        raise UnanswerableError(f"{kind_of(value)} has no length")
    return len(value)


def _numbers(values: Sequence[Value]) -> list[Number]:
    several = values[0] if len(values) == 1 and type(values[0]) is tuple else values
    return [_number(value) for value in several]


def _of_several(choose: Callable[[list[Number]], Number]) -> Callable[..., Number]:
    def chosen(*values: Value) -> Number:
        numbers = _numbers(values)
        if not numbers:
            raise UnanswerableError("the list is empty")
        return choose(numbers)

    return chosen


def _sum(values: Sequence[Value]) -> Number:
    return sum(_number(value) for value in values)


def _round(value: float, digits: float = 0) -> Number:
    # Beyond the digits a number has, Python would compute 10 ** digits all the same.
    places = int(max(-_DIGITS, min(_DIGITS, digits)))
    return round(value, places) if places else round(value)


def _sorted(values: Sequence[Value]) -> list[Value]:
    if not (all(is_number(v) for v in values) or all(type(v) is str for v in values)):
        raise UnanswerableError("only a list of texts or a list of numbers can be sorted")
    return sorted(values)


def _empty(value: str) -> bool:
    return not value.strip(BLANKS)


def _known(value: str) -> bool:
    # Only ever called with the text of a tag that is there; see calls.has for the rest.
    return True


_ANY, _LIST, _NUMBER, _TEXT, _TRUTH = Type.ANY, Type.LIST, Type.NUMBER, Type.TEXT, Type.TRUTH

BUILTINS: Final[Functions] = MappingProxyType(
    {
        function.name: function
        for function in (
            RuleFunction("float", (_NUMBER,), _NUMBER, float),
            RuleFunction("int", (_ANY,), _NUMBER, _int),
            RuleFunction("str", (_ANY,), _TEXT, _str),
            RuleFunction("len", (_ANY,), _NUMBER, _len),
            RuleFunction("abs", (_NUMBER,), _NUMBER, abs),
            RuleFunction(
                "min", (_ANY,) * _SEVERAL, _NUMBER, _of_several(min), optional=_SEVERAL - 1
            ),
            RuleFunction(
                "max", (_ANY,) * _SEVERAL, _NUMBER, _of_several(max), optional=_SEVERAL - 1
            ),
            RuleFunction("round", (_NUMBER, _NUMBER), _NUMBER, _round, optional=1),
            RuleFunction("sum", (_LIST,), _NUMBER, _sum),
            RuleFunction("any", (_LIST,), _TRUTH, any),
            RuleFunction("all", (_LIST,), _TRUTH, all),
            RuleFunction("sorted", (_LIST,), _LIST, _sorted),
            RuleFunction("has", (_TEXT,), _TRUTH, _known),
            RuleFunction("empty", (_TEXT,), _TRUTH, _empty),
            RuleFunction("same", (_TEXT, _TEXT), _TRUTH, wording.same),
            RuleFunction("has_word", (_TEXT, _TEXT), _TRUTH, wording.has_word),
            RuleFunction("any_of", (_TEXT, _LIST), _TRUTH, wording.any_of),
            RuleFunction("all_of", (_TEXT, _LIST), _TRUTH, wording.all_of),
            RuleFunction("matches", (_TEXT, _TEXT), _TRUTH, matching.matches),
        )
    }
)
"""The language's own functions by name."""


def _starts(text: str, start: Any) -> bool:
    return text.startswith(_texts(start))


def _ends(text: str, end: Any) -> bool:
    return text.endswith(_texts(end))


def _texts(sought: Any) -> Any:
    """A text, or several; whatever is among them, their order does not matter."""
    for each in sought if type(sought) is tuple else (sought,):
        if type(each) is not str:
            raise UnanswerableError(f"{kind_of(each)} is not a text")
    return sought


def _split(text: str, separator: Any = None, most: float = -1) -> list[str]:
    return text.split(separator, int(most))


def _rsplit(text: str, separator: Any = None, most: float = -1) -> list[str]:
    return text.rsplit(separator, int(most))


def _replace(text: str, old: str, new: str, most: float = -1) -> str:
    found = text.count(old) if most < 0 else min(text.count(old), int(most))
    # Before it is done: the result could be larger than the memory.
    _fits(len(text) + found * (len(new) - len(old)))
    return text.replace(old, new, int(most))


def _join(separator: str, texts: Sequence[str]) -> str:
    _fits(len(separator) * len(texts) + sum(map(len, texts)))
    return separator.join(texts)


def _fits(length: int) -> None:
    if length > MAX_TEXT:
        raise UnanswerableError(f"a text has more than {MAX_TEXT:,} characters")


def _find(text: str, sought: str, start: float = 0) -> int:
    return text.find(sought, int(start))


def _rfind(text: str, sought: str, start: float = 0) -> int:
    return text.rfind(sought, int(start))


def _of_text(
    name: str, call: Callable[..., Any], returns: Type, *arguments: Type, optional: int = 0
) -> RuleFunction:
    return RuleFunction(name, (_TEXT, *arguments), returns, call, optional=optional)


METHODS: Final[Functions] = MappingProxyType(
    {
        method.name: method
        for method in (
            _of_text("lower", str.lower, _TEXT),
            _of_text("upper", str.upper, _TEXT),
            _of_text("casefold", str.casefold, _TEXT),
            _of_text("title", str.title, _TEXT),
            _of_text("capitalize", str.capitalize, _TEXT),
            _of_text("strip", str.strip, _TEXT, _TEXT, optional=1),
            _of_text("lstrip", str.lstrip, _TEXT, _TEXT, optional=1),
            _of_text("rstrip", str.rstrip, _TEXT, _TEXT, optional=1),
            _of_text("removeprefix", str.removeprefix, _TEXT, _TEXT),
            _of_text("removesuffix", str.removesuffix, _TEXT, _TEXT),
            _of_text("replace", _replace, _TEXT, _TEXT, _TEXT, _NUMBER, optional=1),
            _of_text("join", _join, _TEXT, _LIST),
            _of_text("startswith", _starts, _TRUTH, _ANY),
            _of_text("endswith", _ends, _TRUTH, _ANY),
            _of_text("isdigit", str.isdigit, _TRUTH),
            _of_text("isnumeric", str.isnumeric, _TRUTH),
            _of_text("isdecimal", str.isdecimal, _TRUTH),
            _of_text("isalpha", str.isalpha, _TRUTH),
            _of_text("isalnum", str.isalnum, _TRUTH),
            _of_text("isspace", str.isspace, _TRUTH),
            _of_text("islower", str.islower, _TRUTH),
            _of_text("isupper", str.isupper, _TRUTH),
            _of_text("split", _split, _LIST, _TEXT, _NUMBER, optional=2),
            _of_text("rsplit", _rsplit, _LIST, _TEXT, _NUMBER, optional=2),
            _of_text("splitlines", str.splitlines, _LIST),
            _of_text("find", _find, _NUMBER, _TEXT, _NUMBER, optional=1),
            _of_text("rfind", _rfind, _NUMBER, _TEXT, _NUMBER, optional=1),
            _of_text("index", str.index, _NUMBER, _TEXT),
            _of_text("count", str.count, _NUMBER, _TEXT),
        )
    }
)
"""The methods of texts by name; the first argument is the text itself."""
