"""Which values of an expression are texts and which are numbers, as far as its shape tells.

Knows what tags, literals and functions give. Does not know what is done with it.
"""

from __future__ import annotations

from mroute.expr import Functions, RuleFunction, Type
from mroute.expr.functions import METHODS
from mroute.expr.nodes import (
    Binary,
    Call,
    Choice,
    Index,
    Items,
    Literal,
    Method,
    Node,
    Slice,
    Tag,
    Unary,
)


def kind(node: Node, functions: Functions) -> Type:
    """The type that ``node`` has in mroute, `Type.ANY` where its shape does not tell."""
    match node:
        case Literal(value=bool()):
            return Type.TRUTH
        case Tag() | Literal(value=str()):
            return Type.TEXT
        case Literal() | Unary():
            return Type.NUMBER
        case Items():
            return Type.LIST
        case Method(name=name) if name in METHODS:
            return _plain(METHODS[name])
        case Call(name=name) if name in functions:
            return _plain(functions[name])
        case Choice(then=inner) | Index(value=Tag() as inner) | Slice(value=inner):
            return kind(inner, functions)
        case Binary(operator=sign, left=left, right=right):
            kinds = {kind(left, functions), kind(right, functions)}
            return kinds.pop() if sign == "+" and len(kinds) == 1 else Type.NUMBER
    return Type.ANY


def _plain(function: RuleFunction) -> Type:
    """What ``function`` gives; records are compared by parts, which mercure's rules do not have."""
    return function.returns if isinstance(function.returns, Type) else Type.ANY


def mixes(node: Node, functions: Functions) -> bool:
    """Whether ``node`` puts a text and a number together, which Python does not do."""
    match node:
        case Items(items=items):
            return {Type.TEXT, Type.NUMBER} <= {kind(each, functions) for each in items}
        case Binary(operator=sign, left=left, right=right):
            kinds = {kind(left, functions), kind(right, functions)}
            return Type.TEXT in kinds and not (sign == "+" and kinds == {Type.TEXT})
        case Unary(operand=operand):
            return kind(operand, functions) is Type.TEXT
        case Call(name=name, arguments=arguments) if name in functions:
            return name not in ("int", "float") and _counts(
                arguments, functions[name].arguments, name in ("min", "max", "sum"), functions
            )
        case Method(name=name, arguments=arguments) if name in METHODS:
            return _counts(arguments, METHODS[name].arguments[1:], False, functions)
    return False


def _counts(
    given: tuple[Node, ...], declared: tuple[Type, ...], all_numbers: bool, functions: Functions
) -> bool:
    """Whether a text is given where a number is expected."""
    flat = given[0].items if len(given) == 1 and isinstance(given[0], Items) else given
    if all_numbers:
        return any(kind(each, functions) is Type.TEXT for each in flat)
    return any(
        wanted is Type.NUMBER and kind(each, functions) is Type.TEXT
        for each, wanted in zip(given, declared, strict=False)
    )


def compares(operator: str, left: Node, right: Node, functions: Functions) -> bool:
    """Whether ``left operator right`` compares a text with a number, here or in a list."""
    if operator in ("in", "not in") and isinstance(right, Items):
        others = {kind(each, functions) for each in right.items}
    elif operator in ("in", "not in"):
        return False
    else:
        others = {kind(right, functions)}
    own = kind(left, functions)
    return (own, Type.NUMBER) in ((Type.TEXT, each) for each in others) or (
        own is Type.NUMBER and Type.TEXT in others
    )
