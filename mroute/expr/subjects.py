"""What an operand of a comparison looks at: a tag, or one of its values, in upper or lower case.

Knows what DICOM says about a tag, put together once a name. Does not know what it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from mroute.expr import dictionary
from mroute.expr.nodes import Index, Literal, Method, Node, Tag
from mroute.expr.representations import NUMERIC, unquestioned
from mroute.expr.terms import POSITIONS, TERMS, Terms

CASES: Final[dict[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "casefold": str.casefold,
    "upper": str.upper,
}
"""Methods that change the case; what has been through one is not changed by it again."""


class Described(NamedTuple):
    """What DICOM says about a tag: its keyword, representation, least number of values, terms.

    Of texts up to ``free`` characters there is nothing to say, nor of those in ``terms``, nor of
    numbers where ``numbers``: most comparisons are left at that.
    """

    keyword: str
    representation: str
    several: bool
    least: int
    terms: Terms | None
    free: int
    numbers: bool

    def terms_at(self, position: int | None) -> Terms | None:
        """The terms of the value at ``position``, which is None where it may be any."""
        positions = POSITIONS.get(self.keyword)
        if positions is None:
            return self.terms
        if position is None or not 0 <= position < len(positions):
            return None
        return positions[position]


class Subject(NamedTuple):
    """A tag, or one of its values where ``item``; ``case`` is the method that changed its case."""

    tag: Described | None
    case: str = ""
    item: bool = False
    position: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether it is one number, and not several in one text."""
        tag = self.tag
        return tag is not None and tag.representation in NUMERIC and (self.item or tag.least == 1)


_NOTHING: Final = Subject(None)


@lru_cache(maxsize=4096)
def known(name: str, exact: bool) -> Described | None:
    """What DICOM says about a tag by its name, which is ``exact`` in ``tags["..."]``."""
    found = dictionary.representation(name)
    if found is None or (exact and found[0] != name):
        return None
    keyword, representation, multiplicity = found
    first = multiplicity.partition("-")[0]
    least = int(first) if first.isdigit() else 1
    terms = TERMS.get(keyword)
    free = 0 if representation == "CS" or least > 1 else unquestioned(representation)
    numbers = terms is None and representation != "AS" and least == 1
    return Described(keyword, representation, multiplicity != "1", least, terms, free, numbers)


def described(node: Node) -> Described | None:
    """What DICOM says about ``node``, where it is a tag that DICOM knows."""
    return known(node.name, node.exact) if type(node) is Tag else None


def subject(node: Node) -> Subject:
    """What ``node`` looks at, perhaps through ``.lower()``, ``.strip()`` or ``.split(...)[0]``."""
    if type(node) is Tag:
        return Subject(known(node.name, node.exact))
    if type(node) is Method:
        below = subject(node.value)
        if node.name in CASES:
            return below._replace(case=node.name)
        return below if node.name == "strip" and not node.arguments else _NOTHING
    if type(node) is Index:
        one, index = values(node.value), node.index
        if one is not None and type(index) is Literal and type(index.value) is int:
            return one._replace(position=index.value)
    return _NOTHING


def values(node: Node) -> Subject | None:
    """What each item of ``node`` is, where it is ``.split('\\\\')`` of a tag."""
    if type(node) is Method and node.name == "split" and node.arguments == (Literal("\\"),):
        return subject(node.value)._replace(item=True)
    return None
