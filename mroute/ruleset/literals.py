"""The words of the normal form of a condition: tests on one tag each, and what joins them.

Every condition is brought into an *or* of terms, each an *and* of literals. A test is true, false
or unknown for the value of its tag; that it is true and that it is false are two separate literals,
for on a missing tag, or one that cannot be converted, it is neither. Knows the shape of a form.
Does not know how one is made (normal_form, predicates) or looked up (table).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import NamedTuple, TypeAlias

from mroute.expr.nodes import Node, Tag
from mroute.expr.values import BLANKS


class Fold(StrEnum):
    """What is done to a text, of any length, before it is tested."""

    NONE = ""
    CASE = auto()
    """Case does not matter."""
    ENDS = auto()
    """Case and the blanks around it do not matter."""

    def of(self, text: str) -> str:
        """``text``, folded."""
        if self is Fold.NONE:
            return text
        return (text.strip(BLANKS) if self is Fold.ENDS else text).casefold()


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A value made of one tag: of ``node``, which reads no other, and what is done to it then.

    There is one object for each of them in the forms of a rule set.
    """

    tag: Tag
    node: Node
    fold: Fold = Fold.NONE


class Kind(StrEnum):
    """What a test asks of the value of a view."""

    EQUAL = auto()
    PREFIX = auto()
    SUFFIX = auto()
    PART = auto()
    """The value contains the constant."""
    LESS = auto()
    AT_MOST = auto()
    MORE = auto()
    AT_LEAST = auto()
    TRUE = auto()
    FALSE = auto()
    PRESENT = auto()
    ABSENT = auto()
    BLANK = auto()
    """The tag is there, with nothing but blanks."""
    FILLED = auto()
    """The tag is there, with more than blanks."""


Constant: TypeAlias = str | int | float | None
"""What a view is compared with; None for the kinds that compare with nothing."""


class Test(NamedTuple):
    """A question about one view; its answer is true, false or unknown."""

    view: View
    kind: Kind
    constant: Constant = None


class Literal(NamedTuple):
    """What a term asks of one tag: that any of ``tests`` is true, or where ``negated`` all false.

    Those of a negated literal are of one view, are compared with texts only or with numbers only,
    and are of the kinds up to `Kind.PART`.
    """

    tag: Tag
    tests: tuple[Test, ...]
    negated: bool = False


Term: TypeAlias = tuple[Literal, ...]
"""Literals that must all hold; an empty one holds for every series."""


@dataclass(frozen=True, slots=True)
class Form:
    """A condition as terms: it is true where one of them is.

    Where ``exact`` is false, the terms are only what is necessary: the condition may be true, or
    unknown, where they are, and is false where they are false.

    Where ``metered`` is true, its steps are counted and may run out: it may be unknown although its
    terms are not.
    """

    terms: tuple[Term, ...]
    exact: bool = True
    metered: bool = False


ALWAYS = Form(((),))
"""True for every series."""

NEVER = Form(())
"""False for every series."""
