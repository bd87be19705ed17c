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
from mroute.expr.function import Functions
from mroute.expr.language import MAX_STEPS
from mroute.expr.nodes import And, Binary, Literal, Node, Not, Or, Unary, children
from mroute.expr.outcome import quoted
from mroute.expr.values import Unknown, Value

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_WORDS = {True: "true", False: "false"}
_ARITHMETIC = (Binary, Unary)
"""Numbers may be written as 4 * 60: that is easier to read than the result."""


def constants(checker: Checker, root: Node) -> None:
    """Report what in ``root``, a condition without errors, is the same for every series."""
    found = {id(node): node for node in checker.constants}
    answers = {key: _value(node, checker.functions) for key, node in found.items()}
    decided = _decided(root, answers)
    if root == Literal(True):
        return
    if decided is not None:
        message = f"the condition is always {_WORDS[decided]}"
        hint = "write True if every series is meant"
        if not decided:
            hint = "name the tag that was meant; a rule that is not wanted has 'disabled: true'"
        checker.report(root.place, Code.ALWAYS, message, hint, Severity.WARNING)
        return
    for node in _outermost(root, found):
        _same_for_all(checker, node, answers[id(node)])


def _same_for_all(checker: Checker, node: Node, value: Value) -> None:
    if isinstance(node, _ARITHMETIC) and type(value) in (int, float):
        return
    if isinstance(value, Unknown):
        message = f"this part is always unknown: {value.reason}"
    elif type(value) is bool:
        message = f"this part is always {_WORDS[value]}, whatever the tags are"
    else:
        shown = quoted(value) if type(value) is str else str(value)[:60]
        message = f"this part is always {shown}, whatever the tags are"
    hint = "write what it comes to, or name the tag that was meant"
    if isinstance(node, Literal):
        hint = "leave it out"
    checker.report(node.place, Code.CONSTANT, message, hint, Severity.WARNING)


def _value(node: Node, functions: Functions) -> Value:
    if steps_of(node, functions) > MAX_STEPS:
        return Unknown(f"it takes more than {MAX_STEPS:,} steps")
    return Emitter(functions).value(node)


def _decided(node: Node, answers: dict[int, Value]) -> bool | None:
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
    answer = answers.get(id(node))
    return answer if type(answer) is bool else None


def _outermost(node: Node, found: dict[int, Node]) -> Iterator[Node]:
    if id(node) in found:
        yield node
        return
    for child in children(node):
        yield from _outermost(child, found)
