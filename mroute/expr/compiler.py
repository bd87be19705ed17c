"""The third of three steps: from a checked tree to a program.

Knows what can be compiled. Does not know when it is (program, clauses), or to what code (emitter).
"""

from __future__ import annotations

from mroute.errors import ExpressionError
from mroute.expr.checker import Checked, check
from mroute.expr.clauses import Clauses
from mroute.expr.emitter import Emitter, Reader
from mroute.expr.function import Functions
from mroute.expr.functions import BUILTINS
from mroute.expr.language import Language
from mroute.expr.nodes import Node
from mroute.expr.parser import parse
from mroute.expr.program import Program


def compile_text(text: str, functions: Functions = BUILTINS) -> Program:
    """Parse, check and compile the condition ``text`` in one.

    Raises `ExpressionError` with all problems found, where any of them is an error; warnings alone
    do not keep it from being used.
    """
    return compile_condition(check(parse(text), functions))


def compile_condition(checked: Checked, clauses: Clauses | None = None) -> Program:
    """The program of a checked condition. Raises `ExpressionError` where the check found errors.

    Programs made with the same ``clauses`` share the code of those that they have in common. Raises
    `ValueError` where the condition was checked with other functions than those have.
    """
    if checked.errors:
        raise ExpressionError(checked.problems)
    if checked.tree.language is not Language.CONDITION:
        raise ValueError("a completion expression is compiled by compile_completion")
    if clauses is None:
        clauses = Clauses(checked.functions)
    elif clauses.functions is not checked.functions:
        raise ValueError("the condition was checked with other functions than its clauses call")
    return Program(checked.tree, clauses)


def value_of(node: Node, functions: Functions) -> Reader:
    """A function that gives the value of ``node``, any part of a checked condition, for some tags.

    The value is not turned into a truth value, and its steps are not counted. The variables of a
    loop around ``node`` are not known.
    """
    return Emitter(functions).value(node)
