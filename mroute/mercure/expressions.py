"""Conditions: from the text of a mercure rule to the one in the rule file.

Knows the spelling that a rule file has, and that a text which cannot be read stays as it is. Does
not know what else is different (differences).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from mroute.errors import ExpressionError
from mroute.expr import Code as ExpressionCode
from mroute.expr import Functions, Tree, check, parse
from mroute.expr.dictionary import canonical
from mroute.expr.layout import format_expression
from mroute.expr.nodes import Node, Tag, walk
from mroute.expr.printer import print_node
from mroute.mercure.codes import Code
from mroute.mercure.differences import Difference, differences
from mroute.mercure.findings import Where
from mroute.mercure.python import advice


def convert_condition(
    text: Any, where: Where, functions: Functions, written: frozenset[str]
) -> Any:
    """The condition for the rule file; what has to be looked at is told.

    ``written`` are the tags that mercure writes for every image. What is no text is given as it is,
    and so is what the language does not take: a rule file with it is refused until it is rewritten.
    """
    if not isinstance(text, str):
        return text
    try:
        tree = parse(text)
    except ExpressionError as error:
        _tell_unreadable(text, error, where)
        return text
    for each in differences(tree, functions, written):
        _tell(each, where)
    for problem in check(tree, functions).problems:
        if problem.code == ExpressionCode.NO_LIST:  # which the canonical spelling does not show
            where.tell(problem.code, "rule", problem.message, problem.hint)
    hints = advice(text)
    if hints:
        message = "the rule uses what Python has and the rule language has not"
        where.tell(Code.REWRITE, "rule", message, "; ".join(hints))
    return _spelled(tree)


def _tell(difference: Difference, where: Where) -> None:
    where.tell(difference.code, "rule", difference.message, difference.hint)


def _tell_unreadable(text: str, error: ExpressionError, where: Where) -> None:
    first = error.problems[0]
    hints = advice(text) or [first.hint or "rewrite it by the page of the rule language"]
    message = f"it cannot be read: {first.message}; the text is kept as it is, to be rewritten"
    where.tell(Code.REWRITE, "rule", message, "; ".join(hints))


def _spelled(tree: Tree) -> str:
    """The canonical text of ``tree``, with its comments, as `mroute fmt` writes it."""
    text = _respelled(tree)
    try:
        return format_expression(text)
    except ExpressionError:  # it is too long once it is laid out
        return text


def _respelled(tree: Tree) -> str:
    """The own text of ``tree`` with nothing changed but the spelling of tags."""
    text = tree.text
    for tag in sorted(_tags(tree.root), key=lambda each: each.place, reverse=True):
        start, end = tag.place
        if text[start] == "@" or not tag.exact:
            text = text[:start] + print_node(_known(tag)) + text[end:]
    return text


def _tags(root: Node) -> Iterator[Tag]:
    return (node for node, _ in walk(root) if isinstance(node, Tag))


def _known(node: Node) -> Node:
    """``node`` with every tag that DICOM does not know in the form that takes any name."""
    if isinstance(node, Tag):
        unknown = not node.exact and canonical(node.name) is None
        return replace(node, exact=True) if unknown and not node.name.startswith("_") else node
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            changed[field.name] = _known(value)
        elif isinstance(value, tuple) and field.name != "place":
            changed[field.name] = tuple(
                _known(each) if isinstance(each, Node) else each for each in value
            )
    return replace(node, **changed)
