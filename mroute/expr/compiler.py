"""The third of three steps: from a checked tree to one code object.

Knows how clauses make a program, and which of them might take long. No text is evaluated. Does not
know the code of a clause (emitter), or how an answer is explained (program).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from types import FunctionType

from mroute.errors import ExpressionError
from mroute.expr import dictionary
from mroute.expr.checker import Checked, check
from mroute.expr.cost import steps_of
from mroute.expr.emitter import Emitter, call, function, name_of
from mroute.expr.function import Functions
from mroute.expr.functions import BUILTINS
from mroute.expr.language import MAX_STEPS, Language
from mroute.expr.nodes import And, Node, Not, Or, Tag, children, walk
from mroute.expr.parser import parse
from mroute.expr.printer import print_node
from mroute.expr.program import ClauseCode, Part, Program


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
        self._functions = functions
        self._emitter = Emitter(functions)
        self._clauses: dict[Node, int] = {}
        self._occurrences: Counter[Node] = Counter()

    def program(self, checked: Checked) -> Program:
        root = checked.tree.root
        part = self._part(root)
        budgets = self._budgets()
        clauses = [self._emitter.clause(node, budgets.get(node)) for node in self._clauses]
        names = tuple(f"c{position}" for position in range(len(clauses)))
        whole = function(("t",), self._joined(root))
        answer = ast.Tuple([whole, *(name_of(name) for name in names)], ast.Load())
        # The clauses are parameters, so that the whole calls the ones that are explained.
        code = ast.Expression(ast.Call(function(names, answer), clauses, []))
        compiled = compile(ast.fix_missing_locations(code), "<condition>", "eval")
        main, *parts = FunctionType(compiled, self._emitter.names)()
        explained = tuple(
            ClauseCode(print_node(clause), _tags_of(clause), code)
            for clause, code in zip(self._clauses, parts, strict=True)
        )
        return Program(checked.tree, main, part, explained)

    def _budgets(self) -> dict[Node, int]:
        """The steps for each clause that might take more than its share of them."""
        sizes = {node: sum(1 for _ in walk(node)) for node in self._clauses}
        share = MAX_STEPS // sum(sizes[node] * times for node, times in self._occurrences.items())
        return {
            node: share * size
            for node, size in sizes.items()
            if steps_of(node, self._functions) > share * size
        }

    def _part(self, node: Node) -> Part:
        match node:
            case And(operands=operands) | Or(operands=operands):
                return (type(node) is And, tuple(self._part(operand) for operand in operands))
            case Not(operand=operand):
                return (None, (self._part(operand),))
        self._occurrences[node] += 1
        return self._clauses.setdefault(node, len(self._clauses))

    def _joined(self, node: Node) -> ast.expr:
        match node:
            case And(operands=operands) | Or(operands=operands):
                joined = [self._joined(operand) for operand in operands]
                return self._emitter.junction(isinstance(node, And), joined)
            case Not(operand=operand):
                return call("negation", self._joined(operand))
        return call(f"c{self._clauses[node]}", name_of("t"))


def _tags_of(node: Node) -> tuple[tuple[str, Tag], ...]:
    """The tags below ``node`` in the order of the text, each once, by their DICOM keyword."""
    return tuple((dictionary.keyword_of(tag), tag) for tag in dict.fromkeys(_tags_below(node)))


def _tags_below(node: Node) -> Iterator[Tag]:
    if isinstance(node, Tag):
        yield node
    for child in children(node):
        yield from _tags_below(child)
