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
        return _order_of_others(sign, left, right)
    equal = _equal_lists(left, right) if a is tuple and b is tuple else a is b and left == right
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


def _equal_lists(left: tuple[Value, ...], right: tuple[Value, ...]) -> bool | Unknown:
    if len(left) != len(right):
        return False
    return conjunction(*(compare("==", a, b) for a, b in zip(left, right, strict=True)))


def _order_of_others(sign: str, left: Value, right: Value) -> bool | Unknown:
    if type(left) is type(right) and type(left) not in (bool, tuple):
        try:
            answer = _ORDER[sign](left, right)
        except TypeError:
            answer = None
        if type(answer) is bool:
            return answer
    return Unknown(f"{kind_of(left)} is neither less nor more than {kind_of(right)}")


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
