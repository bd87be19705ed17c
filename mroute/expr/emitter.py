"""From the nodes of a clause to nodes of Python's own `ast`.

Knows which call into operators, calls and values each node becomes; the code can reach nothing but
those functions and its constants. What reads no tag is computed once and for all. Does not know how
clauses make a condition (whole), or what any of the functions do.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, TypeAlias

from mroute.expr import calls, dictionary, matching, meter, values
from mroute.expr.code import call, choice, constant, function, items, junction, name_of, run
from mroute.expr.function import Functions, RuleFunction
from mroute.expr.functions import METHODS
from mroute.expr.nodes import (
    SERIES,
    And,
    Attribute,
    Binary,
    Call,
    Choice,
    Compare,
    Index,
    Items,
    Literal,
    Loop,
    Method,
    Name,
    Node,
    Not,
    Or,
    Slice,
    Tag,
    Unary,
)
from mroute.expr.scopes import over_series
from mroute.expr.studies import COUNT

Reader: TypeAlias = Callable[[Mapping[str, str]], values.Value]
"""What is compiled: a function of the tags (keyword to text)."""

_TRUTHS = (Compare, And, Or, Not, Loop)
"""Nodes whose value is a truth value or unknown, whatever is in them."""

_WITHOUT_STRICTNESS = {"has": "has", "any": "any_true", "all": "all_true"}
"""Functions that answer although something in their argument is unknown."""

_TAGS, _METER = "t", "m"
"""What the code calls the tags, and the meter where there is one."""


class Emitter:
    """Emits the code of one function of the tags."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._constants: dict[str, Any] = {}
        self._bound: dict[str, str] = {}
        self._loops: list[str] = []
        self._reads = [0]
        self._metered = False
        self._fresh = map("v{}".format, count())

    def clause(self, node: Node, steps: int | None = None) -> Reader:
        """The truth value of ``node``.

        With ``steps`` it takes no more than these, and is unknown where they are not enough.
        """
        self._metered = steps is not None
        body = self._truth(node)
        if self._metered:
            body = call("metered", constant(steps), function((_METER,), body))
        return self._reader(body)

    def value(self, node: Node) -> Reader:
        """The value of ``node``, whatever it is and however long it takes."""
        return self._reader(self._emit(node))

    def _reader(self, body: ast.expr) -> Reader:
        made: Reader = run(function((_TAGS,), body), self._constants)
        return made

    def _constant(self, value: object) -> ast.expr:
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name_of(name)

    # ---- nodes

    def _emit(self, node: Node) -> ast.expr:
        emit = _EMITTERS.get(type(node))
        if emit is None:
            raise TypeError(f"no code for {node!r}")
        before = self._reads.copy()
        code = emit(self, node)
        if self._reads == before and not self._metered and not isinstance(code, _FOLDED):
            return self._constant(run(code, self._constants))
        return code

    def _truth(self, node: Node) -> ast.expr:
        code = self._emit(node)
        return code if isinstance(node, _TRUTHS) else call("truth", code)

    def _operation(self, name: str, *arguments: ast.expr, charged: str = "charged") -> ast.expr:
        if self._metered:
            return call(charged, name_of(_METER), name_of(name), *arguments)
        return call(name, *arguments)

    def _called(self, name: str, arguments: tuple[Node, ...]) -> ast.expr:
        """A call of the function ``name``, or of a method with a point before it."""
        charged = "charged_product" if name in meter.PRODUCTS else "charged"
        return self._operation(self._bind(name), *map(self._emit, arguments), charged=charged)

    def _apart(self, code: list[ast.expr]) -> list[ast.expr]:
        """Each as a function of a meter of its own."""
        return [function((_METER,), each) for each in code]

    def _literal(self, node: Literal) -> ast.expr:
        return constant(node.value)

    def _name(self, node: Name) -> ast.expr:
        if node.name not in self._loops:  # the series of a study
            self._reads[0] += 1
            return call("series_of", name_of(_TAGS))
        level = max(n for n, variable in enumerate(self._loops) if variable == node.name)
        self._reads[level + 1] += 1
        return name_of(f"x{level}")

    def _items(self, node: Items) -> ast.expr:
        if all(isinstance(item, Literal) for item in node.items):
            # A constant is there already when the code runs; a list of names can be long.
            return self._constant(tuple(i.value for i in node.items if isinstance(i, Literal)))
        emitted = [self._emit(item) for item in node.items]
        if self._metered:
            return call("charged_items", name_of(_METER), *self._apart(emitted))
        return items(emitted)

    def _joined(self, node: And | Or) -> ast.expr:
        return self._junction(isinstance(node, And), [self._truth(o) for o in node.operands])

    def _junction(self, conjoined: bool, operands: list[ast.expr]) -> ast.expr:
        if self._metered:
            parts = constant(conjoined), *self._apart(operands)
            return call("charged_junction", name_of(_METER), *parts)
        return junction(conjoined, operands, self._fresh)

    def _negation(self, node: Not) -> ast.expr:
        return call("negation", self._truth(node.operand))

    def _binary(self, node: Binary) -> ast.expr:
        operands = self._emit(node.left), self._emit(node.right)
        return self._operation("arithmetic", constant(node.operator), *operands)

    def _unary(self, node: Unary) -> ast.expr:
        return self._operation("signed", constant(node.operator), self._emit(node.operand))

    def _index(self, node: Index) -> ast.expr:
        return self._operation("item", self._emit(node.value), self._emit(node.index))

    def _slice(self, node: Slice) -> ast.expr:
        bounds = (node.lower, node.upper, node.step)
        emitted = [constant(None) if b is None else self._emit(b) for b in bounds]
        return self._operation("part", self._emit(node.value), *emitted)

    def _attribute(self, node: Attribute) -> ast.expr:
        return self._operation("named", self._emit(node.value), constant(node.name))

    def _call(self, node: Call) -> ast.expr:
        match node:
            case Call(name="matches", arguments=(text, Literal(value=str(pattern)))):
                search, found_in = self._bind_pattern(pattern), self._emit(text)
                if not self._metered:
                    return call(search, found_in)
                size = constant(matching.size_of(pattern))
                return call("charged_search", name_of(_METER), name_of(search), size, found_in)
        called = _WITHOUT_STRICTNESS.get(node.name)
        if called == "has":
            # The one question that is always answered.
            return call(called, *map(self._emit, node.arguments))
        if called is not None:
            return self._operation(called, *map(self._emit, node.arguments))
        # What need not give the same again is asked again.
        self._reads[0] += not self._functions[node.name].pure
        return self._called(node.name, node.arguments)

    def _method(self, node: Method) -> ast.expr:
        return self._called("." + node.name, (node.value, *node.arguments))

    def _tag(self, node: Tag) -> ast.expr:
        self._reads[0] += 1
        keyword = dictionary.keyword_of(node)
        missing = self._constant(values.Unknown(f"tag '{keyword}' is missing"))
        if node.exact:
            return call("exact_tag", name_of(_TAGS), constant(node.name), missing)
        spelled = (constant(node.name), constant(keyword))
        return call("tag", name_of(_TAGS), *spelled, missing)

    def _compare(self, node: Compare) -> ast.expr:
        operands = [self._emit(operand) for operand in node.operands]
        match node.operators:
            case ("in",):
                return self._operation("contains", *operands)
            case ("not in",):
                return call("negation", self._operation("contains", *operands))
            case (sign,):
                return self._operation("compare", constant(sign), *operands)
        return self._operation("chain", self._constant(node.operators), *operands)

    def _choice(self, node: Choice) -> ast.expr:
        test, then = self._truth(node.test), self._emit(node.then)
        return choice(test, then, self._emit(node.otherwise), self._fresh)

    def _loop(self, node: Loop) -> ast.expr:
        source = self._emit(node.source)
        series = over_series(node) and SERIES not in self._loops
        # What reads tags in a loop over series reads those of the one that is looked at.
        variable = _TAGS if series else f"x{len(self._loops)}"
        self._loops.append("" if series else node.variable)
        self._reads.append(0)
        # "if" excludes an item from any() by and, and from all() by or.
        looked_at = [self._truth(part) for part in (*node.filters, node.body)]
        stops_at_true = node.name != "all"
        if not stops_at_true:
            looked_at[:-1] = [call("negation", part) for part in looked_at[:-1]]
        body = looked_at[0] if len(looked_at) == 1 else self._junction(stops_at_true, looked_at)
        self._loops.pop()
        self._reads.pop()
        if node.name == COUNT:
            if self._metered:
                rounds = function((variable, _METER), body)
                return call("charged_count", name_of(_METER), source, rounds)
            return call("counted", source, function((variable,), body))
        stop = constant(stops_at_true)
        if self._metered:
            rounds = function((variable, _METER), body)
            return call("charged_loop", name_of(_METER), stop, source, rounds)
        return call("loop", stop, source, function((variable,), body))

    def _bind_pattern(self, pattern: str) -> str:
        """``matches`` with a pattern that is compiled once and for all."""
        return self._bound_as(f"matches {pattern}", matching.matches_of(pattern), "")

    def _bind(self, name: str) -> str:
        if name in self._bound:
            return self._bound[name]
        title = f"method '{name[1:]}'" if name.startswith(".") else ""
        called = METHODS[name[1:]] if title else self._functions[name]
        return self._bound_as(name, called, title)

    def _bound_as(self, name: str, called: RuleFunction, title: str) -> str:
        if name not in self._bound:
            bound = f"f{len(self._bound)}"
            self._bound[name] = bound
            self._constants[bound] = calls.bind(called, title)
        return self._bound[name]


_FOLDED = (ast.Constant, ast.Name)
"""Code that is no more than a value already."""

_EMITTERS: Mapping[type[Node], Callable[[Emitter, Any], ast.expr]] = {
    Literal: Emitter._literal,
    Tag: Emitter._tag,
    Name: Emitter._name,
    Items: Emitter._items,
    And: Emitter._joined,
    Or: Emitter._joined,
    Not: Emitter._negation,
    Compare: Emitter._compare,
    Binary: Emitter._binary,
    Unary: Emitter._unary,
    Choice: Emitter._choice,
    Index: Emitter._index,
    Slice: Emitter._slice,
    Attribute: Emitter._attribute,
    Call: Emitter._call,
    Method: Emitter._method,
    Loop: Emitter._loop,
}
