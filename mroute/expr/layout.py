"""The canonical text of an expression: its comments kept, long ones on several lines.

Knows where a line may be broken, and at which clause a comment stands. Does not know how a clause
is spelled (printer), or where the expression is written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mroute.expr.extents import Comment, Extents
from mroute.expr.language import MAX_NESTING, Language
from mroute.expr.nodes import (
    And,
    Call,
    Choice,
    Compare,
    Items,
    Literal,
    Loop,
    Method,
    Name,
    Node,
    Not,
    Or,
    Place,
    Tag,
    Tree,
    rebuilt,
)
from mroute.expr.parser import parse
from mroute.expr.printer import AND, CHOICE, NOT, OR, SUM, VALUE, write_node

WIDTH = 88
"""Columns of a line; what has no place to break may take more."""

_INDENT = "  "


def format_expression(
    text: str, language: Language = Language.CONDITION, width: float = WIDTH
) -> str:
    """``text`` in its canonical spelling, without a line end behind it.

    It is on one line where it has no comments and is not wider than ``width``; otherwise its
    clauses have a line each. Raises `ExpressionError` where ``text`` does not parse, or is too long
    once it is laid out.
    """
    formatted = _once(text, language, width)
    for _ in range(MAX_NESTING if "#" in formatted else 0):
        # A comment that had no place within a clause is above it now, and the clause fits a line.
        again, formatted = formatted, _once(formatted, language, width)
        if again == formatted:
            break
    return formatted


def _once(text: str, language: Language, width: float) -> str:
    tree = parse(text, language)
    tree = replace(tree, root=_as_written(tree.root, text))
    return "\n".join(_Layout(tree, width).lines())


def comments_of(text: str, language: Language = Language.CONDITION) -> tuple[str, ...]:
    """The comments of an expression that parses, in order."""
    if "#" not in text:
        return ()
    return tuple(comment.text for comment in Extents(parse(text, language)).comments)


@dataclass(slots=True)
class _Clause:
    """What has a line of its own where lines are broken, with the comments that stand at it."""

    node: Node
    around: int
    prefix: str = ""
    suffix: str = ""
    above: list[Comment] = field(default_factory=list)
    inside: list[Comment] = field(default_factory=list)
    beside: Comment | None = None


class _Layout:
    def __init__(self, tree: Tree, width: float) -> None:
        self._tree = tree
        self._width = width
        self._extents = Extents(tree)

    def lines(self) -> list[str]:
        """The whole expression."""
        root = _Clause(self._tree.root, CHOICE)
        return self._clauses([root], self._extents.comments, 0, bare=True)

    def _clauses(
        self, clauses: list[_Clause], comments: Sequence[Comment], margin: int, *, bare: bool
    ) -> list[str]:
        """The lines of clauses that begin at the column ``margin``.

        One that is ``bare`` goes on over several lines without parentheses of its own.
        """
        below = self._share(clauses, comments)
        lines = []
        for clause in clauses:
            inner = self._lines(clause, margin, bare)
            if inner is None:
                # Within what cannot be broken there is no place for a comment.
                clause.above += clause.inside
                clause.inside = []
                inner = self._lines(clause, margin, bare) or [self._flat(clause)]
            lines += [comment.text for comment in clause.above]
            inner = [clause.prefix + inner[0], *inner[1:]]
            taken = bool(clause.inside) and inner[-1].endswith(clause.inside[-1].text)
            inner[-1] += clause.suffix
            if clause.beside and taken:
                inner.append(clause.beside.text)
            elif clause.beside:
                inner[-1] += f"  {clause.beside.text}"
            lines += inner
        return [*lines, *(comment.text for comment in below)]

    def _share(self, clauses: list[_Clause], comments: Sequence[Comment]) -> list[Comment]:
        """Give each comment to the clause it stands at; those behind the last one are left."""
        below = []
        spans = [self._extents.of(clause.node) for clause in clauses]
        passed = 0
        for comment in comments:
            at = comment.start
            while passed < len(spans) and spans[passed][1] <= at:
                passed += 1
            if passed and not clauses[passed - 1].beside and self._same_line(spans, passed, at):
                clauses[passed - 1].beside = comment
            elif passed == len(clauses):
                below.append(comment)
            elif at < spans[passed][0]:
                clauses[passed].above.append(comment)
            else:
                clauses[passed].inside.append(comment)
        return below

    def _same_line(self, spans: Sequence[Place], passed: int, at: int) -> bool:
        return "\n" not in self._tree.text[spans[passed - 1][1] : at] and (
            passed == len(spans) or at < spans[passed][0]
        )

    def _flat(self, clause: _Clause) -> str:
        return write_node(clause.node, clause.around)

    def _lines(self, clause: _Clause, margin: int, bare: bool) -> list[str] | None:
        """The lines of one clause; None where its comments have no place within."""
        flat = self._flat(clause)
        taken = margin + len(clause.prefix) + len(flat) + len(clause.suffix)
        if not clause.inside and taken <= self._width:
            return [flat]
        return self._broken(clause.node, clause.around, clause.inside, margin, bare)

    def _broken(
        self, node: Node, around: int, comments: list[Comment], margin: int, bare: bool = False
    ) -> list[str] | None:
        """The lines of a node that is broken; None where it, or with its comments, cannot be."""
        parts = _parts(node)
        if parts and bare and isinstance(node, And | Or | Choice):
            return self._clauses(parts, comments, margin, bare=False)
        if parts and not (comments and comments[0].start < _bracket(node)):
            inner = self._clauses(parts, comments, margin + len(_INDENT), bare=len(parts) == 1)
            opening, closing = _brackets(node)
            return [opening, *(_INDENT + line for line in inner), closing]
        lines = self._within(node, comments, margin)
        if lines and write_node(node, around) != write_node(node, CHOICE):
            # It binds less tightly than what is around it.
            return ["(" + lines[0], *lines[1:-1], lines[-1] + ")"]
        return lines

    def _within(self, node: Node, comments: list[Comment], margin: int) -> list[str] | None:
        """The lines where one operand is broken: the one with the comments, or the last one."""
        operands = _operands(node)
        for i in reversed(range(len(operands))):
            before, (operand, around) = operands[i]
            start, end = self._extents.of(operand)
            if not all(start <= comment.start < end for comment in comments):
                continue
            lines = self._broken(operand, around, comments, margin)
            if lines is not None:
                head = "".join(word + write_node(*each) for word, each in operands[:i]) + before
                tail = "".join(word + write_node(*each) for word, each in operands[i + 1 :])
                return [head + lines[0], *lines[1:-1], lines[-1] + tail]
        return None


def _parts(node: Node) -> list[_Clause]:
    """What has a line of its own where ``node`` is broken."""
    match node:
        case And(operands=operands):
            return [_Clause(each, NOT, "and " if i else "") for i, each in enumerate(operands)]
        case Or(operands=operands):
            return [_Clause(each, AND, "or " if i else "") for i, each in enumerate(operands)]
        case Choice(then=then, test=test, otherwise=otherwise):
            clauses = [_Clause(then, OR), _Clause(test, OR, "if ")]
            return [*clauses, _Clause(otherwise, CHOICE, "else ")]
        case Loop(body=body, variable=variable, source=source, filters=filters):
            clauses = [_Clause(body, CHOICE), _Clause(source, OR, f"for {variable} in ")]
            return clauses + [_Clause(each, OR, "if ") for each in filters]
        case Items(items=items) | Call(arguments=items) | Method(arguments=items):
            comma = "," if len(items) > 1 else ""
            return [_Clause(each, CHOICE, suffix=comma) for each in items]
        case _:
            return []


def _brackets(node: Node) -> tuple[str, str]:
    """What is before and behind the parts of ``node``."""
    match node:
        case Items() | Loop(name=""):
            return "[", "]"
        case Call(name=name) | Loop(name=name):
            return f"{name}(", ")"
        case Method(value=value, name=name):
            return f"{write_node(value, VALUE)}.{name}(", ")"
        case _:
            return "(", ")"


def _bracket(node: Node) -> int:
    """An offset behind which the parts of ``node`` are, and nothing else of it."""
    return node.name_place[1] if isinstance(node, Method) else 0


def _operands(node: Node) -> list[tuple[str, tuple[Node, int]]]:
    """What ``node`` joins on one line: the words before each operand, and the operand."""
    match node:
        case Not(operand=operand):
            return [("not ", (operand, NOT))]
        case Compare(operators=operators, operands=operands):
            words = ["", *(f" {sign} " for sign in operators)]
            return [(word, (each, SUM)) for word, each in zip(words, operands, strict=True)]
        case _:
            return []


def _as_written(node: Node, text: str) -> Node:
    """``node`` with names for what is spelled otherwise than a tree is printed.

    A number with an exponent stays as it was written, as its digits were chosen by somebody, and so
    does one that is too large for any; ``has(X)`` is shorter than ``has(tags.X)``.
    """
    match node:
        case Literal(value=int() | float() as value) if not _is_plain(value, node, text):
            return Name(text[slice(*node.place)].lower(), place=node.place)
        case Call(name="has" | "empty", arguments=(Tag(exact=False, owner="tags") as tag,)):
            return replace(node, arguments=(Name(tag.name, place=tag.place),))
    return rebuilt(node, lambda below: _as_written(below, text))


def _is_plain(value: float, node: Literal, text: str) -> bool:
    return isinstance(value, bool) or (
        math.isfinite(value) and "e" not in text[slice(*node.place)].lower()
    )
