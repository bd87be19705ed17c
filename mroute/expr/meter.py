"""What an evaluation may cost: steps, and how they are shared out.

A step is about a microsecond. What might take more steps than there are for it gets a `Meter`, and
is unknown where they are used up. Operands that are joined by ``and`` or ``or``, the items of a
list and the rounds of a loop get a share each that depends on nothing but their number, so that the
order of operands does not matter. Knows how large values are. Does not know expressions (cost) or
what an operator does (operators).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mroute.expr.calls import counted, loop
from mroute.expr.language import MAX_STEPS
from mroute.expr.operators import conjunction, disjunction
from mroute.expr.values import Unknown, Value

OPERATION: Final = 2
"""Steps of an operation on the smallest values."""

CHARACTERS: Final = 256
"""Characters of a text that are gone through in one step; an item of a list is a step itself."""

INSTRUCTIONS: Final = 128
"""Instructions of a pattern, each on one character, that take a step at the worst."""

PAIRS: Final = 1024
"""Pairs of a character of one text and one of another that take a step at the worst."""

PRODUCTS: Final = frozenset({"has_word", ".strip", ".lstrip", ".rstrip", ".rfind", ".rsplit"})
"""Functions, and methods with a point, that may look at every such pair."""

_EXHAUSTED = Unknown(f"it takes more than its share of {MAX_STEPS:,} steps")


class Meter:
    """The steps that are left for a part of an expression."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def share(self, parts: int) -> int:
        """The steps for each of ``parts`` that are evaluated apart; as many are left for the rest.

        Zero or less where there are not enough to begin with all of them.
        """
        self.left = max(0, self.left) // (parts + 1) - OPERATION
        return self.left

    def pay(self, values: Sequence[Value]) -> bool:
        """Take the steps of going through ``values``; returns whether there were enough."""
        left = self.left
        for value in values:
            kind = type(value)
            if kind is str:
                left -= len(value) // CHARACTERS
            elif kind is tuple and left > 0:
                left -= len(value)
                if left > 0:
                    self.left = left
                    self.pay(value)
                    left = self.left
        self.left = left
        return left >= 0


def metered(steps: int, body: Callable[[Meter], Value]) -> Value:
    """The value of ``body``, which has that many ``steps``."""
    return body(Meter(steps))


def charged(meter: Meter, operation: Callable[..., Value], *values: Value) -> Value:
    """The result of ``operation`` on ``values``, paid for; unknown where it cannot be."""
    meter.left -= OPERATION
    if not meter.pay(values):
        return _EXHAUSTED
    result = operation(*values)
    return result if meter.pay((result,)) else _EXHAUSTED


def charged_product(
    meter: Meter, operation: Callable[..., Value], text: Value, *more: Value
) -> Value:
    """`charged`, for one of `PRODUCTS`."""
    if more and type(text) is str and type(more[0]) is str:
        meter.left -= len(text) * len(more[0]) // PAIRS
    return charged(meter, operation, text, *more)


def charged_search(
    meter: Meter, operation: Callable[[Value], Value], instructions: int, text: Value
) -> Value:
    """`charged`, where each character of ``text`` can take that many ``instructions``."""
    if type(text) is str:
        meter.left -= instructions * len(text) // INSTRUCTIONS
    return charged(meter, operation, text)


def charged_junction(
    meter: Meter, conjoined: bool, *operands: Callable[[Meter], Value]
) -> bool | Unknown:
    """``and`` where ``conjoined``, else ``or``, of operands that are evaluated apart."""
    steps = meter.share(len(operands))
    if steps <= 0:
        return _EXHAUSTED
    values = []
    for operand in operands:
        value = operand(Meter(steps))
        if value is not conjoined and type(value) is bool:
            return value
        values.append(value)
    return conjunction(*values) if conjoined else disjunction(*values)


def charged_items(meter: Meter, *items: Callable[[Meter], Value]) -> Value:
    """A list whose items are evaluated apart."""
    steps = meter.share(len(items))
    if steps <= 0:
        return _EXHAUSTED
    return tuple([item(Meter(steps)) for item in items])


def charged_loop(
    meter: Meter, stop: bool, source: Value, body: Callable[[Value, Meter], Value]
) -> bool | Unknown:
    """`mroute.expr.calls.loop` whose rounds are evaluated apart."""
    steps = meter.share(len(source) if type(source) is tuple else 0)
    if steps <= 0:
        return _EXHAUSTED
    return loop(stop, source, lambda item: body(item, Meter(steps)))


def charged_count(
    meter: Meter, source: Value, body: Callable[[Value, Meter], Value]
) -> int | Unknown:
    """`mroute.expr.calls.counted` whose rounds are evaluated apart."""
    steps = meter.share(len(source) if type(source) is tuple else 0)
    if steps <= 0:
        return _EXHAUSTED
    return counted(source, lambda item: body(item, Meter(steps)))
