"""What the checker says about the order of texts: `<` between two of them goes letter by letter.

Knows for which tags that order is the right one: those of dates and times, written as DICOM writes
them. Does not know equality (plausible), or which types can be compared (operands).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mroute.errors import Severity
from mroute.expr.errors import Code
from mroute.expr.nodes import Literal, Node
from mroute.expr.outcome import quoted
from mroute.expr.representations import NUMERIC, TEMPORAL, flaw_of_bound
from mroute.expr.subjects import Described, described
from mroute.expr.values import Unknown, number_of

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_DATE_LENGTHS: Final = (6, 8, 14)
"""Digits of DICOM's times and dates, whose order as texts is the right one."""


def texts(checker: Checker, pair: tuple[Node, Node]) -> None:
    """Check two texts of which the one is to be less or more than the other."""
    for literal, other in (pair, (pair[1], pair[0])):
        if isinstance(literal, Literal) and isinstance(literal.value, str):
            found = _finding(literal.value, described(other))
            if found is not None:
                message, hint = found
                checker.report(literal.place, Code.TEXT_ORDER, message, hint, Severity.WARNING)


def _finding(value: str, tag: Described | None) -> tuple[str, str] | None:
    number = not isinstance(number_of(value), Unknown)
    as_number = (
        "texts are compared letter by letter: '10' is less than '9'",
        f"compare with a number: {value.strip()}, without quotes",
    )
    if tag is None or not tag.representation:
        return as_number if number and len(value) not in _DATE_LENGTHS else None
    if tag.representation in TEMPORAL:
        found = flaw_of_bound(tag.representation, value.strip())
        if found is None:
            return None
        reason, hint = found
        return f"{quoted(value)} is compared letter by letter, and {reason}", hint
    if tag.representation == "AS":
        message = f"'{tag.keyword}' is ordered letter by letter: '020M' is more than '018Y'"
        hint = f"int(tags.{tag.keyword}[:3]) is its number, tags.{tag.keyword}[-1] its unit"
        return message, hint
    if number:
        return as_number
    order = "letter by letter, upper case before lower case"
    if tag.representation in NUMERIC:
        return f"'{tag.keyword}' is a number, and a text is ordered {order}", "write a number"
    return f"'{tag.keyword}' is ordered {order}", "compare with '==', or ask .startswith(...)"
