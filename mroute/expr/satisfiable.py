"""Whether any value at all gives several conditions on one thing the answers that are wanted.

Knows conditions that compare something with what is written in the rule, and looks for a value
among those that decide. Does not know tags: what it says holds for every text and number.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, NamedTuple

from mroute.expr.functions import METHODS
from mroute.expr.language import Type
from mroute.expr.nodes import And, Compare, Items, Literal, Method, Node, Not, Or, Place, Tag, Unary
from mroute.expr.operators import relation
from mroute.expr.values import Value, is_number, number_of

_MOST: Final = 10_000
"""Values times conditions that are tried; about more of them nothing is said."""

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


class Condition(NamedTuple):
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
        """The numbers that the subject is compared with; empty where there is anything else."""
        values = (self.value,)
        if self.sign in ("in", "not in"):
            if self.after or type(self.value) is not tuple:
                return ()
            values = self.value
        return values if all(is_number(v) and math.isfinite(v) for v in values) else ()


def conditions(node: Node, wanted: bool) -> Iterator[Condition]:
    """The conditions that have to be as wanted, all of them, for ``node`` to be ``wanted``."""
    match node:
        case Not(operand=operand):
            yield from conditions(operand, not wanted)
        case And(operands=operands) | Or(operands=operands):
            if isinstance(node, And) is wanted:
                for operand in operands:
                    yield from conditions(operand, wanted)
        case Compare(operators=signs, operands=operands):
            if len(signs) > 1 and not wanted:
                return
            for sign, left, right in zip(signs, operands, operands[1:], strict=False):
                first, second = _constant(left), _constant(right)
                place = (left.place[0], right.place[1])
                if first is None and second is not None:
                    yield Condition(left, sign, second, False, wanted, place)
                elif second is None and first is not None:
                    yield Condition(right, sign, first, True, wanted, place)


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


def possible(several: Sequence[Condition]) -> bool:
    """Whether any value gives all ``several`` the wanted answer, as far as can be seen."""
    choices = [chosen for each in several if (chosen := each.chosen) is not None]
    if choices:
        fewest = min(choices, key=len)
        if len(fewest) * len(several) > _MOST:
            return True
        return any(all(each.allows(text) for each in several) for text in fewest)
    on_numbers = [each for each in several if each.numbers]
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
