"""What has to be so for a condition to be true, as predicates on one tag each, without negations.

That a predicate is true and that it is false are two statements, for on a tag that is missing or
cannot be read it is neither. Knows the part of the rule language that the workload uses; any other
node is a `TypeError`. Reference and peers are translated from this, so that all say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from mroute.expr.nodes import And, Call, Compare, Items, Literal, Method, Name, Node, Not, Or, Tag


class Kind(Enum):
    """What is asked about a tag."""

    EQUAL = "equal"
    ONE_OF = "one of"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    CONTAINS = "contains"
    COMPARE = "compare"
    HAS = "has"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Predicate:
    """Whether a tag, in lower case where ``lowered``, is so - or, unless ``wanted``, is not.

    ``constants`` are the texts, or the number, that it is compared with, by ``sign`` if numbers are
    compared. These are always ``wanted``: that a comparison is false is another comparison.
    """

    kind: Kind
    tag: str
    wanted: bool
    constants: tuple[str | float, ...] = ()
    lowered: bool = False
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """All of the parts, or one of them at least."""

    every: bool
    parts: tuple[Form, ...]


Form: TypeAlias = Predicate | Joined

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_TURNED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_METHODS = {"startswith": Kind.PREFIX, "endswith": Kind.SUFFIX}
_CALLS = {"has": Kind.HAS, "empty": Kind.EMPTY}


def form_of(node: Node, wanted: bool = True) -> Form:
    """When ``node`` is true, or false unless ``wanted``."""
    match node:
        case And(operands=operands) | Or(operands=operands):
            parts = tuple(form_of(each, wanted) for each in operands)
            return Joined(isinstance(node, And) is wanted, parts)
        case Not(operand=operand):
            return form_of(operand, not wanted)
        case Compare(operators=(sign,), operands=(left, right)):
            return _comparison(sign, left, right, wanted)
        case Compare(operators=signs, operands=operands):
            pairs = zip(signs, operands, operands[1:], strict=False)
            return Joined(wanted, tuple(_comparison(*pair, wanted) for pair in pairs))
        case Method(value=value, name=name, arguments=(Literal(value=str(text)),)) if (
            name in _METHODS
        ):
            return _on_text(_METHODS[name], value, (text,), wanted)
        case Call(name=name, arguments=(Tag(name=tag) | Name(name=tag),)) if name in _CALLS:
            return Predicate(_CALLS[name], tag, wanted)
    raise TypeError(f"the benchmark does not translate {node!r}")


def predicates(form: Form) -> list[Predicate]:
    """All predicates of ``form``, from left to right."""
    if isinstance(form, Predicate):
        return [form]
    return [each for part in form.parts for each in predicates(part)]


def _comparison(sign: str, left: Any, right: Any, wanted: bool) -> Form:
    if sign in ("in", "not in"):
        wanted = wanted is (sign == "in")
        if isinstance(right, Items):
            return _on_text(Kind.ONE_OF, left, tuple(map(_text, right.items)), wanted)
        return _on_text(Kind.CONTAINS, right, (_text(left),), wanted)
    if isinstance(left, Literal):
        return _comparison(_TURNED[sign], right, left, wanted)
    if not isinstance(right, Literal) or isinstance(right.value, bool):
        raise TypeError(f"the benchmark does not compare with {right!r}")
    if isinstance(right.value, str):
        return _on_text(Kind.EQUAL, left, (right.value,), wanted is (sign == "=="))
    if not isinstance(left, Tag):
        raise TypeError(f"the benchmark does not compare {left!r} with a number")
    sign = sign if wanted else _OPPOSITE[sign]
    return Predicate(Kind.COMPARE, left.name, True, (right.value,), sign=sign)


def _text(node: Any) -> str:
    if isinstance(node, Literal) and isinstance(node.value, str) and node.value:
        return node.value
    raise TypeError(f"the benchmark expects a text, not {node!r}")


def _on_text(kind: Kind, node: Any, constants: tuple[str, ...], wanted: bool) -> Predicate:
    lowered = isinstance(node, Method) and node.name == "lower"
    tag = node.value if lowered else node
    if not isinstance(tag, Tag) or not all(constants):
        raise TypeError(f"the benchmark does not translate {node!r}")
    return Predicate(kind, tag.name, wanted, constants, lowered)
