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
FAILURES = (ValueError, TypeError, IndexError, ArithmeticError)


def decide(root: n.Node, tags: Mapping[str, str]) -> bool | None:
    """True, false, or None for unknown: the value of the condition ``root``."""
    return truth(evaluate(root, tags, {}))


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
            return some([value(operand) for operand in operands])
        case n.Not(operand=operand):
            return negate(value(operand))
        case n.Choice(then=then, test=test, otherwise=otherwise):
            decided = truth(value(test))
            return None if decided is None else value(then) if decided else value(otherwise)
        case n.Compare(operators=signs, operands=operands):
            values = [value(operand) for operand in operands]
            return every([relate(*pair) for pair in zip(signs, values, values[1:], strict=False)])
        case n.Loop(source=n.Name(name=n.SERIES)):
            return over_series(node, env)
        case n.Loop(name=name, body=body, variable=variable, source=source, filters=filters):
            values = value(source)
            if not isinstance(values, list):
                return None
            rounds = []
            for item in values:
                inside = {**env, variable: item}
                kept = every([evaluate(f, tags, inside) for f in filters])
                answer = evaluate(body, tags, inside)
                # all(b if f) is not any(not b if f)
                rounds.append(every([kept, answer if name == "any" else negate(answer)]))
            return some(rounds) if name == "any" else negate(some(rounds))
        case n.Binary(operator=sign, left=left, right=right):
            return attempt(lambda a, b: compute(sign, a, b), value(left), value(right))
        case n.Unary(operator=sign, operand=operand):
            return attempt(lambda a: compute(sign, 0, a), value(operand))
        case n.Index(value=whole, index=index):
            return attempt(lambda w, i: w[integer(i)], value(whole), value(index))
        case n.Slice(value=whole, lower=lower, upper=upper, step=step):
            bounds = [... if bound is None else value(bound) for bound in (lower, upper, step)]
            return attempt(
                lambda w, *b: w[slice(*(None if x is ... else integer(x) for x in b))],
                value(whole),
                *bounds,
            )
        case n.Attribute(value=record, name=name):
            return attempt(lambda parts: parts[name], value(record))
        case n.Call(name="has", arguments=(tag,)):
            return value(tag) is not None
        case n.Call(name="any" | "all" as name, arguments=(argument,)):
            values = value(argument)
            joined = some if name == "any" else every
            return joined(values) if isinstance(values, list) else None
        case n.Call(name=name, arguments=arguments):
            return called(FUNCTIONS[name], *map(value, arguments))
        case n.Method(value=text, name=name, arguments=arguments):
            return called(METHODS.get(name, getattr(str, name)), *map(value, (text, *arguments)))
    raise TypeError(node)


def decide_study(
    root: n.Node, tags: Mapping[str, str], series: list[Mapping[str, str]]
) -> bool | None:
    """The value of the condition ``root`` over a study."""
    return truth(evaluate(root, tags, {n.SERIES: series}))


def over_series(loop: n.Loop, env: Mapping[str, Any]) -> bool | int | None:
    """A loop over the series of a study: what is in it is about the tags of one of them."""
    answers = []
    for one in env[n.SERIES]:
        kept = every([evaluate(each, one, {}) for each in loop.filters])
        answer = evaluate(loop.body, one, {})
        answers.append(every([kept, negate(answer) if loop.name == "all" else answer]))
    if loop.name == "count":
        return None if None in answers else answers.count(True)
    return negate(some(answers)) if loop.name == "all" else some(answers)


def truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def every(values: list[Any]) -> bool | None:
    """Kleene's and."""
    known = [truth(value) for value in values]
    return False if False in known else None if None in known else True


def some(values: list[Any]) -> bool | None:
    return negate(every([negate(value) for value in values]))


def negate(value: Any) -> bool | None:
    return None if truth(value) is None else not value


def attempt(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call gives where its arguments are known and it works, else unknown."""
    if any(argument is None for argument in arguments):
        return None
    try:
        result = call(*arguments)
    except FAILURES:
        return None
    too_long = isinstance(result, (str, list)) and len(result) > 10 ** (4 + isinstance(result, str))
    return None if too_long else result


def called(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives, which sees nothing unknown within a list either."""

    def within(value: Any) -> bool:
        return value is None or (isinstance(value, list) and any(map(within, value)))

    return None if any(map(within, arguments)) else attempt(call, *arguments)


def number(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip(BLANK)
        pattern = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
        if len(text) > 400 or not re.fullmatch(pattern, text):
            raise ValueError(value)
        value = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else float(text)
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(value)
    if isinstance(value, int) and abs(value) > 10**30:
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


def numbers(*values: Any) -> list[Any]:
    return [number(v) for v in (values[0] if isinstance(values[0], list) else values)]


def text_of(value: Any) -> str:
    if isinstance(value, list):
        raise TypeError(value)
    return str(value)


def in_order(values: list[Any]) -> list[Any]:
    kinds = {kind(value) for value in values}
    if kinds not in (set(), {"text"}, {"number"}):
        raise TypeError(values)
    return sorted(values)


def joined(separator: str, values: Any) -> str:
    if not isinstance(values, list):
        raise TypeError(values)
    return str.join(separator, values)


def all_texts(value: Any) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value]
    if {kind(text) for text in texts} - {"text"}:
        raise TypeError(value)
    return tuple(texts)


def with_number(name: str) -> Callable[..., Any]:
    """A method whose last argument beyond the texts is a number."""
    texts = 3 if name == "replace" else 2
    method = getattr(str, name)
    return lambda *a: method(*a[:texts], *(int(number(each)) for each in a[texts:]))


def pair(text: str) -> dict[str, Any]:
    if str.strip(text) == "":
        raise ValueError(text)
    left, *right = text.split(".", 1)
    return {"left": left, "right": right[0] if right else None, "size": len(text)}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "float": lambda v: float(number(v)),
    "int": whole,
    "str": text_of,
    "len": len,
    "abs": lambda v: abs(number(v)),
    "empty": lambda v: not str.strip(v, BLANK),
    "min": lambda *v: min(numbers(*v)),
    "max": lambda *v: max(numbers(*v)),
    "sum": lambda v: number(sum(numbers(v))),
    "round": lambda v, d=0: number(round(number(v), d) if d else round(number(v))),
    "sorted": in_order,
    "pair": pair,
}
METHODS: dict[str, Callable[..., Any]] = {
    **{name: with_number(name) for name in ("split", "rsplit", "replace", "find", "rfind")},
    "join": joined,
    "startswith": lambda t, s: str.startswith(t, all_texts(s)),
    "endswith": lambda t, s: str.endswith(t, all_texts(s)),
}


def compute(sign: str, left: Any, right: Any) -> Any:
    if sign == "+" and kind(left) == kind(right) and kind(left) in ("text", "list"):
        return left + right
    return number(SIGNS[sign](number(left), number(right)))


def kind(value: Any) -> str:
    names = {str: "text", bool: "truth", list: "list", dict: "record"}
    return names.get(type(value), "number")


def relate(sign: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    kinds = {kind(left), kind(right)}
    if sign in ("in", "not in"):
        found: bool | None = None
        if isinstance(right, list):
            found = some([relate("==", left, item) for item in right])
        elif kinds == {"text"}:
            found = left in right
        return found if sign == "in" else negate(found)
    if kinds == {"text", "number"}:
        return truth(attempt(lambda a, b: SIGNS[sign](number(a), number(b)), left, right))
    if kinds in ({"text"}, {"number"}):
        return bool(SIGNS[sign](left, right))
    if kinds == {"record"}:
        return relate_parts(sign, list(left.values()), list(right.values()))
    if sign not in ("==", "!="):
        return None
    same: bool | None = len(kinds) == 1 and (kinds == {"list"} or left == right)
    if kinds == {"list"}:
        pairs = [relate("==", a, b) for a, b in zip(left, right, strict=False)]
        same = every(pairs) if len(left) == len(right) else False
    return same if sign == "==" else negate(same)


def relate_parts(sign: str, left: list[Any], right: list[Any]) -> bool | None:
    """Of two records, the first part in which they differ decides their order."""
    for a, b in zip(left, right, strict=True):
        if sign not in ("==", "!=") and relate("==", a, b) is not True:
            return relate(sign, a, b)
    same = every([relate("==", a, b) for a, b in zip(left, right, strict=True)])
    return same if sign in ("==", "<=", ">=") else negate(same)
