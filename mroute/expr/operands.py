"""What the checker says about operands: which types an operator takes.

Knows which types go together, and what to write where they do not. Does not know names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mroute.errors import Severity
from mroute.expr import contradictions, ordering, plausible
from mroute.expr.errors import Code
from mroute.expr.function import makers
from mroute.expr.language import Type
from mroute.expr.nodes import (
    Binary,
    Call,
    Compare,
    Index,
    Items,
    Literal,
    Loop,
    Name,
    Node,
    Slice,
)
from mroute.expr.printer import print_node
from mroute.expr.record import Kind, Record
from mroute.expr.values import Unknown, number_of

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_CONVERSIONS = {
    Type.TEXT: "make it a text: str(value), or put quotes around it",
    Type.LIST: "write a list: ['a', 'b'], or value.split('\\\\') for the parts of a tag",
    Type.TRUTH: "compare it with something",
}

_ADDED = {Type.TEXT, Type.NUMBER, Type.LIST, Type.ANY}


def conversion(wanted: Type, given: Kind) -> str:
    """How to make a value of the type ``wanted`` of one of the type ``given``."""
    if isinstance(given, Record):
        return part_of(given)
    if wanted is Type.NUMBER:
        by_type = {
            Type.TEXT: "it does not read as a number",
            Type.LIST: "choose an item: [0], or take len(...), min(...), max(...) or sum(...)",
        }
        return by_type.get(given, "write 1 if ... else 0")
    return _CONVERSIONS.get(wanted, "")


def part_of(record: Record) -> str:
    """How to get something plain out of a ``record``."""
    return "choose one of its parts: " + ", ".join(f".{name}" for name in record.parts)


def may_be_number(node: Node) -> bool:
    """Whether ``node``, a text, can be read as a number as far as is known."""
    return not (isinstance(node, Literal) and isinstance(number_of(node.value), Unknown))


def no_condition(checker: Checker, node: Node, kind: Kind, symbol: str) -> None:
    """Report a value where something true or false is needed."""
    message = f"this is a {kind}, and neither true nor false"
    if symbol in ("&", "|"):
        message = f"'{symbol}' joins conditions, and this is a {kind}"
        hint = f"put each condition in parentheses: (a == 'x') {symbol} (b == 'y')"
    elif kind is Type.TEXT:
        if isinstance(node, Literal):
            hint = "compare it: tags.Modality == 'MR', or 'T2' in tags.SeriesDescription"
        else:
            hint = "compare it: ... == 'MR'; ask 'not empty(X)' whether a tag has content"
    elif kind is Type.NUMBER:
        hint = "compare it: ... > 0; always true is True"
    elif isinstance(kind, Record):
        hint = f"compare it, or {part_of(kind)}"
    else:
        hint = "ask any(...) or all(...) of a list, or whether a value is in it"
    checker.report(node.place, Code.CONDITION, message, hint)


def number(checker: Checker, node: Node, kind: Kind, sign: str) -> bool:
    """Check an operand that has to be a number, or a text that is read as one.

    Returns whether it is, as far as is known.
    """
    if kind in (Type.NUMBER, Type.ANY) or (kind is Type.TEXT and may_be_number(node)):
        return True
    message = f"'{sign}' takes numbers, and this is a {kind}"
    hint = conversion(Type.NUMBER, kind)
    if kind is Type.TEXT and sign in "*%":
        hint = "a text cannot be repeated or filled in; join texts with '+'"
    checker.report(node.place, Code.ARITHMETIC, message, hint)
    return False


def arithmetic(checker: Checker, node: Binary) -> Type:
    """Check ``left sign right`` and give its type."""
    left, right = checker.type_of(node.left), checker.type_of(node.right)
    if node.operator == "+":
        if left is right and left in (Type.TEXT, Type.LIST):
            return left
        if Type.ANY in (left, right) and {left, right} <= _ADDED:
            return Type.ANY
    fits = number(checker, node.left, left, node.operator)
    if fits:
        fits = number(checker, node.right, right, node.operator)
    return Type.NUMBER if fits else Type.ANY


def comparison(checker: Checker, node: Compare) -> None:
    """Check every neighbouring pair of a comparison."""
    kinds = [checker.type_of(operand) for operand in node.operands]
    for position, sign in enumerate(node.operators):
        pair = (node.operands[position], node.operands[position + 1])
        if sign in ("in", "not in"):
            _membership(checker, sign, pair, kinds[position], kinds[position + 1])
        else:
            _relation(checker, sign, pair, kinds[position], kinds[position + 1])
        plausible.pair(checker, sign, *pair)
    if len(node.operators) > 1:
        contradictions.chained(checker, node)


def _membership(
    checker: Checker, sign: str, pair: tuple[Node, Node], left: Kind, right: Kind
) -> None:
    sought, place = pair
    if right in (Type.NUMBER, Type.TRUTH) or isinstance(right, Record):
        message = f"'{sign}' looks in a text or a list, and this is a {right}"
        hint = "compare with '==', or write a list: [1, 2]"
        if isinstance(right, Record):
            hint = part_of(right)
        checker.report(place.place, Code.MEMBERSHIP, message, hint)
    elif right is Type.TEXT and left not in (Type.TEXT, Type.ANY):
        message = f"'{sign}' looks for texts in a text, and this is a {left}"
        hint = "put it in quotes, or compare with '=='" if left is Type.NUMBER else ""
        if isinstance(left, Record):
            hint = part_of(left)
        checker.report(sought.place, Code.MEMBERSHIP, message, hint)
    elif isinstance(place, Literal) and _in_parentheses(checker.text, place):
        message = "this is one text in parentheses, and no list"
        hint = "write ['A'] for a list, or leave out the parentheses to look for a part of a text"
        checker.report(place.place, Code.NO_LIST, message, hint, Severity.WARNING)
    else:
        contradictions.membership(checker, sign, pair, right)


def _relation(
    checker: Checker, sign: str, pair: tuple[Node, Node], left: Kind, right: Kind
) -> None:
    place = (pair[0].place[0], pair[1].place[1])
    if Type.ANY in (left, right):
        return
    ordered = sign not in ("==", "!=")
    if left == right:
        if ordered and (left in (Type.TRUTH, Type.LIST) or _is_unordered(left)):
            message = f"'{sign}' compares numbers or texts, not a {left}"
            hint = part_of(left) if isinstance(left, Record) else ""
            checker.report(place, Code.COMPARISON, message, hint)
        elif ordered and left is Type.TEXT:
            ordering.texts(checker, pair)
        return
    if {left, right} == {Type.TEXT, Type.NUMBER}:
        text = pair[0] if left is Type.TEXT else pair[1]
        if not may_be_number(text):
            message = "this text is compared with a number, and does not read as one"
            checker.report(text.place, Code.COMPARISON, message, "compare with a number or a text")
        return
    message = f"a {left} and a {right} have nothing to compare"
    hint = "write 'in' to look into a list"
    if Type.TRUTH in (left, right):
        hint = "a condition needs no '== True'; texts are in quotes"
    elif isinstance(left, Record) or isinstance(right, Record):
        hint = _alike(checker, pair, left, right)
    checker.report(place, Code.COMPARISON, message, hint)


def _is_unordered(kind: Kind) -> bool:
    return isinstance(kind, Record) and not kind.ordered


def _alike(checker: Checker, pair: tuple[Node, Node], left: Kind, right: Kind) -> str:
    """How to make the other of a pair what the record beside it is."""
    record, node, kind = (
        (left, pair[1], right) if isinstance(left, Record) else (right, pair[0], left)
    )
    assert isinstance(record, Record)
    made_by = [name for name, made in makers(checker.functions) if made == record]
    if made_by and kind in (Type.TEXT, Type.NUMBER):
        written = print_node(node)
        if isinstance(node, Literal) and kind is Type.NUMBER:
            written = f"'{written}'"
        return f"write {made_by[0]}({written}), or {part_of(record)}"
    return part_of(record)


def item_or_part(checker: Checker, node: Index | Slice) -> Kind:
    """Check ``value[...]`` and give its type."""
    if isinstance(node.value, Name) and node.value.name in ("tags", checker.owner):
        owner = node.value.name
        message = f"the tag in '{owner}[...]' is written in quotes"
        hint = f'write {owner}["SeriesDescription"] or {owner}.SeriesDescription'
        checker.report(node.place, Code.TAG_FORM, message, hint)
        return Type.ANY
    kind = checker.type_of(node.value)
    if kind in (Type.NUMBER, Type.TRUTH) or isinstance(kind, Record):
        message = f"only texts and lists have items, and this is a {kind}"
        hint = part_of(kind) if isinstance(kind, Record) else ""
        checker.report(node.value.place, Code.INDEX, message, hint)
    bounds = [node.index] if isinstance(node, Index) else [node.lower, node.upper, node.step]
    for bound in bounds:
        if bound is None:
            continue
        found = checker.type_of(bound)
        fits = found in (Type.NUMBER, Type.ANY) or (found is Type.TEXT and may_be_number(bound))
        if not fits:
            message = f"an item is chosen by its number, and this is a {found}"
            checker.report(bound.place, Code.INDEX, message, "the first item is [0]")
    return kind if isinstance(node, Slice) or kind is Type.TEXT else Type.ANY


def loop(checker: Checker, node: Loop) -> bool:
    """Check where a loop stands, and what it runs over; returns whether it may stand there."""
    if node.name not in ("any", "all"):
        where = f"'{node.name}'" if node.name else "a list"
        message = f"'for' is only possible within any(...) and all(...), not in {where}"
        hint = "write any(x in tags.A for x in ['a', 'b'])"
        checker.report(node.place, Code.LOOP, message, hint)
        return False
    if node.variable == "tags" or node.variable in checker.functions:
        message = f"'{node.variable}' has a meaning already"
        checker.report(node.place, Code.LOOP, message, "choose another name, such as x")
    kind = checker.type_of(node.source)
    if kind not in (Type.LIST, Type.ANY):
        message = f"'for' runs over a list, and this is a {kind}"
        checker.report(node.source.place, Code.LOOP, message, conversion(Type.LIST, kind))
    return True


def item_type(checker: Checker, source: Node) -> Kind:
    """The type of every item of ``source``, where that can be seen in a list that is written."""
    items = source.items if isinstance(source, Items) else ()
    kinds = {_seen_type(checker, item) for item in items}
    return kinds.pop() if len(kinds) == 1 else Type.ANY


def _seen_type(checker: Checker, item: Node) -> Kind:
    match item:
        case Literal(value=str()):
            return Type.TEXT
        case Literal(value=value) if not isinstance(value, bool):
            return Type.NUMBER
        case Call(name=name) if name in checker.functions:
            return checker.functions[name].returns
    return Type.ANY


def _in_parentheses(text: str, node: Literal) -> bool:
    start, end = node.place
    return text[:start].rstrip().endswith("(") and text[end:].lstrip().startswith(")")
