"""What a rule file says, however it is written: the proof that formatting changed nothing.

Knows which texts are expressions, for the installed plugins; an expression says what its tree says.
Does not know how a file is formatted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

from mroute.config.compose import compose
from mroute.config.nodes import Node
from mroute.config.shapes import Shape, walk
from mroute.config.source import Source
from mroute.errors import ExpressionError, Problem
from mroute.expr import Language, parse
from mroute.expr.layout import comments_of
from mroute.models import ExpressionText
from mroute.registry import Registry

Expressions: TypeAlias = Mapping[int, tuple[Node, Language]]
"""The expressions of a file, by the offset at which they begin."""


def expressions_of(source: Source, registry: Registry) -> Expressions:
    """The expressions in a file: those of the core's models, and of the installed plugins'."""
    return {
        node.start: (node, mark.language)
        for shape, node in walk(Shape(compose(registry).file), source.root)
        for mark in shape.metadata
        if isinstance(mark, ExpressionText) and isinstance(node.value, str)
    }


def expression_problems(source: Source, expressions: Expressions) -> list[Problem]:
    """What keeps expressions from being read."""
    problems = []
    for node, language in expressions.values():
        try:
            parse(node.value, language)
        except ExpressionError as error:
            problems += [source.within(node, problem) for problem in error.problems]
    return problems


def meaning(source: Source, registry: Registry) -> Any:
    """A value that is equal for two files that say the same, in whatever words.

    The order of rules, targets and modules belongs to it, that of other keys does not.
    """
    expressions = expressions_of(source, registry)
    known: dict[int, Any] = {}

    def of(node: Node) -> Any:
        # An alias stands for the same node again, which may be large.
        if id(node) not in known:
            known[id(node)] = said(node)
        return known[id(node)]

    def said(node: Node) -> Any:
        if node.entries is not None:
            return {key: of(entry.node) for key, entry in node.entries.items()}
        if node.items is not None:
            return [of(item) for item in node.items]
        if node.start in expressions:
            language = expressions[node.start][1]
            return parse(node.value, language), comments_of(node.value, language)
        return type(node.value), repr(node.value)

    names = [
        list(section.entries or ())
        for key in ("targets", "modules", "rules")
        if (section := source.root.child(key))
    ]
    return names, of(source.root)


def comments_in_expressions(expressions: Expressions) -> Counter[str]:
    """How often each comment is in an expression."""
    found: Counter[str] = Counter()
    for node, language in expressions.values():
        found.update(comments_of(node.value, language))
    return found
