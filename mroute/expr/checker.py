"""The second of three steps: whether a tree makes sense, without any tags to try it on.

Knows the types through an expression and which names there are. All findings are collected; those
about names and their sentences are in names, those about operators in operands and the modules it
calls. Does not know how anything is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mroute.errors import Problem, Severity
from mroute.expr import contradictions, names, operands, patterns, studies
from mroute.expr.constants import constants
from mroute.expr.errors import Code, problem_at
from mroute.expr.function import Functions, RuleFunction
from mroute.expr.functions import METHODS
from mroute.expr.language import MAX_INTEGER, Language, Type
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
    Tree,
    Unary,
    walk,
)
from mroute.expr.record import Kind, Record
from mroute.expr.scopes import over_series


@dataclass(frozen=True, slots=True)
class Checked:
    """A tree with what its check found: all that compiling needs.

    ``problems`` are in the order of the text, errors and warnings.
    """

    tree: Tree
    functions: Functions
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the expression from being used."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


def check(tree: Tree, functions: Functions) -> Checked:
    """Check ``tree`` where ``functions`` may be called. Raises nothing; problems are collected."""
    checker = Checker(tree.text, functions, over_a_study=tree.language is Language.STUDY)
    if tree.language is Language.COMPLETION:
        checker.completion(tree.root)
    else:
        checker.condition(tree.root)
        if checker.constants and not checker.has_errors:
            constants(checker, tree.root)
    found = sorted(dict.fromkeys(checker.problems), key=lambda p: (p.line, p.column, p.code))
    return Checked(tree, functions, tuple(found))


class Checker:
    """One pass over one tree: finds the type of each node, and collects what is wrong with it."""

    def __init__(self, text: str, functions: Functions, *, over_a_study: bool = False) -> None:
        self.text = text
        self.functions = functions
        self.over_a_study = over_a_study
        self.owner = "tags"
        self.problems: list[Problem] = []
        self.variables: dict[str, Kind] = {}
        self.constants: list[Node] = []
        self._reads = 0
        self.pattern_size = 0

    def report(
        self,
        place: Place,
        code: Code,
        message: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Collect a finding."""
        self.problems.append(problem_at(self.text, place, code, message, hint, severity))

    @property
    def has_errors(self) -> bool:
        """Whether something found so far keeps the expression from being used."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def condition(self, node: Node, symbol: str = "") -> bool:
        """Check a ``node`` that has to be true or false, as an operand of ``symbol`` if given.

        Returns whether it is, as far as is known.
        """
        if isinstance(node, Choice):
            self.condition(node.test, "if")
            fits = [self.condition(value, symbol) for value in (node.then, node.otherwise)]
            return all(fits)
        kind = self.type_of(node)
        if kind not in (Type.TRUTH, Type.ANY):
            operands.no_condition(self, node, kind, symbol)
            return False
        return True

    def type_of(self, node: Node) -> Kind:
        """The type of ``node``, after checking it and everything below it."""
        rule = _RULES.get(type(node))
        if rule is None:
            raise TypeError(f"no type for {node!r}")
        before = self._reads
        kind = rule(self, node)
        if self._reads == before and not isinstance(node, _WRITTEN):
            self.constants.append(node)
        return kind

    def _tag(self, node: Tag) -> Kind:
        self._reads += 1
        if node.owner == self.owner:
            names.tag(self, node)
        else:
            studies.tag_of_another(self, node)
        return Type.TEXT

    def _name(self, node: Name) -> Kind:
        self._reads += 1
        return names.name(self, node)

    def _items(self, node: Items) -> Kind:
        for item in node.items:
            self.type_of(item)
        return Type.LIST

    def _unary(self, node: Unary) -> Kind:
        operands.number(self, node.operand, self.type_of(node.operand), node.operator)
        return Type.NUMBER

    def _comparison(self, node: Compare) -> Kind:
        operands.comparison(self, node)
        return Type.TRUTH

    def _joined(self, node: And | Or) -> Kind:
        symbols = ("&", "|") if node.symbol else ("and", "or")
        for operand in node.operands:
            if not self.condition(operand, symbols[isinstance(node, Or)]) and node.symbol:
                # Without parentheses around it, whatever is beside it is misread as well.
                return Type.ANY
        contradictions.joined(self, node)
        return Type.TRUTH

    def _negation(self, node: Not) -> Kind:
        self.condition(node.operand, "not")
        return Type.TRUTH

    def _choice(self, node: Choice) -> Kind:
        self.condition(node.test, "if")
        kinds = {self.type_of(node.then), self.type_of(node.otherwise)}
        return kinds.pop() if len(kinds) == 1 else Type.ANY

    def _literal(self, node: Literal) -> Kind:
        value = node.value
        if isinstance(value, bool):
            self.constants.append(node)
            return Type.TRUTH
        if isinstance(value, str):
            return Type.TEXT
        if math.isinf(value) or (isinstance(value, int) and value > MAX_INTEGER):
            hint = "put it in quotes if it is an identifier and not a number"
            self.report(node.place, Code.NUMBER, "this number is too large", hint)
        return Type.NUMBER

    def _call(self, node: Call) -> Kind:
        if self.over_a_study and studies.is_number_of_series(node):
            self._reads += 1
            return Type.NUMBER
        kinds = [self.type_of(argument) for argument in node.arguments]
        function = self.functions.get(node.name)
        if function is None:
            names.unknown_function(self, node)
            return Type.ANY
        # What need not give the same again is no constant.
        self._reads += not function.pure
        tags_only = all(isinstance(argument, Tag) for argument in node.arguments)
        if node.name in ("has", "empty") and not tags_only:
            message = f"'{node.name}' takes a tag by its name"
            hint = f"write {node.name}(SliceThickness) or {node.name}(tags.SliceThickness)"
            self.report(node.place, Code.ARGUMENT, message, hint)
        else:
            fits = self._arguments(node, f"'{node.name}'", function, node.arguments, kinds)
            if fits and node.name == "matches":
                patterns.pattern(self, node)
        return function.returns

    def _method(self, node: Method) -> Kind:
        kinds = [self.type_of(argument) for argument in node.arguments]
        if isinstance(node.value, Name) and node.value.name in ("tags", self.owner):
            names.method_of_tags(self, node)
            return Type.ANY
        kind = self.type_of(node.value)
        method = METHODS.get(node.name)
        if isinstance(kind, Record):
            names.method_of_record(self, node, kind)
            return Type.ANY
        if method is None:
            names.unknown_method(self, node)
            return Type.ANY
        if kind not in (Type.TEXT, Type.ANY):
            names.method_of_other(self, node, kind)
            return Type.ANY
        self._arguments(
            node, f"'.{node.name}'", method, (node.value, *node.arguments), [kind, *kinds], own=1
        )
        return method.returns

    def _arguments(
        self,
        node: Node,
        named: str,
        function: RuleFunction,
        arguments: tuple[Node, ...],
        kinds: list[Kind],
        own: int = 0,
    ) -> bool:
        """Check number and types; the first ``own`` arguments are not written in parentheses.

        Returns whether they fit.
        """
        most = len(function.arguments)
        if not most - function.optional <= len(arguments) <= most:
            least, most, given = most - function.optional - own, most - own, len(arguments) - own
            wanted = f"{least} to {most}" if least != most else str(least) if least else "no"
            plural = "" if wanted == "1" else "s"
            message = f"{named} takes {wanted} argument{plural}, and {given or 'none'} here"
            self.report(node.place, Code.ARITY, message)
            return False
        fits = True
        for argument, kind, declared in zip(arguments, kinds, function.arguments, strict=False):
            if not _accepts(declared, argument, kind):
                message = f"{named} takes a {declared} here, not a {kind}"
                hint = operands.conversion(declared, kind)
                self.report(argument.place, Code.ARGUMENT, message, hint)
                fits = False
        return fits

    def _loop(self, node: Loop) -> Kind:
        if over_series(node):
            self._reads += 1
            return studies.loop(self, node)
        before = self._reads
        if not operands.loop(self, node):
            return Type.ANY
        outer = self.variables.get(node.variable)
        self.variables[node.variable] = operands.item_type(self, node.source)
        for condition in (*node.filters, node.body):
            self.condition(condition, node.name)
        if outer is None:
            del self.variables[node.variable]
        else:
            self.variables[node.variable] = outer
        if not self.variables and not any(self._varies(each) for each, _ in walk(node)):
            # It read its own variable, and nothing else.
            self._reads = before
        return Type.TRUTH

    def _varies(self, node: Node) -> bool:
        """Whether ``node`` alone may give something else for another series, or another time."""
        if isinstance(node, Call) and node.name in self.functions:
            return not self.functions[node.name].pure
        return isinstance(node, Tag)

    def completion(self, node: Node) -> None:
        """Check an expression of the completion language."""
        match node:
            case And(operands=below) | Or(operands=below):
                for operand in below:
                    self.completion(operand)
            case Not(operand=operand):
                self.completion(operand)
            case Received(name=name) | Count(name=name):
                if not name.strip():
                    message = "an empty name is contained in every description"
                    hint = "write a part of the description to wait for"
                    self.report(node.place, Code.COMPLETION, message, hint)
            case Compare(operands=(Call(name=function), Literal() as number)):
                if function != "count":
                    message = f"unknown function '{function}'"
                    hint = "only count('T1') can be called here"
                    self.report(node.place, Code.UNKNOWN_FUNCTION, message, hint)
                else:
                    message = "'count' is compared with a whole number of at most 9 digits"
                    self.report(number.place, Code.COMPLETION, message, "write count('T1') >= 2")
            case _:
                raise TypeError(f"{node!r} is not part of the completion language")


_RULES: Mapping[type[Node], Callable[[Checker, Any], Kind]] = {
    Literal: Checker._literal,
    Tag: Checker._tag,
    Name: Checker._name,
    Items: Checker._items,
    Attribute: names.attribute,
    Call: Checker._call,
    Method: Checker._method,
    Loop: Checker._loop,
    Index: operands.item_or_part,
    Slice: operands.item_or_part,
    Unary: Checker._unary,
    Binary: operands.arithmetic,
    Compare: Checker._comparison,
    And: Checker._joined,
    Or: Checker._joined,
    Not: Checker._negation,
    Choice: Checker._choice,
}
"""What gives each node its type."""

_WRITTEN = (Literal, Items)
"""What is a constant because it was written as one."""


def _accepts(declared: Type, argument: Node, kind: Kind) -> bool:
    if Type.ANY in (declared, kind) or declared is kind:
        return True
    # A text is read as a number; that one is written in the rule, so it is known not to be one.
    return declared is Type.NUMBER and kind is Type.TEXT and operands.may_be_number(argument)
