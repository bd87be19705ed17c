"""What the checker says about conditions that together can only have one answer.

Knows when `and` is never true and `or` is never false, because their operands speak of one thing.
Does not know how that is found out (satisfiable), or which values a tag has (plausible).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mroute.errors import Severity
from mroute.expr.errors import Code
from mroute.expr.language import Type
from mroute.expr.nodes import (
    And,
    Call,
    Compare,
    Items,
    Literal,
    Node,
    Not,
    Or,
    Place,
    Tag,
    walk,
)
from mroute.expr.printer import print_node
from mroute.expr.satisfiable import Condition, conditions, possible

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_SHOWN: Final = 60
"""Characters of a subject that a message names."""

_LISTED: Final = 8
"""Texts that a hint lists."""


def joined(checker: Checker, node: And | Or) -> None:
    """Check the operands of ``and`` or ``or`` against each other."""
    seen: set[object] = set()
    worth = negations = False
    for operand in node.operands:
        if type(operand) is Compare:
            subject = operand.operands[0]
            if type(subject) is Literal:
                subject = operand.operands[1]
            # The name is enough for a first look, and does not take long.
            key = subject.name if type(subject) is Tag else subject
            if key in seen:
                worth = True
            seen.add(key)
        elif type(operand) is Not:
            negations = True
        elif type(operand) is And or type(operand) is Or:
            worth = True
    if negations and _contrary(checker, node):
        return
    if worth or negations:
        _together(checker, node, isinstance(node, And))


def chained(checker: Checker, node: Compare) -> None:
    """Check ``a < b <= c`` for a ``b`` that there cannot be."""
    _together(checker, node, True)


def membership(checker: Checker, sign: str, pair: tuple[Node, Node], kind: Type) -> None:
    """Check ``pair[0] in pair[1]``, the latter of the type ``kind``, for what is always so."""
    sought, within = pair
    if type(within) is Items:
        if not within.items and type(sought) is not Literal:
            answer = "true" if sign == "in" else "false"
            message = f"nothing is in an empty list, so this is never {answer}"
            _warn(checker, (sought.place[0], within.place[1]), message)
        return
    nothing = type(sought) is Literal and sought.value == ""
    if nothing and kind is Type.TEXT and type(within) is not Literal:
        answer = "false" if sign == "in" else "true"
        message = f"the empty text is in every text, so this is never {answer}"
        hint = "ask empty(X), or compare with == ''"
        _warn(checker, (sought.place[0], within.place[1]), message, hint)


def _warn(checker: Checker, place: Place, message: str, hint: str = "") -> None:
    checker.report(place, Code.ALWAYS, message, hint, Severity.WARNING)


# ---- A condition and its contrary ---------------------------------------------------------------


def _contrary(checker: Checker, node: And | Or) -> bool:
    operands = set(node.operands)
    for operand in node.operands:
        if not (isinstance(operand, Not) and operand.operand in operands):
            continue
        if isinstance(operand.operand, Literal) or not _settled(checker, operand.operand):
            continue
        message = "a condition and its contrary are never true together"
        if isinstance(node, Or):
            message = "of a condition and its contrary one always holds, so this is never false"
        _warn(checker, operand.place, message)
        return True
    return False


# ---- Conditions on one subject ------------------------------------------------------------------


def _together(checker: Checker, node: Node, wanted: bool) -> None:
    """Report where nothing that ``node`` asks about can make it ``wanted``."""
    by_subject: dict[Node, list[Condition]] = {}
    for condition in conditions(node, wanted):
        by_subject.setdefault(condition.subject, []).append(condition)
    for subject, several in by_subject.items():
        if len(several) > 1 and not possible(several) and _settled(checker, subject):
            _report(checker, node, subject, several)


def _settled(checker: Checker, node: Node) -> bool:
    """Whether ``node`` has one value, however often it is asked for."""
    for below, _ in walk(node):
        if isinstance(below, Call):
            function = checker.functions.get(below.name)
            if function is None or not function.pure:
                return False
    return True


def _report(checker: Checker, node: Node, subject: Node, several: Sequence[Condition]) -> None:
    named = print_node(subject)
    shown = f"'{named}'" if len(named) <= _SHOWN else "this"
    place = (several[0].place[0], several[-1].place[1])
    if isinstance(node, Or):
        message = f"one of these always holds for {shown}, so this is never false"
        hint, sign = "did you mean 'and'?", "not in"
    else:
        message = f"{shown} cannot be all of this at once, so this is never true"
        hint, sign = "did you mean 'or'?" if isinstance(node, And) else "", "in"
    texts = [text for each in several for text in each.chosen or ()]
    if len(texts) == len(several) <= _LISTED and len(named) <= _SHOWN:
        values = print_node(Items(tuple(Literal(text) for text in texts)))
        hint = f"did you mean {named} {sign} {values}?"
    _warn(checker, place, message, hint)
