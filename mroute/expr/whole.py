"""How the clauses of a condition make a whole: its ``and``, ``or`` and ``not``.

Knows the shape of a condition, and the code of a shape: it is the same for all conditions that have
it, and compiled once. Does not know what is in a clause (emitter).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any, TypeAlias

from mroute.expr.code import call, function, junction, name_of, run
from mroute.expr.nodes import And, Node, Not, Or

Part: TypeAlias = "int | tuple[bool | None, tuple[Part, ...]]"
"""A clause by its number, or what joins parts: true for and, false for or, None for not."""

_SHAPES = 128
"""Shapes whose code is kept; the rules of a file have few."""


def part_of(node: Node, number_of: Callable[[Node], int]) -> Part:
    """The shape of ``node``; ``number_of`` is asked for every clause, in the order of the text."""
    match node:
        case And(operands=operands) | Or(operands=operands):
            below = tuple([part_of(operand, number_of) for operand in operands])
            return (isinstance(node, And), below)
        case Not(operand=operand):
            return (None, (part_of(operand, number_of),))
    return number_of(node)


@lru_cache(maxsize=_SHAPES)
def whole_of(part: Part, clauses: int) -> Callable[..., Any]:
    """A function from those of that many ``clauses``, in their order, to that of the whole."""
    names = tuple(f"c{number}" for number in range(clauses))
    whole = function(("t",), _joined(part, map("v{}".format, count())))
    # The clauses are parameters, so that the whole calls the ones that are explained.
    made: Callable[..., Any] = run(function(names, whole), {})
    return made


def _joined(part: Part, fresh: Iterator[str]) -> ast.expr:
    if isinstance(part, int):
        return call(f"c{part}", name_of("t"))
    conjoined, below = part
    operands = [_joined(inner, fresh) for inner in below]
    if conjoined is None:
        return call("negation", *operands)
    return junction(conjoined, operands, fresh)
