"""What compiled code is made of: nodes of Python's own `ast`, and the functions they may reach.

Knows how a node is made, with a place right away: looking for those without one takes as long as
compiling them. Does not know which node of an expression becomes which code (emitter, whole), or
what any of the functions do.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from mroute.expr import calls, meter, operators, values

_RUNTIME: dict[str, Callable[..., Any]] = {
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
    "counted": calls.counted,
    "series_of": values.series_of,
    "metered": meter.metered,
    "charged": meter.charged,
    "charged_product": meter.charged_product,
    "charged_search": meter.charged_search,
    "charged_junction": meter.charged_junction,
    "charged_items": meter.charged_items,
    "charged_loop": meter.charged_loop,
    "charged_count": meter.charged_count,
}


def run(code: ast.expr, constants: Mapping[str, Any]) -> Any:
    """The value of ``code``, which may refer to ``constants``, the operators, and nothing else."""
    compiled = compile(ast.Expression(code), "<condition>", "eval")
    return FunctionType(compiled, {"__builtins__": {}, **_RUNTIME, **constants})()


def constant(value: str | float | None) -> ast.expr:
    """A text, a number, a truth value or None."""
    return ast.Constant(value, lineno=1, col_offset=0)


def name_of(name: str) -> ast.expr:
    """A name that the code refers to."""
    return ast.Name(name, ast.Load(), lineno=1, col_offset=0)


def call(called: str, *arguments: ast.expr) -> ast.expr:
    """A call of what has the name ``called``."""
    return ast.Call(name_of(called), list(arguments), [], lineno=1, col_offset=0)


def items(values: list[ast.expr]) -> ast.expr:
    """A list as the language has it."""
    return ast.Tuple(values, ast.Load(), lineno=1, col_offset=0)


def function(parameters: tuple[str, ...], body: ast.expr) -> ast.expr:
    """A function without a name."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(parameter, lineno=1, col_offset=0) for parameter in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    return ast.Lambda(arguments, body, lineno=1, col_offset=0)


def junction(conjoined: bool, operands: list[ast.expr], fresh: Iterator[str]) -> ast.expr:
    """``and`` where ``conjoined``, else ``or``; ``fresh`` are names for the values on the way.

    One flat chain: stop at the value that decides, else look at all of them together.
    """
    names: list[str] = []
    tests: list[ast.expr] = []
    for operand in operands:
        name = next(fresh)
        names.append(name)
        tests.append(_is(_kept(name, operand), not conjoined, negated=conjoined))
    rest = call("conjunction" if conjoined else "disjunction", *map(name_of, names))
    operator = ast.And() if conjoined else ast.Or()
    return ast.BoolOp(operator, [*tests, rest], lineno=1, col_offset=0)


def choice(test: ast.expr, then: ast.expr, otherwise: ast.expr, fresh: Iterator[str]) -> ast.expr:
    """``then if test else otherwise``, and ``test`` itself where that is unknown."""
    name = next(fresh)
    other = _either(_is(name_of(name), False), otherwise, name_of(name))
    return _either(_is(_kept(name, test), True), then, other)


def _kept(name: str, value: ast.expr) -> ast.expr:
    stored = ast.Name(name, ast.Store(), lineno=1, col_offset=0)
    return ast.NamedExpr(stored, value, lineno=1, col_offset=0)


def _is(value: ast.expr, expected: bool, negated: bool = False) -> ast.expr:
    operator = ast.IsNot() if negated else ast.Is()
    return ast.Compare(value, [operator], [constant(expected)], lineno=1, col_offset=0)


def _either(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    return ast.IfExp(test, then, otherwise, lineno=1, col_offset=0)
