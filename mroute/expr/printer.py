"""The canonical spelling of a tree: reading it gives the same tree.

Knows which operator binds how tightly, and sets no parentheses but those it takes. Does not know
comments or line breaks, which a tree does not have.
"""

from __future__ import annotations

from mroute.expr.nodes import (
    And,
    Attribute,
    Binary,
    Call,
    Choice,
    Compare,
    Count,
    Index,
    Items,
    Literal,
    Loop,
    Method,
    Name,
    Node,
    Not,
    Or,
    Received,
    Slice,
    Tag,
    Tree,
    Unary,
)
from mroute.expr.spelling import write_text

# How tightly things bind, in the order of the grammar.
_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _VALUE = range(9)


def print_tree(tree: Tree) -> str:
    """``tree`` in its canonical spelling."""
    return print_node(tree.root)


def print_node(node: Node) -> str:
    """``node`` in its canonical spelling, without parentheses around the whole."""
    return _write(node, _CHOICE)


def _write(node: Node, around: int) -> str:
    """``node``, in parentheses where it binds less tightly than ``around`` asks for."""
    text, binding = _spell(node)
    return f"({text})" if binding < around else text


def _spell(node: Node) -> tuple[str, int]:
    match node:
        case Choice(then=then, test=test, otherwise=otherwise):
            parts = _write(then, _OR), _write(test, _OR), _write(otherwise, _CHOICE)
            return "{} if {} else {}".format(*parts), _CHOICE
        case Or(operands=operands):
            return " or ".join(_write(operand, _AND) for operand in operands), _OR
        case And(operands=operands):
            return " and ".join(_write(operand, _NOT) for operand in operands), _AND
        case Not(operand=operand):
            return f"not {_write(operand, _NOT)}", _NOT
        case Compare(operators=operators, operands=operands):
            words = [_write(operands[0], _SUM)]
            for sign, operand in zip(operators, operands[1:], strict=True):
                words += [sign, _write(operand, _SUM)]
            return " ".join(words), _COMPARE
        case Count(name=name, operator=sign, number=number):
            return f"count({write_text(name)}) {sign} {number}", _COMPARE
        case Binary(operator=sign, left=left, right=right):
            binding = _SUM if sign in "+-" else _PRODUCT
            return f"{_write(left, binding)} {sign} {_write(right, binding + 1)}", binding
        case Unary(operator=sign, operand=operand):
            return sign + _write(operand, _SIGN), _SIGN
        case _:
            return _spell_value(node), _VALUE


def _spell_value(node: Node) -> str:
    match node:
        case Literal(value=str(value)) | Received(name=value):
            return write_text(value)
        case Literal(value=value):
            return repr(value)
        case Tag(name=name, exact=True):
            return f"tags[{write_text(name)}]"
        case Tag(name=name):
            return f"tags.{name}"
        case Name(name=name):
            return name
        case Items(items=items):
            return f"[{_list(items)}]"
        case Call(name=name, arguments=arguments):
            return f"{name}({_list(arguments)})"
        case Loop():
            return _spell_loop(node)
        case _:
            return _spell_part(node)


def _spell_part(node: Node) -> str:
    match node:
        case Attribute(value=value, name=name):
            return f"{_write(value, _VALUE)}.{name}"
        case Method(value=value, name=name, arguments=arguments):
            return f"{_write(value, _VALUE)}.{name}({_list(arguments)})"
        case Index(value=value, index=index):
            return f"{_write(value, _VALUE)}[{_write(index, _CHOICE)}]"
        case Slice(value=value, lower=lower, upper=upper, step=step):
            last = "" if step is None else f":{_bound(step)}"
            return f"{_write(value, _VALUE)}[{_bound(lower)}:{_bound(upper)}{last}]"
        case _:
            raise TypeError(f"no spelling for {node!r}")


def _spell_loop(node: Loop) -> str:
    text = f"{_write(node.body, _CHOICE)} for {node.variable} in {_write(node.source, _OR)}"
    text += "".join(f" if {_write(condition, _OR)}" for condition in node.filters)
    return f"{node.name}({text})" if node.name else f"[{text}]"


def _bound(node: Node | None) -> str:
    return "" if node is None else _write(node, _CHOICE)


def _list(nodes: tuple[Node, ...]) -> str:
    return ", ".join(_write(node, _CHOICE) for node in nodes)
