"""What the checker says about parts that are the same for every series.

Knows that such a part is seldom meant, and that it can decide a whole condition. Does not know how
a part is computed (emitter), or when two clauses exclude each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mroute.errors import Severity
from mroute.expr.cost import steps_of
from mroute.expr.emitter import Emitter
from mroute.expr.errors import Code
from mroute.expr.language import MAX_STEPS
from mroute.expr.nodes import And, Binary, Literal, Node, Not, Or, Unary, children
from mroute.expr.outcome import quoted
from mroute.expr.record import RecordValue
from mroute.expr.values import Unknown, Value

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_UNASKED = Unknown("it would take too long to find out")
_WORDS = {True: "true", False: "false"}
_ARITHMETIC = (Binary, Unary)
"""Numbers may be written as 4 * 60: that is easier to read than the result."""


def constants(checker: Checker, root: Node) -> None:
    """Report what in ``root``, a condition without errors, is the same for every series."""
    if root == Literal(True):
        return
    answers = _Answers(checker)
    decided = _decided(root, answers)
    if decided is not None:
        message = f"the condition is always {_WORDS[decided]}"
        hint = "write True if every series is meant"
        if not decided:
            hint = "name the tag that was meant; a rule that is not wanted has 'disabled: true'"
        checker.report(root.place, Code.ALWAYS, message, hint, Severity.WARNING)
        return
    for node in _outermost(root, answers):
        answer = answers.of(node)
        if answer is not _UNASKED:
            _same_for_all(checker, node, answer)


class _Answers:
    """The values of constants, each computed when it is asked for, as long as steps are left."""

    def __init__(self, checker: Checker) -> None:
        self._functions = checker.functions
        self._constants = {id(node) for node in checker.constants}
        self._known: dict[int, Value] = {}
        self._left = MAX_STEPS

    def __contains__(self, node: Node) -> bool:
        return id(node) in self._constants

    def of(self, node: Node) -> Value:
        """The value of a constant; `_UNASKED` where that would take too long."""
        if id(node) not in self._known:
            self._left -= steps_of(node, self._functions)
            enough = self._left >= 0
            self._known[id(node)] = Emitter(self._functions).value(node)({}) if enough else _UNASKED
        return self._known[id(node)]


def _same_for_all(checker: Checker, node: Node, value: Value) -> None:
    if isinstance(node, _ARITHMETIC) and type(value) in (int, float):
        return
    if isinstance(value, RecordValue):  # date('20240131') can be written in no other way
        return
    if isinstance(value, Unknown):
        message = f"this part is always unknown: {value.reason}"
    elif type(value) is bool:
        message = f"this part is always {_WORDS[value]}, whatever the tags are"
    else:
        shown = quoted(value) if type(value) is str else str(value)
        if type(value) is tuple:
            shown = f"a list of {len(value)}"
        message = f"this part is always {shown}, whatever the tags are"
    hint = "write what it comes to, or name the tag that was meant"
    if isinstance(node, Literal):
        hint = "leave it out"
    checker.report(node.place, Code.CONSTANT, message, hint, Severity.WARNING)


def _decided(node: Node, answers: _Answers) -> bool | None:
    """What ``node`` comes to whatever the tags are, or None where it depends on them."""
    match node:
        case Literal(value=bool(value)):
            return value
        case Not(operand=operand):
            inner = _decided(operand, answers)
            return None if inner is None else not inner
        case And(operands=operands) | Or(operands=operands):
            conjoined = isinstance(node, And)
            found = [_decided(operand, answers) for operand in operands]
            if (not conjoined) in found:
                return not conjoined
            return conjoined if all(each is conjoined for each in found) else None
    answer = answers.of(node) if node in answers else None
    return answer if type(answer) is bool else None


def _outermost(node: Node, answers: _Answers) -> Iterator[Node]:
    if node in answers:
        yield node
        return
    for child in children(node):
        yield from _outermost(child, answers)
