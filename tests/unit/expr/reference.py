"""A slow reference interpreter of conditions, written apart from the compiler.

Walks the tree and follows the meaning word by word; None is the value of what is unknown. Knows
nothing of mroute.expr but its nodes.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from mroute.expr import nodes as n

DICOM = ("Modality", "SliceThickness", "SeriesDescription", "PixelSpacing", "SeriesNumber")
BLANK = " \t\r\n\f\v\0"
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "+": operator.add, "-": operator.sub,
    "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


def evaluate(  # noqa: C901 - one case a node, and all of them on one page
    node: Any, tags: Mapping[str, str], env: Mapping[str, Any]
) -> Any:
    """The value of ``node``; ``env`` holds the variables of the loops around it."""

    def value(inner: Any) -> Any:
        return evaluate(inner, tags, env)

    match node:
        case n.Literal(value=literal):
            return literal
        case n.Name(name=name):
            return env[name]
        case n.Items(items=items):
            return [value(item) for item in items]
        case n.Tag(name=name, exact=exact):
            others = [] if exact else sorted(k for k in tags if k.lower() == name.lower())
            # As it is written, else as DICOM does, else the first by the alphabet.
            wanted = [k for k in (name, *DICOM, *others) if k == name or k in others]
            return next((tags[k] for k in wanted if k in tags), None)
        case n.And(operands=operands):
            return every([value(operand) for operand in operands])
        case n.Or(operands=operands):
            return negate(every([negate(value(operand)) for operand in operands]))
        case n.Not(operand=operand):
            return negate(value(operand))
        case n.Choice(then=then, test=test, otherwise=otherwise):
            decided = value(test)
            return None if decided is None else value(then) if decided else value(otherwise)
        case n.Compare(operators=signs, operands=operands):
            values = [value(operand) for operand in operands]
            return every([relate(*pair) for pair in zip(signs, values, values[1:], strict=False)])
        case n.Loop(name=name, body=body, variable=variable, source=source, filters=filters):
            values = value(source)
            if values is None:
                return None
            rounds = []
            for item in values:
                inside = {**env, variable: item}
                kept = every([evaluate(f, tags, inside) for f in filters])
                answer = evaluate(body, tags, inside)
                # all(b if f) is not any(not b if f)
                rounds.append(negate(every([kept, answer if name == "any" else negate(answer)])))
            return negate(every(rounds)) if name == "any" else every(rounds)
        case n.Binary(operator=sign, left=left, right=right):
            return compute(sign, value(left), value(right))
        case n.Unary(operator=sign, operand=operand):
            return compute(sign, 0, value(operand))
        case n.Index(value=whole, index=index):
            return attempt(lambda w, i: w[integer(i)], value(whole), value(index))
        case n.Slice(value=whole, lower=lower, upper=upper):
            return attempt(
                lambda w, a, b: w[integer(a) : integer(b)],
                value(whole),
                0 if lower is None else value(lower),
                10**6 if upper is None else value(upper),
            )
        case n.Attribute(value=record, name=name):
            return attempt(lambda parts: parts[name], value(record))
        case n.Call(name="has", arguments=(tag,)):
            return value(tag) is not None
        case n.Call(name=name, arguments=(argument,)):
            return attempt(FUNCTIONS[name], value(argument))
        case n.Method(value=text, name=name, arguments=arguments):
            return attempt(getattr(str, name), value(text), *map(value, arguments))
    raise TypeError(node)


def every(values: list[Any]) -> bool | None:
    """Kleene's and."""
    return False if False in values else None if None in values else True


def negate(value: bool | None) -> bool | None:
    return None if value is None else not value


def attempt(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call gives where everything is known and it works, else unknown."""
    if any(argument is None for argument in arguments):
        return None
    try:
        return call(*arguments)
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return None


def number(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip(BLANK)
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
            raise ValueError(value)
        value = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else float(text)
    if not math.isfinite(value) or (isinstance(value, int) and abs(value) > 10**30):
        raise ValueError(value)
    return value


def integer(value: Any) -> int:
    if number(value) != int(number(value)):
        raise ValueError(value)
    return int(number(value))


def whole(value: Any) -> int:
    if isinstance(value, str) and not isinstance(number(value), int):
        raise ValueError(value)
    return int(number(value))


def pair(text: str) -> dict[str, Any]:
    if text.strip() == "":
        raise ValueError(text)
    left, *right = text.split(".", 1)
    return {"left": left, "right": right[0] if right else None, "size": len(text)}


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "float": lambda v: float(number(v)),
    "int": whole,
    "str": str,
    "len": len,
    "abs": lambda v: abs(number(v)),
    "empty": lambda v: not v.strip(BLANK),
    "pair": pair,
}


def compute(sign: str, left: Any, right: Any) -> Any:
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    return attempt(lambda a, b: number(SIGNS[sign](number(a), number(b))), left, right)


def relate(sign: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if sign in ("in", "not in"):
        if isinstance(right, str):
            found: bool | None = left in right
        else:
            found = negate(every([negate(relate("==", left, item)) for item in right]))
        return found if sign == "in" else negate(found)
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        same = len(left) == len(right) and every([relate("==", a, b) for a, b in pairs])
        return same if sign == "==" else negate(same)
    if isinstance(left, dict):
        for a, b in zip(left.values(), right.values(), strict=True):
            if sign not in ("==", "!=") and relate("==", a, b) is not True:
                return relate(sign, a, b)
        same = every([relate("==", left[name], right[name]) for name in left])
        return same if sign in ("==", "<=", ">=") else negate(same)
    if isinstance(left, str) != isinstance(right, str):
        answer: bool | None = attempt(lambda a, b: SIGNS[sign](number(a), number(b)), left, right)
        return answer
    return bool(SIGNS[sign](left, right))
