"""What the checker says about comparisons that fit by their types, and are still a mistake.

Knows which operand is the tag and which the value, for every operator. Values are judged as the
standard has them; a sender may break it, so that all findings are warnings. Does not know types
(operands), terms and representations (judgements), or how several comparisons go together
(contradictions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mroute.errors import Severity
from mroute.expr import judgements
from mroute.expr.errors import Code
from mroute.expr.judgements import Judgement
from mroute.expr.nodes import Items, Literal, Node, Place, Tag
from mroute.expr.printer import print_node
from mroute.expr.representations import NUMERIC, WRITTEN
from mroute.expr.subjects import Described, Subject, described, known, subject, values

if TYPE_CHECKING:
    from mroute.expr.checker import Checker


def pair(checker: Checker, sign: str, left: Node, right: Node) -> None:
    """Check two operands that are neighbours in a comparison."""
    if sign in ("in", "not in"):
        if type(right) is Items:
            _choice(checker, left, right)
        elif type(left) is Literal and type(left.value) is str:
            _part(checker, left.place, left.value, right)
    elif type(right) is Literal:
        _relation(checker, sign, left, right)
    elif type(left) is Literal:
        _relation(checker, sign, right, left)
    elif type(left) is Tag and type(right) is Tag:
        _two_tags(checker, left, right, ordered=sign not in ("==", "!="))


def _warn(checker: Checker, place: Place, found: Judgement | None) -> None:
    if found is not None:
        checker.report(place, found.code, found.message, found.hint, Severity.WARNING)


def _relation(checker: Checker, sign: str, node: Node, literal: Literal) -> None:
    tag = known(node.name, node.exact) if type(node) is Tag else None
    equal, value = sign in ("==", "!="), literal.value
    if type(value) is not str:
        if tag is not None and not tag.numbers:
            _number(checker, equal, tag, node.place, literal)
    elif equal and not _is_fine(tag, value):
        _warn(checker, literal.place, judgements.of_text(subject(node), value))


def _is_fine(tag: Described | None, value: str) -> bool:
    """Whether ``value`` is one of the tag's at first sight."""
    if tag is None:
        return False
    return len(value) <= tag.free if tag.terms is None else value in tag.terms.terms


def _choice(checker: Checker, node: Node, items: Items) -> None:
    """Check ``node in [...]``."""
    tag = known(node.name, node.exact) if type(node) is Tag else None
    doubtful: list[tuple[Place, str]] = []
    for item in items.items:
        if type(item) is Literal:
            value = item.value
            if type(value) is not str:
                if tag is not None and not tag.numbers:
                    _number(checker, True, tag, node.place, item)
            elif not _is_fine(tag, value):
                doubtful.append((item.place, value))
    if doubtful:
        _texts(checker, items.place, doubtful, subject(node))


def _texts(checker: Checker, place: Place, texts: list[tuple[Place, str]], sought: Subject) -> None:
    """Check the texts of a list; that numbers are texts there is said once."""
    numbers = []
    for each, value in texts:
        if sought.is_number and judgements.reads_as_number(value):
            numbers.append(value.strip())
        else:
            _warn(checker, each, judgements.of_text(sought, value))
    if numbers and sought.tag is not None:
        message = f"'{sought.tag.keyword}' is a number, and is compared with texts"
        hint = f"write numbers: [{', '.join(numbers)}]"
        _warn(checker, place, Judgement(Code.NUMERIC_TEXT, message, hint))


def _part(checker: Checker, place: Place, value: str, node: Node) -> None:
    """Check a text that is looked for in ``node``."""
    tag = known(node.name, node.exact) if type(node) is Tag else None
    if tag is not None and len(value) <= tag.free:
        return
    one = values(node)
    if one is not None:
        _warn(checker, place, judgements.of_text(one, value))
    else:
        _warn(checker, place, judgements.of_part(subject(node), value))


def _number(checker: Checker, equal: bool, tag: Described, place: Place, literal: Literal) -> None:
    value = literal.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = judgements.of_number(tag, value, equal)
        of_value = found is not None and found.code == Code.UNKNOWN_TERM
        _warn(checker, literal.place if of_value else place, found)


def _two_tags(checker: Checker, left: Tag, right: Tag, *, ordered: bool) -> None:
    """Two tags are compared as texts, also where both are numbers."""
    for node in (left, right):
        tag = described(node)
        if tag is None or tag.representation not in (NUMERIC if ordered else WRITTEN):
            return
    trap = "'10' is less than '9'" if ordered else "'2' is not '2.0' or '02'"
    message = f"two tags are compared as texts: {trap}"
    hint = f"make one a number: float({print_node(left)})"
    _warn(checker, (left.place[0], right.place[1]), Judgement(Code.NUMERIC_TEXT, message, hint))
