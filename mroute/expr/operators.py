"""The operators, on values and on unknown ones.

Knows what each operator means for every combination of values; none of them ever raises. Does not
know expressions: the compiled code calls these functions with the values of the operands.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from mroute.expr.language import MAX_ITEMS, MAX_TEXT
from mroute.expr.outcome import quoted
from mroute.expr.record import RecordValue
from mroute.expr.values import (
    Unknown,
    Value,
    bounded_number,
    integer_of,
    is_number,
    kind_of,
    number_of,
)

_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


# ---- Truth values (Kleene) ----------------------------------------------------------------------


def truth(value: Value) -> bool | Unknown:
    """``value`` where it is a truth value; nothing else is taken for one."""
    if value is True or value is False or type(value) is Unknown:
        return value
    return Unknown(f"{kind_of(value)} is neither true nor false")


def negation(value: Value) -> bool | Unknown:
    """``not value``."""
    return not value if value is True or value is False else truth(value)


def conjunction(*values: Value) -> bool | Unknown:
    """False where any is false, else unknown where any is unknown, else true."""
    if any(v is False for v in values):
        return False
    return next((truth(v) for v in values if v is not True), True)


def disjunction(*values: Value) -> bool | Unknown:
    """True where any is true, else unknown where any is unknown, else false."""
    if any(v is True for v in values):
        return True
    return next((truth(v) for v in values if v is not False), False)


# ---- Comparison ---------------------------------------------------------------------------------


def compare(sign: str, left: Value, right: Value) -> bool | Unknown:
    """``left sign right`` for ``== != < <= > >=``.

    Where one is a number and the other a text, the text is read as a number. Values of kinds that
    have nothing to do with each other are unequal, and their order is unknown.
    """
    a, b = type(left), type(right)
    if a is str and b is str:
        return cast(bool, _ORDER[sign](left, right))
    if a is Unknown or b is Unknown:
        return cast(Unknown, left if a is Unknown else right)
    if is_number(left) or is_number(right):
        if a is str or b is str:
            left, right = number_of(left), number_of(right)
            return compare(sign, left, right)
        if is_number(left) and is_number(right):
            return cast(bool, _ORDER[sign](left, right))
    if sign not in ("==", "!="):
        return _order(sign, left, right)
    equal = _equal(left, right)
    return equal if sign == "==" else negation(equal)


def chain(signs: Sequence[str], *values: Value) -> bool | Unknown:
    """``a < b <= c``: every neighbouring pair, joined by ``and``."""
    return conjunction(
        *(
            relation(sign, left, right)
            for sign, left, right in zip(signs, values, values[1:], strict=False)
        )
    )


def relation(sign: str, left: Value, right: Value) -> bool | Unknown:
    """``left sign right`` for any of the operators that may be chained."""
    if sign == "in":
        return contains(left, right)
    if sign == "not in":
        return negation(contains(left, right))
    return compare(sign, left, right)


def contains(left: Value, right: Value) -> bool | Unknown:
    """``left in right``: a text in a text, or a value equal to an item of a list."""
    if type(left) is Unknown:
        return left
    if type(right) is tuple:
        if type(left) is str:
            if left in right:
                return True
            # Other texts were found to be unequal just now.
            others = [item for item in right if type(item) is not str]
            return disjunction(*(compare("==", left, item) for item in others))
        return disjunction(*(compare("==", left, item) for item in right))
    if type(right) is Unknown:
        return right
    if type(right) is str and type(left) is str:
        return left in right
    return Unknown(f"{kind_of(left)} is not looked for in {kind_of(right)}")


def _equal(left: Value, right: Value) -> bool | Unknown:
    """Whether truth values, lists and records are equal; what is of two kinds is not."""
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is tuple and len(left) == len(right):
        return conjunction(*(compare("==", a, b) for a, b in zip(left, right, strict=True)))
    if kind is RecordValue and left.kind == right.kind:
        return conjunction(*(compare("==", a, right.parts[n]) for n, a in left.parts.items()))
    return kind is bool and left is right


def _order(sign: str, left: Value, right: Value) -> bool | Unknown:
    """The order of two records of one kind: the first part decides in which they differ."""
    kinds = {v.kind if type(v) is RecordValue else None for v in (left, right)}
    kind = kinds.pop()
    if kinds or kind is None or not kind.ordered:
        return Unknown(f"{kind_of(left)} is neither less nor more than {kind_of(right)}")
    for name, value in left.parts.items():
        equal = compare("==", value, right.parts[name])
        if equal is not True:
            return compare(sign, value, right.parts[name]) if equal is False else equal
    return sign in ("<=", ">=")


# ---- Arithmetic ---------------------------------------------------------------------------------


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """``left sign right`` for ``+ - * / // %``: of numbers; ``+`` of two texts or lists too."""
    if type(left) is Unknown:
        return left
    if type(right) is Unknown:
        return right
    if sign == "+" and type(left) is type(right) and type(left) in (str, tuple):
        most, items = (MAX_TEXT, "characters") if type(left) is str else (MAX_ITEMS, "items")
        if len(left) + len(right) > most:
            return Unknown(f"{kind_of(left)} has more than {most:,} {items}")
        return left + right
    a, b = number_of(left), number_of(right)
    if isinstance(a, Unknown):
        return a
    if isinstance(b, Unknown):
        return b
    try:
        return bounded_number(_ARITHMETIC[sign](a, b))
    except ZeroDivisionError:
        return Unknown("division by zero")
    except OverflowError:
        return Unknown("a number is too large")


def signed(sign: str, value: Value) -> Value:
    """``-value`` or ``+value``."""
    number = number_of(value)
    if isinstance(number, Unknown):
        return number
    return -number if sign == "-" else number


# ---- Parts --------------------------------------------------------------------------------------


def item(value: Value, index: Value) -> Value:
    """``value[index]`` of a text or list; unknown where there is no such item."""
    if type(value) is Unknown:
        return value
    position = integer_of(index)
    if isinstance(position, Unknown):
        return position
    if type(value) not in (str, tuple):
        return Unknown(f"{kind_of(value)} has no items")
    if -len(value) <= position < len(value):
        return value[position]
    shown = quoted(value) if type(value) is str else f"a list of {len(value)}"
    return Unknown(f"there is no item {position} in {shown}")


def part(value: Value, *bounds: Value) -> Value:
    """``value[lower:upper:step]`` of a text or list; a bound of None is left out."""
    if type(value) is Unknown:
        return value
    numbers = [None if bound is None else integer_of(bound) for bound in bounds]
    for number in numbers:
        if isinstance(number, Unknown):
            return number
    if type(value) not in (str, tuple):
        return Unknown(f"{kind_of(value)} has no parts")
    if len(numbers) > 2 and numbers[2] == 0:
        return Unknown("a step of 0 leads nowhere")
    return value[slice(*numbers)]


def named(value: Value, name: str) -> Value:
    """``value.name`` of a record; unknown where there is no such part."""
    if type(value) is Unknown:
        return value
    if type(value) is RecordValue and name in value.parts:
        return value.parts[name]
    return Unknown(f"{kind_of(value)} has no part '{name}'")
