"""What the checker says about conditions that together can only have one answer.

Knows when `and` is never true and `or` is never false, because their operands speak of one thing.
A possible value is looked for among those that decide; where there is none, that is reported. Does
not know tags or their values: whatever is said here holds for every text and number.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mroute.errors import Severity
from mroute.expr.errors import Code
from mroute.expr.functions import METHODS
from mroute.expr.language import Type
from mroute.expr.nodes import (
    And,
    Call,
    Compare,
    Items,
    Literal,
    Method,
    Node,
    Not,
    Or,
    Place,
    Tag,
    Unary,
    walk,
)
from mroute.expr.operators import relation
from mroute.expr.printer import print_node
from mroute.expr.values import Value, is_number, number_of

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_MOST: Final = 10_000
"""Values times conditions that are tried; about more of them nothing is said."""

_SHOWN: Final = 60
"""Characters of a subject that a message names."""

_RELATIONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, values: value in values,
    "not in": lambda value, values: value not in values,
}


class _Condition(NamedTuple):
    """``subject sign value``, or ``value sign subject`` where ``after``.

    ``wanted`` is the answer that would keep the whole from being settled.
    """

    subject: Node
    sign: str
    value: Value
    after: bool
    wanted: bool
    place: Place

    def allows(self, candidate: Value) -> bool:
        """Whether the answer for ``candidate`` is the one that is wanted."""
        operands = (self.value, candidate) if self.after else (candidate, self.value)
        return relation(self.sign, *operands) is self.wanted

    def allows_number(self, candidate: Fraction) -> bool:
        """The same for a condition on numbers, without any rounding."""
        operands = (self.value, candidate) if self.after else (candidate, self.value)
        return _RELATIONS[self.sign](*operands) is self.wanted

    @property
    def chosen(self) -> tuple[str, ...] | None:
        """The texts that the subject has to be one of, where there is no other way."""
        if self.sign == ("==" if self.wanted else "!="):
            values = (self.value,)
        elif self.sign == ("in" if self.wanted else "not in") and not self.after:
            values = self.value
        else:
            return None
        if type(values) is not tuple or not all(type(value) is str for value in values):
            return None
        # A number is equal to several texts; to one that is no number, only that text is.
        if not _is_text(self.subject) and any(is_number(number_of(value)) for value in values):
            return None
        return values

    @property
    def numbers(self) -> tuple[int | float, ...]:
        """The numbers that the subject is compared with; empty where there are others too."""
        values = self.value if type(self.value) is tuple and not self.after else (self.value,)
        return values if all(is_number(v) and math.isfinite(v) for v in values) else ()


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


def _conditions(node: Node, wanted: bool) -> Iterator[_Condition]:
    """The conditions that have to be as wanted, all of them, for ``node`` to be ``wanted``."""
    match node:
        case Not(operand=operand):
            yield from _conditions(operand, not wanted)
        case And(operands=operands) | Or(operands=operands):
            if isinstance(node, And) is wanted:
                for operand in operands:
                    yield from _conditions(operand, wanted)
        case Compare(operators=signs, operands=operands):
            if len(signs) > 1 and not wanted:
                return
            for sign, left, right in zip(signs, operands, operands[1:], strict=False):
                first, second = _constant(left), _constant(right)
                place = (left.place[0], right.place[1])
                if first is None and second is not None:
                    yield _Condition(left, sign, second, False, wanted, place)
                elif second is None and first is not None:
                    yield _Condition(right, sign, first, True, wanted, place)


def _constant(node: Node) -> Value:
    """The value of ``node`` where it is written in the rule, or None."""
    if isinstance(node, Literal):
        return None if isinstance(node.value, bool) else node.value
    if isinstance(node, Unary) and isinstance(node.operand, Literal):
        value = node.operand.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value if node.operator == "-" else value
    if isinstance(node, Items):
        values = [_constant(item) for item in node.items]
        if all(value is not None and type(value) is not tuple for value in values):
            return tuple(values)
    return None


def _together(checker: Checker, node: Node, wanted: bool) -> None:
    """Report where nothing that ``node`` asks about can make it ``wanted``."""
    by_subject: dict[Node, list[_Condition]] = {}
    for condition in _conditions(node, wanted):
        by_subject.setdefault(condition.subject, []).append(condition)
    for subject, several in by_subject.items():
        if len(several) > 1 and not _possible(several) and _settled(checker, subject):
            _report(checker, wanted, subject, several)


def _possible(conditions: Sequence[_Condition]) -> bool:
    """Whether any value gives all of ``conditions`` the wanted answer, as far as can be seen."""
    choices = [chosen for each in conditions if (chosen := each.chosen) is not None]
    if choices:
        fewest = min(choices, key=len)
        if len(fewest) * len(conditions) > _MOST:
            return True
        return any(all(each.allows(text) for each in conditions) for text in fewest)
    on_numbers = [each for each in conditions if each.numbers]
    points = sorted({Fraction(number) for each in on_numbers for number in each.numbers})
    if len(on_numbers) < 2 or len(points) * len(on_numbers) > _MOST:
        return True
    # Between two neighbours all numbers have the same answers: one of them speaks for all.
    between = [(a + b) / 2 for a, b in pairwise(points)]
    candidates = [points[0] - 1, *points, *between, points[-1] + 1]
    return any(all(each.allows_number(point) for each in on_numbers) for point in candidates)


def _is_text(node: Node) -> bool:
    if isinstance(node, Method) and node.name in METHODS:
        return METHODS[node.name].returns is Type.TEXT
    return isinstance(node, Tag)


def _settled(checker: Checker, node: Node) -> bool:
    """Whether ``node`` has one value, however often it is asked for."""
    for below, _ in walk(node):
        if isinstance(below, Call):
            function = checker.functions.get(below.name)
            if function is None or not function.pure:
                return False
    return True


def _report(
    checker: Checker, wanted: bool, subject: Node, conditions: Sequence[_Condition]
) -> None:
    named = print_node(subject)
    shown = f"'{named}'" if len(named) <= _SHOWN else "this"
    place = (conditions[0].place[0], conditions[-1].place[1])
    if wanted:
        message = f"{shown} cannot be all of this at once, so this is never true"
        hint, sign = "did you mean 'or'?", "in"
    else:
        message = f"one of these always holds for {shown}, so this is never false"
        hint, sign = "did you mean 'and'?", "not in"
    texts = [text for each in conditions for text in each.chosen or ()]
    if len(texts) == len(conditions) <= 8 and len(named) <= _SHOWN:
        values = print_node(Items(tuple(Literal(text) for text in texts)))
        hint = f"did you mean {named} {sign} {values}?"
    _warn(checker, place, message, hint)
