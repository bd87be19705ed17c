"""What the checker says about comparisons that fit by their types, and are still a mistake.

Knows which values a tag can have: by the terms that DICOM defines for it, by its value
representation, and by the case of its letters. Speaks of values as the standard has them; a sender
may break it, so that all of this is warnings. Does not know types (operands), or how several
comparisons go together (contradictions).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from mroute.errors import Severity
from mroute.expr import dictionary
from mroute.expr.errors import Code, nearest
from mroute.expr.nodes import Index, Items, Literal, Method, Node, Place, Tag
from mroute.expr.outcome import quoted
from mroute.expr.printer import print_node
from mroute.expr.representations import NUMERIC, WRITTEN, flaw, flaw_of_part, unquestioned
from mroute.expr.terms import ALIASES, POSITIONS, TERMS, Terms
from mroute.expr.values import Unknown, number_of

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_CASES: Final[dict[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "casefold": str.casefold,
    "upper": str.upper,
}

_SHOWN: Final = 8
"""Terms that a hint lists; of more it names the nearest."""


class Described(NamedTuple):
    """What DICOM says about a tag: its keyword, representation, least number of values, terms.

    Of texts up to ``free`` characters there is nothing to say, and nothing of numbers where
    ``numbers``: most comparisons are left at that.
    """

    keyword: str
    representation: str
    several: bool
    least: int
    terms: Terms | None
    free: int
    numbers: bool


class _Sought(NamedTuple):
    """One operand of a comparison: a tag, or one of its values, in upper or lower case or as is."""

    tag: Described | None
    case: str = ""
    item: bool = False
    position: int | None = None


_NOTHING: Final = _Sought(None)


def described(node: Node) -> Described | None:
    """What DICOM says about ``node``, where it is a tag that DICOM knows."""
    return _described(node.name, node.exact) if type(node) is Tag else None


def pair(checker: Checker, sign: str, left: Node, right: Node) -> None:
    """Check two operands that are neighbours in a comparison."""
    if type(left) is Tag and type(right) is Tag:
        _two_tags(checker, left, right, ordered=sign not in ("==", "!="))
    elif sign in ("in", "not in"):
        if type(right) is Items:
            _choice(checker, left, right)
        elif type(left) is Literal and type(left.value) is str:
            _part(checker, left, left.value, right)
    elif type(right) is Literal:
        _relation(checker, sign, left, right)
    elif type(left) is Literal:
        _relation(checker, sign, right, left)


def _relation(checker: Checker, sign: str, node: Node, literal: Literal) -> None:
    value = literal.value
    if type(value) is not str:
        _number(checker, sign, node, literal)
    elif sign in ("==", "!="):
        tag = _described(node.name, node.exact) if type(node) is Tag else None
        if tag is None or not _is_fine(tag, value):
            _text(checker, value, literal.place, _sought(node))


def _is_fine(tag: Described, value: str) -> bool:
    """Whether ``value`` is one of a tag's at first sight."""
    return len(value) <= tag.free if tag.terms is None else value in tag.terms.terms


def _warn(checker: Checker, place: Place, code: Code, message: str, hint: str = "") -> None:
    checker.report(place, code, message, hint, Severity.WARNING)


@lru_cache(maxsize=4096)
def _described(name: str, exact: bool) -> Described | None:
    found = dictionary.representation(name)
    if found is None or (exact and found[0] != name):
        return None
    keyword, representation, multiplicity = found
    first = multiplicity.partition("-")[0]
    least = int(first) if first.isdigit() else 1
    terms = TERMS.get(keyword)
    free = 0 if representation == "CS" or least > 1 else unquestioned(representation)
    numbers = terms is None and representation != "AS"
    return Described(keyword, representation, multiplicity != "1", least, terms, free, numbers)


def _sought(node: Node) -> _Sought:
    """What ``node`` looks at: a tag, perhaps through ``.lower()`` and the like, or one value."""
    if type(node) is Tag:
        return _Sought(_described(node.name, node.exact))
    if type(node) is Method:
        below = _sought(node.value)
        if node.name in _CASES:
            return below._replace(case=node.name)
        return below if node.name == "strip" and not node.arguments else _NOTHING
    if type(node) is Index:
        values, index = _values(node.value), node.index
        if values is not None and type(index) is Literal and type(index.value) is int:
            return values._replace(position=index.value)
    return _NOTHING


def _values(node: Node) -> _Sought | None:
    """What the items of ``node`` are, where it is the split values of a tag."""
    if type(node) is Method and node.name == "split" and node.arguments == (Literal("\\"),):
        return _sought(node.value)._replace(item=True)
    return None


# ---- Equality -----------------------------------------------------------------------------------


def _choice(checker: Checker, node: Node, items: Items) -> None:
    tag = _described(node.name, node.exact) if type(node) is Tag else None
    doubtful: list[tuple[str, Place]] = []
    for item in items.items:
        if type(item) is Literal:
            value = item.value
            if type(value) is not str:
                _number(checker, "==", node, item)
            elif tag is None or not _is_fine(tag, value):
                doubtful.append((value, item.place))
    if doubtful:
        _texts(checker, doubtful, items, _sought(node))


def _texts(checker: Checker, texts: list[tuple[str, Place]], items: Items, sought: _Sought) -> None:
    numeric = sought.tag is not None and sought.tag.representation in NUMERIC
    numbers = [value.strip() for value, _ in texts if numeric and _reads_as_number(value)]
    for value, place in texts:
        if value.strip() not in numbers:
            _text(checker, value, place, sought)
    if numbers and sought.tag is not None:
        message = f"{_named(sought.tag)} is a number, and is compared with texts here"
        hint = f"write numbers: [{', '.join(numbers)}]"
        _warn(checker, items.place, Code.NUMERIC_TEXT, message, hint)


def _text(checker: Checker, value: str, place: Place, sought: _Sought) -> None:
    """Check a text that a tag or one of its values is compared with."""
    stripped = value.strip()
    if not stripped:
        return  # asks whether the tag is empty
    if sought.case and _wrong_case(checker, value, place, sought.case):
        return
    tag = sought.tag
    if tag is None:
        return
    parts = [stripped]
    if not sought.item:
        if "\\" in stripped and (tag.several or tag.representation == "CS"):
            parts = [part.strip() for part in stripped.split("\\")]
        if _wrong_number_of_values(checker, stripped, place, tag, len(parts)):
            return
    for position, part in enumerate(parts):
        where = sought.position if sought.item else position
        if part and _value(checker, part, place, sought, _terms_at(tag, where)):
            return
    if tag.representation in NUMERIC and len(parts) == 1:
        message = f"{_named(tag)} is a number, and is compared as a text here: '2' is not '2.0'"
        hint = f"compare with a number: {stripped}, without quotes"
        _warn(checker, place, Code.NUMERIC_TEXT, message, hint)


def _value(checker: Checker, part: str, place: Place, sought: _Sought, terms: Terms | None) -> bool:
    """Check one value; returns whether there was something to say."""
    tag = sought.tag
    assert tag is not None
    upper = part.upper()
    if terms is not None and (upper if sought.case else part) in terms:
        return False
    if terms is not None and upper not in terms:
        _unknown_term(checker, part, place, tag, terms)
        return True
    if sought.case:
        return False  # lower case makes some letters two: the text may be longer than the value
    if terms is not None or (tag.representation == "CS" and part != upper):
        _not_upper(checker, part, place, tag, "never")
        return True
    found = flaw(tag.representation, part)
    if found is not None:
        _impossible(checker, part, place, tag, found)
    return found is not None


def _wrong_number_of_values(
    checker: Checker, value: str, place: Place, tag: Described, count: int
) -> bool:
    if count > 1 and not tag.several:
        _impossible(checker, value, place, tag, ("it has one value", "write a list, and 'in'"))
        return True
    if count < tag.least:
        hint = f"one of them: {quoted(value)} in tags.{tag.keyword}.split('\\\\')"
        _impossible(checker, value, place, tag, (f"it has {tag.least} values or more", hint))
        return True
    return False


def _terms_at(tag: Described, position: int | None) -> Terms | None:
    positions = POSITIONS.get(tag.keyword)
    if positions is None:
        return tag.terms
    within = position is not None and 0 <= position < len(positions)
    return positions[position] if within and position is not None else None


# ---- Parts of texts -----------------------------------------------------------------------------


def _part(checker: Checker, literal: Literal, value: str, node: Node) -> None:
    """Check a text that is looked for in a tag, or among its values."""
    tag = _described(node.name, node.exact) if type(node) is Tag else None
    if tag is not None and len(value) <= tag.free:
        return
    place = literal.place
    values = _values(node)
    if values is not None:
        _text(checker, value, place, values)
        return
    sought = _sought(node)
    if not value.strip() or (sought.case and _wrong_case(checker, value, place, sought.case)):
        return
    tag = sought.tag
    if tag is None or sought.case:
        return
    if tag.representation == "CS" and value != value.upper():
        _not_upper(checker, value, place, tag, "has never in it")
        return
    found = flaw_of_part(tag.representation, value.strip())
    if found is not None and "\\" not in value:
        _impossible(checker, value, place, tag, found, "has never in it")
    elif tag.representation in NUMERIC and _reads_as_number(value):
        message = f"{_named(tag)} is a number, and {quoted(value)} is looked for among its digits"
        hint = f"compare with a number: tags.{tag.keyword} == {value.strip()}"
        if tag.several:
            hint = f"look among its values: {value.strip()} in tags.{tag.keyword}.split('\\\\')"
        _warn(checker, place, Code.NUMERIC_TEXT, message, hint)


# ---- Numbers ------------------------------------------------------------------------------------


def _number(checker: Checker, sign: str, node: Node, literal: Literal) -> None:
    """Check a number that a tag is compared with."""
    tag = _described(node.name, node.exact) if type(node) is Tag else None
    value = literal.value
    if tag is None or tag.numbers or type(value) is bool:
        return
    if tag.terms is None:
        message = f"{_named(tag)} is no number: DICOM writes an age as '045Y'"
        hint = f"int(tags.{tag.keyword}[:3]) is its number, tags.{tag.keyword}[-1] its unit"
        _warn(checker, node.place, Code.IMPOSSIBLE, message, hint)
    elif sign in ("==", "!=") and value not in {number_of(term) for term in tag.terms.terms}:
        _unknown_term(checker, print_node(literal), literal.place, tag, tag.terms)


def _two_tags(checker: Checker, left: Tag, right: Tag, *, ordered: bool) -> None:
    """Two tags are compared as texts, also where both are numbers."""
    for node in (left, right):
        tag = described(node)
        if tag is None or tag.representation not in (NUMERIC if ordered else WRITTEN):
            return
    trap = "'10' is less than '9'" if ordered else "'2' is not '2.0'"
    message = f"two tags are compared as texts: {trap}"
    hint = f"make one a number: float({print_node(left)})"
    _warn(checker, (left.place[0], right.place[1]), Code.NUMERIC_TEXT, message, hint)


def _reads_as_number(value: str) -> bool:
    return not isinstance(number_of(value), Unknown)


# ---- What is said -------------------------------------------------------------------------------


def _named(tag: Described) -> str:
    return f"'{tag.keyword}'"


def _wrong_case(checker: Checker, value: str, place: Place, case: str) -> bool:
    fitting = _CASES[case](value)
    if fitting == value:
        return False
    message = f"'.{case}()' never gives {quoted(value)}"
    _warn(checker, place, Code.WRONG_CASE, message, f"write {quoted(fitting)}")
    return True


def _not_upper(checker: Checker, value: str, place: Place, tag: Described, verb: str) -> None:
    between = "is never" if verb == "never" else verb
    message = f"{_named(tag)} {between} {quoted(value)}: DICOM writes it in upper case"
    hint = f"write {quoted(value.upper())}, or ask tags.{tag.keyword}.upper() for any case"
    _warn(checker, place, Code.WRONG_CASE, message, hint)


def _unknown_term(checker: Checker, value: str, place: Place, tag: Described, terms: Terms) -> None:
    if terms.closed:
        message = f"{_named(tag)} is never {quoted(value)}: DICOM lists all its values"
    else:
        message = f"{quoted(value)} is no term that DICOM defines for {_named(tag)}"
    upper = value.upper()
    meant = ALIASES.get(tag.keyword, {}).get(upper) or nearest(upper, list(terms.terms))
    if meant:
        hint = f"did you mean '{meant}'?"
    elif len(terms.terms) <= _SHOWN:
        hint = "the values are " + ", ".join(f"'{term}'" for term in terms.terms)
    else:
        hint = ""
    _warn(checker, place, Code.UNKNOWN_TERM, message, hint)


def _impossible(
    checker: Checker,
    value: str,
    place: Place,
    tag: Described,
    found: tuple[str, str],
    between: str = "is never",
) -> None:
    reason, hint = found
    message = f"{_named(tag)} {between} {quoted(value)}: {reason}"
    _warn(checker, place, Code.IMPOSSIBLE, message, hint)
