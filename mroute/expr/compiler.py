"""The third of three steps: from a checked tree to one code object.

Knows which call into operators, calls and values each node becomes, as nodes of Python's own `ast`;
no text is evaluated, and the code can reach nothing but those functions and its constants. Does not
know what they do, or how an answer is explained (program).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from mroute.errors import ExpressionError
from mroute.expr import calls, dictionary, matching, operators, values
from mroute.expr.checker import Checked, check
from mroute.expr.function import Functions
from mroute.expr.functions import BUILTINS, METHODS
from mroute.expr.language import Language
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
    walk,
)
from mroute.expr.parser import parse
from mroute.expr.printer import print_node
from mroute.expr.program import ClauseCode, Part, Program

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
}

_TRUTHS = (Compare, And, Or, Not, Loop)
"""Nodes whose value is a truth value or unknown, whatever is in them."""

_WITHOUT_STRICTNESS = {"has": "has", "any": "any_true", "all": "all_true"}
"""Functions that answer although something in their argument is unknown."""


def compile_text(text: str, functions: Functions = BUILTINS) -> Program:
    """Parse, check and compile the condition ``text`` in one.

    Raises `ExpressionError` with all problems found, where any of them is an error; warnings alone
    do not keep it from being used.
    """
    return compile_condition(check(parse(text), functions))


def compile_condition(checked: Checked) -> Program:
    """The program of a checked condition. Raises `ExpressionError` where the check found errors."""
    if checked.errors:
        raise ExpressionError(checked.problems)
    if checked.tree.language is not Language.CONDITION:
        raise ValueError("a completion expression is compiled by compile_completion")
    return _Compiler(checked.functions).program(checked)


class _Compiler:
    """Builds the code of one program."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.constants: dict[str, Any] = {}
        self.bound: dict[str, str] = {}
        self.clauses: dict[Node, int] = {}
        self.loops: list[tuple[str, str, str]] = []
        self.temporaries = 0

    def program(self, checked: Checked) -> Program:
        root = checked.tree.root
        part = self._part(root)
        clauses = [_function(("t",), self._truth(clause)) for clause in self.clauses]
        names = tuple(f"c{position}" for position in range(len(clauses)))
        whole = _function(("t",), self._joined(root))
        answer = ast.Tuple([whole, *(_name(name) for name in names)], ast.Load())
        # The clauses are parameters, so that the whole calls the ones that are explained.
        code = ast.Expression(ast.Call(_function(names, answer), clauses, []))
        compiled = compile(ast.fix_missing_locations(code), "<condition>", "eval")
        names_there = {"__builtins__": {}, **_RUNTIME, **self.constants}
        main, *parts = FunctionType(compiled, names_there)()
        explained = tuple(
            ClauseCode(print_node(clause), _tags_of(clause), call)
            for clause, call in zip(self.clauses, parts, strict=True)
        )
        return Program(checked.tree, main, part, explained)

    # ---- and, or, not around the clauses

    def _part(self, node: Node) -> Part:
        match node:
            case And(operands=operands) | Or(operands=operands):
                return (type(node) is And, tuple(self._part(operand) for operand in operands))
            case Not(operand=operand):
                return (None, (self._part(operand),))
        return self.clauses.setdefault(node, len(self.clauses))

    def _joined(self, node: Node) -> ast.expr:
        match node:
            case And(operands=operands) | Or(operands=operands):
                return self._kleene(
                    isinstance(node, And), [self._joined(operand) for operand in operands]
                )
            case Not(operand=operand):
                return _call("negation", self._joined(operand))
        return _call(f"c{self.clauses[node]}", _name("t"))

    def _kleene(self, conjoined: bool, operands: list[ast.expr]) -> ast.expr:
        """One flat chain: stop at the value that decides, else look at all of them together."""
        names: list[str] = []
        tests: list[ast.expr] = []
        for operand in operands:
            name, kept = self._kept(operand)
            names.append(name)
            against = ast.IsNot() if conjoined else ast.Is()
            tests.append(ast.Compare(kept, [against], [ast.Constant(not conjoined)]))
        rest = _call("conjunction" if conjoined else "disjunction", *map(_name, names))
        return ast.BoolOp(ast.And() if conjoined else ast.Or(), [*tests, rest])

    def _kept(self, value: ast.expr) -> tuple[str, ast.expr]:
        self.temporaries += 1
        name = f"v{self.temporaries}"
        return name, ast.NamedExpr(ast.Name(name, ast.Store()), value)

    # ---- values

    def _truth(self, node: Node) -> ast.expr:
        emitted = self._emit(node)
        return emitted if isinstance(node, _TRUTHS) else _call("truth", emitted)

    def _emit(self, node: Node) -> ast.expr:
        emit = _EMITTERS.get(type(node))
        if emit is None:
            raise TypeError(f"no code for {node!r}")
        return emit(self, node)

    def literal(self, node: Literal) -> ast.expr:
        return ast.Constant(node.value)

    def name(self, node: Name) -> ast.expr:
        return _name(next(own for spelled, own, _ in reversed(self.loops) if spelled == node.name))

    def items(self, node: Items) -> ast.expr:
        if all(isinstance(item, Literal) for item in node.items):
            # A constant is there already when the code runs; a list of names can be long.
            return self._constant(tuple(i.value for i in node.items if isinstance(i, Literal)))
        return ast.Tuple([self._emit(item) for item in node.items], ast.Load())

    def joined(self, node: And | Or) -> ast.expr:
        return self._kleene(isinstance(node, And), [self._truth(o) for o in node.operands])

    def negation(self, node: Not) -> ast.expr:
        return _call("negation", self._truth(node.operand))

    def binary(self, node: Binary) -> ast.expr:
        operands = self._emit(node.left), self._emit(node.right)
        return _call("arithmetic", ast.Constant(node.operator), *operands)

    def unary(self, node: Unary) -> ast.expr:
        return _call("signed", ast.Constant(node.operator), self._emit(node.operand))

    def index(self, node: Index) -> ast.expr:
        return _call("item", self._emit(node.value), self._emit(node.index))

    def slice(self, node: Slice) -> ast.expr:
        bounds = (node.lower, node.upper, node.step)
        emitted = [ast.Constant(None) if b is None else self._emit(b) for b in bounds]
        return _call("part", self._emit(node.value), *emitted)

    def attribute(self, node: Attribute) -> ast.expr:
        return _call("named", self._emit(node.value), ast.Constant(node.name))

    def call(self, node: Call) -> ast.expr:
        match node:
            case Call(name="matches", arguments=(text, Literal(value=str(pattern)))):
                found = self._constant(calls.bind(matching.matches_of(pattern)))
                return ast.Call(found, [self._emit(text)], [])
        called = _WITHOUT_STRICTNESS.get(node.name) or self._bind(node.name)
        return _call(called, *map(self._emit, node.arguments))

    def method(self, node: Method) -> ast.expr:
        return _call(self._bind("." + node.name), *map(self._emit, (node.value, *node.arguments)))

    def tag(self, node: Tag) -> ast.expr:
        keyword = _keyword(node)
        missing = self._constant(values.Unknown(f"tag '{keyword}' is missing"))
        if node.exact:
            return _call("exact_tag", _name("t"), ast.Constant(node.name), missing)
        spelled = (ast.Constant(node.name), ast.Constant(keyword))
        return _call("tag", _name("t"), *spelled, missing)

    def compare(self, node: Compare) -> ast.expr:
        operands = [self._emit(operand) for operand in node.operands]
        match node.operators:
            case ("in",):
                return _call("contains", *operands)
            case ("not in",):
                return _call("negation", _call("contains", *operands))
            case (sign,):
                return _call("compare", ast.Constant(sign), *operands)
        return _call("chain", self._constant(node.operators), *operands)

    def choice(self, node: Choice) -> ast.expr:
        name, kept = self._kept(self._truth(node.test))
        false = ast.Compare(_name(name), [ast.Is()], [ast.Constant(False)])
        other = ast.IfExp(false, self._emit(node.otherwise), _name(name))
        return ast.IfExp(
            ast.Compare(kept, [ast.Is()], [ast.Constant(True)]), self._emit(node.then), other
        )

    def loop(self, node: Loop) -> ast.expr:
        around = _name(self.loops[-1][2]) if self.loops else ast.Constant(1)
        source = self._emit(node.source)
        own = (node.variable, f"x{len(self.loops)}", f"n{len(self.loops)}")
        self.loops.append(own)
        # "if" excludes an item from any() by and, and from all() by or.
        looked_at = [self._truth(part) for part in (*node.filters, node.body)]
        stops_at_true = node.name == "any"
        if not stops_at_true:
            looked_at[:-1] = [_call("negation", part) for part in looked_at[:-1]]
        body = looked_at[0] if len(looked_at) == 1 else self._kleene(stops_at_true, looked_at)
        self.loops.pop()
        # What one round costs: the nodes it goes through.
        parts = (*node.filters, node.body)
        size = sum(matching.operations(inner) for part in parts for inner, _ in walk(part))
        return _call(
            "loop",
            ast.Constant(stops_at_true),
            source,
            around,
            ast.Constant(size),
            _function(own[1:], body),
        )

    # ---- names of the code

    def _bind(self, name: str) -> str:
        if name not in self.bound:
            title = f"method '{name[1:]}'" if name.startswith(".") else ""
            function = METHODS[name[1:]] if title else self.functions[name]
            bound = f"f{len(self.bound)}"
            self.bound[name] = bound
            self.constants[bound] = calls.bind(function, title)
        return self.bound[name]

    def _constant(self, value: object) -> ast.expr:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return _name(name)


_EMITTERS: Mapping[type[Node], Callable[[_Compiler, Any], ast.expr]] = {
    Literal: _Compiler.literal,
    Tag: _Compiler.tag,
    Name: _Compiler.name,
    Items: _Compiler.items,
    And: _Compiler.joined,
    Or: _Compiler.joined,
    Not: _Compiler.negation,
    Compare: _Compiler.compare,
    Binary: _Compiler.binary,
    Unary: _Compiler.unary,
    Choice: _Compiler.choice,
    Index: _Compiler.index,
    Slice: _Compiler.slice,
    Attribute: _Compiler.attribute,
    Call: _Compiler.call,
    Method: _Compiler.method,
    Loop: _Compiler.loop,
}


def _tags_of(node: Node) -> tuple[tuple[str, Tag], ...]:
    """The tags below ``node`` in the order of the text, each once, by their DICOM keyword."""
    found = sorted((n for n, _ in walk(node) if isinstance(n, Tag)), key=lambda tag: tag.place)
    return tuple((_keyword(tag), tag) for tag in dict.fromkeys(found))


def _keyword(tag: Tag) -> str:
    return tag.name if tag.exact else dictionary.canonical(tag.name) or tag.name


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_name(name), list(arguments), [])


def _function(parameters: tuple[str, ...], body: ast.expr) -> ast.expr:
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(p) for p in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    return ast.Lambda(arguments, body)
