"""From the nodes of a clause to nodes of Python's own `ast`.

Knows which call into operators, calls and values each node becomes; the code can reach nothing but
those functions and its constants. What reads no tag is computed once and for all. Does not know how
clauses make a program (compiler), or what any of the functions do.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from mroute.expr import calls, dictionary, matching, meter, operators, values
from mroute.expr.function import Functions, RuleFunction
from mroute.expr.functions import METHODS
from mroute.expr.nodes import (
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

_RUNTIME: Mapping[str, Callable[..., Any]] = {
    "tag": values.tag,
    "exact_tag": values.exact_tag,
    "truth": operators.truth,
    "negation": operators.negation,
    "conjunction": operators.conjunction,
    "disjunction": operators.disjunction,
    "compare": operators.compare,
    "relation": operators.relation,
    "contains": operators.contains,
    "chain": operators.chain,
    "arithmetic": operators.arithmetic,
    "signed": operators.signed,
    "item": operators.item,
    "part": operators.part,
    "named": operators.named,
    "has": calls.has,
    "any_true": calls.any_true,
    "all_true": calls.all_true,
    "loop": calls.loop,
    "metered": meter.metered,
    "charged": meter.charged,
    "charged_product": meter.charged_product,
    "charged_search": meter.charged_search,
    "charged_junction": meter.charged_junction,
    "charged_items": meter.charged_items,
    "charged_loop": meter.charged_loop,
}

_TRUTHS = (Compare, And, Or, Not, Loop)
"""Nodes whose value is a truth value or unknown, whatever is in them."""

_WITHOUT_STRICTNESS = {"has": "has", "any": "any_true", "all": "all_true"}
"""Functions that answer although something in their argument is unknown."""

_TAGS, _METER = "t", "m"
"""What the code calls the tags, and the meter where there is one."""


class Emitter:
    """Emits the code of clauses that share their constants and functions."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._constants: dict[str, Any] = {}
        self._bound: dict[str, str] = {}
        self._loops: list[str] = []
        self._reads = [0]
        self._metered = False
        self._temporaries = 0

    @property
    def names(self) -> dict[str, Any]:
        """All that the code may refer to, and nothing else."""
        return {"__builtins__": {}, **_RUNTIME, **self._constants}

    def clause(self, node: Node, steps: int | None = None) -> ast.expr:
        """A function of the tags that gives the truth value of ``node``.

        With ``steps`` it takes no more than these, and is unknown where they are not enough.
        """
        self._metered = steps is not None
        body = self._truth(node)
        if self._metered:
            body = call("metered", ast.Constant(steps), function((_METER,), body))
        return function((_TAGS,), body)

    def value(self, node: Node) -> Any:
        """The value of ``node``, which reads no tags; it must not take long."""
        return self._run(self._emit(node))

    def junction(self, conjoined: bool, operands: list[ast.expr]) -> ast.expr:
        """One flat chain: stop at the value that decides, else look at all of them together."""
        names: list[str] = []
        tests: list[ast.expr] = []
        for operand in operands:
            name, kept = self._kept(operand)
            names.append(name)
            against = ast.IsNot() if conjoined else ast.Is()
            tests.append(ast.Compare(kept, [against], [ast.Constant(not conjoined)]))
        rest = call("conjunction" if conjoined else "disjunction", *map(name_of, names))
        return ast.BoolOp(ast.And() if conjoined else ast.Or(), [*tests, rest])

    def _constant(self, value: object) -> ast.expr:
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name_of(name)

    def _run(self, code: ast.expr) -> Any:
        compiled = compile(ast.fix_missing_locations(ast.Expression(code)), "<condition>", "eval")
        return FunctionType(compiled, self.names)()

    # ---- nodes

    def _emit(self, node: Node) -> ast.expr:
        emit = _EMITTERS.get(type(node))
        if emit is None:
            raise TypeError(f"no code for {node!r}")
        before = self._reads.copy()
        code = emit(self, node)
        if self._reads == before and not self._metered and not isinstance(code, _FOLDED):
            return self._constant(self._run(code))
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

    def _kept(self, value: ast.expr) -> tuple[str, ast.expr]:
        self._temporaries += 1
        name = f"v{self._temporaries}"
        return name, ast.NamedExpr(ast.Name(name, ast.Store()), value)

    def _apart(self, code: list[ast.expr]) -> list[ast.expr]:
        """Each as a function of a meter of its own."""
        return [function((_METER,), each) for each in code]

    def _literal(self, node: Literal) -> ast.expr:
        return ast.Constant(node.value)

    def _name(self, node: Name) -> ast.expr:
        level = max(n for n, variable in enumerate(self._loops) if variable == node.name)
        self._reads[level + 1] += 1
        return name_of(f"x{level}")

    def _items(self, node: Items) -> ast.expr:
        if all(isinstance(item, Literal) for item in node.items):
            # A constant is there already when the code runs; a list of names can be long.
            return self._constant(tuple(i.value for i in node.items if isinstance(i, Literal)))
        items = [self._emit(item) for item in node.items]
        if self._metered:
            return call("charged_items", name_of(_METER), *self._apart(items))
        return ast.Tuple(items, ast.Load())

    def _joined(self, node: And | Or) -> ast.expr:
        return self._junction(isinstance(node, And), [self._truth(o) for o in node.operands])

    def _junction(self, conjoined: bool, operands: list[ast.expr]) -> ast.expr:
        if self._metered:
            parts = ast.Constant(conjoined), *self._apart(operands)
            return call("charged_junction", name_of(_METER), *parts)
        return self.junction(conjoined, operands)

    def _negation(self, node: Not) -> ast.expr:
        return call("negation", self._truth(node.operand))

    def _binary(self, node: Binary) -> ast.expr:
        operands = self._emit(node.left), self._emit(node.right)
        return self._operation("arithmetic", ast.Constant(node.operator), *operands)

    def _unary(self, node: Unary) -> ast.expr:
        return self._operation("signed", ast.Constant(node.operator), self._emit(node.operand))

    def _index(self, node: Index) -> ast.expr:
        return self._operation("item", self._emit(node.value), self._emit(node.index))

    def _slice(self, node: Slice) -> ast.expr:
        bounds = (node.lower, node.upper, node.step)
        emitted = [ast.Constant(None) if b is None else self._emit(b) for b in bounds]
        return self._operation("part", self._emit(node.value), *emitted)

    def _attribute(self, node: Attribute) -> ast.expr:
        return self._operation("named", self._emit(node.value), ast.Constant(node.name))

    def _call(self, node: Call) -> ast.expr:
        match node:
            case Call(name="matches", arguments=(text, Literal(value=str(pattern)))):
                search, found_in = self._bind_pattern(pattern), self._emit(text)
                if not self._metered:
                    return call(search, found_in)
                size = ast.Constant(matching.size_of(pattern))
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
            return call("exact_tag", name_of(_TAGS), ast.Constant(node.name), missing)
        spelled = (ast.Constant(node.name), ast.Constant(keyword))
        return call("tag", name_of(_TAGS), *spelled, missing)

    def _compare(self, node: Compare) -> ast.expr:
        operands = [self._emit(operand) for operand in node.operands]
        match node.operators:
            case ("in",):
                return self._operation("contains", *operands)
            case ("not in",):
                return call("negation", self._operation("contains", *operands))
            case (sign,):
                return self._operation("compare", ast.Constant(sign), *operands)
        return self._operation("chain", self._constant(node.operators), *operands)

    def _choice(self, node: Choice) -> ast.expr:
        name, kept = self._kept(self._truth(node.test))
        false = ast.Compare(name_of(name), [ast.Is()], [ast.Constant(False)])
        other = ast.IfExp(false, self._emit(node.otherwise), name_of(name))
        return ast.IfExp(
            ast.Compare(kept, [ast.Is()], [ast.Constant(True)]), self._emit(node.then), other
        )

    def _loop(self, node: Loop) -> ast.expr:
        source = self._emit(node.source)
        variable = f"x{len(self._loops)}"
        self._loops.append(node.variable)
        self._reads.append(0)
        # "if" excludes an item from any() by and, and from all() by or.
        looked_at = [self._truth(part) for part in (*node.filters, node.body)]
        stops_at_true = node.name == "any"
        if not stops_at_true:
            looked_at[:-1] = [call("negation", part) for part in looked_at[:-1]]
        body = looked_at[0] if len(looked_at) == 1 else self._junction(stops_at_true, looked_at)
        self._loops.pop()
        self._reads.pop()
        stop = ast.Constant(stops_at_true)
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


def name_of(name: str) -> ast.expr:
    """A name that the code refers to."""
    return ast.Name(name, ast.Load())


def call(called: str | ast.expr, *arguments: ast.expr) -> ast.expr:
    """A call of ``called`` by its name, or of what it is."""
    return ast.Call(name_of(called) if isinstance(called, str) else called, list(arguments), [])


def function(parameters: tuple[str, ...], body: ast.expr) -> ast.expr:
    """A function without a name."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(p) for p in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    return ast.Lambda(arguments, body)
