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

# How tightly things bind, in the order of the grammar; the layout of lines asks for it, too.
CHOICE, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, VALUE = range(9)


def print_tree(tree: Tree) -> str:
    """``tree`` in its canonical spelling."""
    return print_node(tree.root)


def print_node(node: Node) -> str:
    """``node`` in its canonical spelling, without parentheses around the whole."""
    return write_node(node, CHOICE)


def write_node(node: Node, around: int) -> str:
    """``node``, in parentheses where it binds less tightly than ``around`` asks for."""
    text, binding = _spell(node)
    return f"({text})" if binding < around else text


def _spell(node: Node) -> tuple[str, int]:
    match node:
        case Choice(then=then, test=test, otherwise=otherwise):
            parts = write_node(then, OR), write_node(test, OR), write_node(otherwise, CHOICE)
            return "{} if {} else {}".format(*parts), CHOICE
        case Or(operands=operands):
            return " or ".join(write_node(operand, AND) for operand in operands), OR
        case And(operands=operands):
            return " and ".join(write_node(operand, NOT) for operand in operands), AND
        case Not(operand=operand):
            return f"not {write_node(operand, NOT)}", NOT
        case Compare(operators=operators, operands=operands):
            words = [write_node(operands[0], SUM)]
            for sign, operand in zip(operators, operands[1:], strict=True):
                words += [sign, write_node(operand, SUM)]
            return " ".join(words), COMPARE
        case Count(name=name, operator=sign, number=number):
            return f"count({write_text(name)}) {sign} {number}", COMPARE
        case Binary(operator=sign, left=left, right=right):
            binding = SUM if sign in "+-" else PRODUCT
            return f"{write_node(left, binding)} {sign} {write_node(right, binding + 1)}", binding
        case Unary(operator=sign, operand=operand):
            return sign + write_node(operand, SIGN), SIGN
        case _:
            return _spell_value(node), VALUE


def _spell_value(node: Node) -> str:
    match node:
        case Literal(value=str(value)) | Received(name=value):
            return write_text(value)
        case Literal(value=value):
            return repr(value)
        case Tag(name=name, exact=True, owner=owner):
            return f"{owner}[{write_text(name)}]"
        case Tag(name=name, owner=owner):
            return f"{owner}.{name}"
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
            return f"{write_node(value, VALUE)}.{name}"
        case Method(value=value, name=name, arguments=arguments):
            return f"{write_node(value, VALUE)}.{name}({_list(arguments)})"
        case Index(value=value, index=index):
            return f"{write_node(value, VALUE)}[{write_node(index, CHOICE)}]"
        case Slice(value=value, lower=lower, upper=upper, step=step):
            last = "" if step is None else f":{_bound(step)}"
            return f"{write_node(value, VALUE)}[{_bound(lower)}:{_bound(upper)}{last}]"
        case _:
            raise TypeError(f"no spelling for {node!r}")


def _spell_loop(node: Loop) -> str:
    text = f"{write_node(node.body, CHOICE)} for {node.variable} in {write_node(node.source, OR)}"
    text += "".join(f" if {write_node(condition, OR)}" for condition in node.filters)
    return f"{node.name}({text})" if node.name else f"[{text}]"


def _bound(node: Node | None) -> str:
    return "" if node is None else write_node(node, CHOICE)


def _list(nodes: tuple[Node, ...]) -> str:
    return ", ".join(write_node(node, CHOICE) for node in nodes)
