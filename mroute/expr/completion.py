"""The completion language: whether the series that a study waits for have arrived.

Knows how quoted names are looked for in series descriptions. Does not know studies, or conditions
over tags. An answer is never unknown, and nothing received is never enough.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mroute.errors import ExpressionError
from mroute.expr.checker import check
from mroute.expr.language import Language
from mroute.expr.nodes import And, Count, Node, Not, Or, Received, Tree
from mroute.expr.outcome import Outcome, quoted
from mroute.expr.parser import parse
from mroute.expr.printer import print_node

_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class CompletionProgram:
    """A completion expression, ready for the descriptions of the series received."""

    tree: Tree

    def evaluate(self, descriptions: Sequence[str]) -> Outcome:
        """Whether ``descriptions``, one a series, complete the study; never unknown.

        The reason names what completed it, or what is missing.
        """
        if not descriptions:
            return Outcome(False, "no series was received")
        value, because = _evaluate(self.tree.root, [(d.casefold(), d) for d in descriptions])
        return Outcome(value, because if value else f"not complete: {because}")


def compile_completion(text: str) -> CompletionProgram:
    """Parse and check ``text``, an expression of the completion language.

    Raises `ExpressionError` with the problems found.
    """
    checked = check(parse(text, Language.COMPLETION), {})
    if checked.errors:
        raise ExpressionError(checked.problems)
    return CompletionProgram(checked.tree)


def _evaluate(node: Node, received: Sequence[tuple[str, str]]) -> tuple[bool, str]:
    """The value of ``node``, and what it rests on: what was found, or what is missing."""
    match node:
        case Received(name=name):
            sought = name.casefold()
            found = next((shown for folded, shown in received if sought in folded), None)
            if found is None:
                return False, f"{quoted(name)} is missing"
            return True, f"{quoted(name)} was received as {quoted(found)}"
        case Count(name=name, operator=sign, number=number):
            count = sum(name.casefold() in folded for folded, _ in received)
            value = _RELATIONS[sign](count, number)
            return value, f"{print_node(node)} is {str(value).lower()} with {count} received"
        case Not(operand=operand):
            value, because = _evaluate(operand, received)
            return not value, f"{because}, and {'must not' if value else 'should'} be"
        case And(operands=operands) | Or(operands=operands):
            conjoined = isinstance(node, And)
            answers = [_evaluate(operand, received) for operand in operands]
            value = all(v for v, _ in answers) if conjoined else any(v for v, _ in answers)
            resting = [because for v, because in answers if v is value]
            if conjoined:
                return value, "; ".join(resting)
            if value:
                return value, resting[0]
            return value, " or ".join(f"({each})" if ";" in each else each for each in resting)
    raise TypeError(f"{node!r} is not part of the completion language")
