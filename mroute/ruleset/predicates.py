"""A clause as literals on one tag.

Knows which comparisons, functions and methods are tests that can be looked up. Any other clause
that reads one tag only is a test of its own, asked once for each value; what reads several, or
calls a function that need not give the same again, is left to its code. Does not know how clauses
are joined (normal_form).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from mroute.expr import BUILTINS, Functions
from mroute.expr.compiler import value_of
from mroute.expr.nodes import Call, Compare, Items, Literal, Loop, Method, Name, Node, Tag, walk
from mroute.ruleset import literals
from mroute.ruleset.literals import Fold, Form, Kind, Test, View
from mroute.ruleset.strictness import needed_tags
from mroute.ruleset.unrolling import unrolled

_KINDS: Final[Mapping[str, Kind]] = {
    "==": Kind.EQUAL,
    "<": Kind.LESS,
    "<=": Kind.AT_MOST,
    ">": Kind.MORE,
    ">=": Kind.AT_LEAST,
}

_MIRRORED: Final[Mapping[str, str]] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

_CONTRARY: Final[Mapping[Kind, Kind]] = {
    Kind.LESS: Kind.AT_LEAST,
    Kind.AT_LEAST: Kind.LESS,
    Kind.MORE: Kind.AT_MOST,
    Kind.AT_MOST: Kind.MORE,
    Kind.TRUE: Kind.FALSE,
    Kind.PRESENT: Kind.ABSENT,
    Kind.BLANK: Kind.FILLED,
}
"""The kinds that are true exactly where those on the left are false."""

_METHODS: Final[Mapping[str, Kind]] = {"startswith": Kind.PREFIX, "endswith": Kind.SUFFIX}

Tests: TypeAlias = tuple[tuple[Test, ...], bool]
"""Tests of one view, and whether a clause is true where all of them are; else where any is."""


class Predicates:
    """Finds the tests in clauses that call ``functions``."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._views: dict[tuple[Node, Fold], View] = {}

    def spelled_out(self, node: Node) -> Node | None:
        """The *and*, *or* or *not* that ``node`` is another spelling of; None where it is none."""
        match node:
            case Compare(operators=operators, operands=operands) if len(operators) > 1:
                parts = (part for operand in operands for part, _ in walk(operand))
                return unrolled(node) if self._are_pure(parts) else None
            case Compare(operators=("not in" | "!=",)) | Loop() | Call(name="any" | "all"):
                return unrolled(node)
        return None

    def form(self, clause: Node, wanted: bool) -> Form:
        """When ``clause``, which is nothing spelled out, is true or is false."""
        tag = self._only_tag(clause)
        if tag is None:
            # Of a clause of several tags no more is known than that they must be there.
            there = (Kind.BLANK, Kind.FILLED)
            needed = [(tag, self._view(tag, tag)) for tag in needed_tags(clause)]
            return Form(
                (
                    tuple(
                        literals.Literal(tag, tuple(Test(view, kind) for kind in there))
                        for tag, view in needed
                    ),
                ),
                exact=False,
            )
        tests, conjoined = self._tests(clause, tag) or (self._asked(clause, tag), False)
        if len(tests) == 1 or conjoined:
            each = [_literal(tag, test, wanted) for test in tests]
            return Form((tuple(each),) if wanted else tuple((literal,) for literal in each))
        if wanted:
            return Form(((literals.Literal(tag, tests),),))
        # None of them: those compared with texts and with numbers are looked up apart.
        sorts: dict[bool, list[Test]] = {}
        for test in tests:
            sorts.setdefault(isinstance(test.constant, str), []).append(test)
        return Form((tuple(literals.Literal(tag, tuple(each), True) for each in sorts.values()),))

    def adopt(self, view: View) -> None:
        """Use ``view`` wherever there would be one like it."""
        self._views.setdefault((view.node, view.fold), view)

    def _asked(self, clause: Node, tag: Tag) -> tuple[Test, ...]:
        return (Test(self._view(tag, clause), Kind.TRUE),)

    def _view(self, tag: Tag, node: Node, fold: Fold = Fold.NONE) -> View:
        """The view of ``tag``; that of the tag itself is the one whose node is the tag."""
        view = self._views.get((node, fold))
        if view is None:
            view = self._views[node, fold] = View(tag, tag if node == tag else node, fold)
        return view

    def _tests(self, clause: Node, tag: Tag) -> Tests | None:
        """The tests that ``clause`` is, and whether it is all of them or any.

        None where it is nothing that can be looked up.
        """
        match clause:
            case Compare(operators=("in",), operands=(value, Items(items=items))):
                return self._any_of(self._view(tag, value), Kind.EQUAL, items, (str, int, float))
            case Compare(operators=("in",), operands=(part, value)):
                return self._any_of(self._view(tag, value), Kind.PART, (part,), (str,))
            case Compare(operators=(sign,), operands=(value, constant)) if sign in _KINDS:
                if self._constant(constant) is None:
                    value, constant, sign = constant, value, _MIRRORED[sign]
                return self._any_of(
                    self._view(tag, value), _KINDS[sign], (constant,), (str, int, float)
                )
            case Method(name=name, value=value, arguments=(argument,)) if name in _METHODS:
                sought = argument.items if isinstance(argument, Items) else (argument,)
                return self._any_of(self._view(tag, value), _METHODS[name], sought, (str,))
            case Call(name="has" | "empty" as name, arguments=(Tag(),)):
                kind = Kind.PRESENT if name == "has" else Kind.BLANK
                return (Test(self._view(tag, tag), kind),), False
            case Call(name="same", arguments=(value, other)):
                return self._any_of(self._view(tag, value, Fold.ENDS), Kind.EQUAL, (other,), (str,))
            case Call(name="any_of" | "all_of" as name, arguments=(value, Items(items=items))):
                found = self._any_of(self._view(tag, value, Fold.CASE), Kind.PART, items, (str,))
                return found and (found[0], name == "all_of")
        return None

    def _any_of(
        self, view: View, kind: Kind, sought: tuple[Node, ...], types: tuple[type, ...]
    ) -> Tests | None:
        """A test for each of ``sought``; None where one is not a constant of the ``types``."""
        constants = [self._constant(each) for each in sought]
        if not constants or any(type(constant) not in types for constant in constants):
            return None
        folded = [view.fold.of(each) if isinstance(each, str) else each for each in constants]
        return tuple(dict.fromkeys(Test(view, kind, each) for each in folded)), False

    def _constant(self, node: Node) -> Any:
        """The value of ``node`` where it reads no tag and always gives the same; else None."""
        if type(node) is Literal:
            return node.value
        for part, _ in walk(node):
            if isinstance(part, Tag | Name):
                return None
            # What a plugin's function gives today it need not give tomorrow, when the form is read
            # back: its code may depend on the site.
            if isinstance(part, Call) and self._functions[part.name] is not BUILTINS.get(part.name):
                return None
        return value_of(node, self._functions)({})

    def _only_tag(self, node: Node) -> Tag | None:
        """The tag that ``node`` is a function of; None where there are others, or none."""
        found: Tag | None = None
        for part, _ in walk(node):
            if isinstance(part, Tag):
                if found is not None and part != found:
                    return None
                found = part
            elif not self._is_pure(part):
                return None
        return found

    def _are_pure(self, parts: Iterable[Node]) -> bool:
        return all(self._is_pure(part) for part in parts)

    def _is_pure(self, part: Node) -> bool:
        return not isinstance(part, Call) or self._functions[part.name].pure


def _literal(tag: Tag, test: Test, wanted: bool) -> literals.Literal:
    if wanted:
        return literals.Literal(tag, (test,))
    contrary = _CONTRARY.get(test.kind)
    if contrary is None:
        return literals.Literal(tag, (test,), negated=True)
    return literals.Literal(tag, (test._replace(kind=contrary),))
