"""From the text to the nodes, through Lark and grammar.lark.

Knows which node each rule of the grammar makes; importing it imports Lark, so only the parser does
so, when there is something to parse. Does not know what is wrong with a text that does not parse
(diagnosis) or with a tree that makes no sense (checker).
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from lark import Lark, Token, Transformer

from mroute.expr.language import Language
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
    Place,
    Received,
    Slice,
    Tag,
    Unary,
)
from mroute.expr.scanner import Scanner
from mroute.expr.spelling import read_number, read_text

_Parts: TypeAlias = list[Any]
"""What Lark hands to a rule's method: the nodes and tokens below it, in order."""

_BY_TAG_NAME = frozenset({"has", "empty"})


@cache
def lark_parser() -> Lark:
    """The parser for all languages; made once, as that costs several milliseconds."""
    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        start=[str(language) for language in Language],
        parser="lalr",
        lexer=Scanner,
        transformer=_Builder(),
    )


class _Builder(Transformer[Token, Node]):
    """One method for each rule; without state, as the parser is shared."""

    def condition(self, parts: _Parts) -> Node:
        return _node(parts[0])

    completion = condition
    study = condition
    group = condition

    def choice(self, parts: _Parts) -> Node:
        then, test, otherwise = parts
        return Choice(then, test, otherwise, place=_span(parts))

    def disjunction(self, parts: _Parts) -> Node:
        return Or(tuple(parts), place=_span(parts))

    def conjunction(self, parts: _Parts) -> Node:
        return And(tuple(parts), place=_span(parts))

    def symbol_disjunction(self, parts: _Parts) -> Node:
        return Or(tuple(parts), symbol=True, place=_span(parts))

    def symbol_conjunction(self, parts: _Parts) -> Node:
        return And(tuple(parts), symbol=True, place=_span(parts))

    def negation(self, parts: _Parts) -> Node:
        return Not(parts[1], place=_span(parts))

    def comparison_operator(self, parts: _Parts) -> str:
        return " ".join(parts)

    count_operator = comparison_operator

    def comparison(self, parts: _Parts) -> Node:
        operands, operators = tuple(parts[::2]), tuple(parts[1::2])
        match operators, operands:
            case ("in" | "not in",), (Literal(value=str(name)) as left, Name(name="tags")):
                # 'X' in tags: mercure's way to ask for has(tags["X"]).
                asked = Call("has", (Tag(name, exact=True, place=left.place),), place=_span(parts))
                return asked if operators == ("in",) else Not(asked, place=_span(parts))
        return Compare(operators, operands, place=_span(parts))

    def binary(self, parts: _Parts) -> Node:
        left, sign, right = parts
        return Binary(str(sign), left, right, place=_span(parts))

    def unary(self, parts: _Parts) -> Node:
        sign, operand = parts
        return Unary(str(sign), operand, place=_span(parts))

    def attribute(self, parts: _Parts) -> Node:
        value, name = parts
        if isinstance(value, Name) and value.name == "tags":
            return Tag(str(name), place=_span(parts))
        return Attribute(value, str(name), place=_span(parts))

    def method(self, parts: _Parts) -> Node:
        value, name, arguments, _ = parts
        return Method(value, str(name), arguments, name_place=_span([name]), place=_span(parts))

    def index(self, parts: _Parts) -> Node:
        value, index, _ = parts
        match value, index:
            case Name(name="tags"), Literal(value=str(name)):
                return Tag(name, exact=True, place=_span(parts))
        return Index(value, index, place=_span(parts))

    def slice_of(self, parts: _Parts) -> Node:
        value, bounds, _ = parts
        return Slice(value, *bounds, place=_span(parts))

    def slice(self, parts: _Parts) -> _Parts:
        return parts

    def bound(self, parts: _Parts) -> Node | None:
        return _node(parts[0]) if parts else None

    def arguments(self, parts: _Parts) -> tuple[Node, ...]:
        return tuple(parts)

    def call(self, parts: _Parts) -> Node:
        name, arguments, _ = parts
        place = _span(parts)
        match str(name), arguments:
            case "any" | "all" | "count", (Loop(name="") as loop,):
                return _loop(name, loop, place)
            case function, (Name(name=tag) as only,) if function in _BY_TAG_NAME:
                return Call(function, (Tag(tag, place=only.place),), place=place)
            case function, (Literal(value=str(tag)) as only,) if function in _BY_TAG_NAME:
                return Call(function, (Tag(tag, exact=True, place=only.place),), place=place)
        return Call(str(name), arguments, place=place)

    def call_of_loop(self, parts: _Parts) -> Node:
        name, loop, _ = parts
        return _loop(name, loop, _span(parts))

    def list_of_loop(self, parts: _Parts) -> Node:
        return _loop("", parts[1], _span(parts))

    def loop(self, parts: _Parts) -> Node:
        body, variable, source, *filters = parts
        return Loop("", body, str(variable), source, tuple(filters), place=_span(parts))

    def items(self, parts: _Parts) -> Node:
        return Items(tuple(p for p in parts if isinstance(p, Node)), place=_span(parts))

    def name(self, parts: _Parts) -> Node:
        return Name(str(parts[0]), place=_span(parts))

    def legacy(self, parts: _Parts) -> Node:
        return Tag(parts[0][1:-1], place=_span(parts))

    def text(self, parts: _Parts) -> Node:
        return Literal(read_text(parts[0]), place=_span(parts))

    def number(self, parts: _Parts) -> Node:
        return Literal(read_number(parts[0]), place=_span(parts))

    def true(self, parts: _Parts) -> Node:
        return Literal(True, place=_span(parts))

    def false(self, parts: _Parts) -> Node:
        return Literal(False, place=_span(parts))

    def received(self, parts: _Parts) -> Node:
        return Received(read_text(parts[0]), place=_span(parts))

    def count(self, parts: _Parts) -> Node:
        function, name, _, operator, number = parts
        place = _span(parts)
        if function != "count" or not number.isdigit() or len(number) > 9:
            # Left as it is for the checker, which says what is wrong with it.
            call = Call(str(function), (Received(read_text(name)),), place=_span(parts[:3]))
            operand = Literal(read_number(number), place=_span([number]))
            return Compare((operator,), (call, operand), place=place)
        return Count(read_text(name), operator, int(read_number(number)), place=place)


def _loop(name: str, loop: Loop, place: Place) -> Loop:
    return Loop(str(name), loop.body, loop.variable, loop.source, loop.filters, place=place)


def _node(part: Any) -> Node:
    assert isinstance(part, Node)
    return part


def _span(parts: _Parts) -> Place:
    """From the first to the last of ``parts``, which are nodes and tokens."""
    first, last = parts[0], parts[-1]
    start = first.place[0] if isinstance(first, Node) else first.start_pos
    end = last.place[1] if isinstance(last, Node) else last.end_pos
    return (start, end)
