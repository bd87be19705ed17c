"""Whether a tag can have the value that it is compared with, and what to say where it cannot.

Knows terms, representations and cases, and the sentences about them. Does not know comparisons: who
asks says which value is meant for which subject.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mroute.expr.errors import Code, nearest
from mroute.expr.outcome import quoted
from mroute.expr.representations import NUMERIC, WHOLE, Flaw, flaw, flaw_of_part
from mroute.expr.subjects import CASES, Described, Subject
from mroute.expr.terms import ALIASES, Terms
from mroute.expr.values import Unknown, number_of

_LISTED: Final = 8
"""Terms that a hint lists; of more it names the nearest."""


class Judgement(NamedTuple):
    """A finding without its place."""

    code: Code
    message: str
    hint: str = ""


def of_text(subject: Subject, value: str) -> Judgement | None:
    """What there is to say of ``value`` as the whole of ``subject``; None where it is fine."""
    stripped = value.strip()
    if not stripped:
        return None  # asks whether the tag is empty
    tag = subject.tag
    unfit = _of_case(subject, value)
    if unfit is not None or tag is None:
        return unfit
    parts = [stripped]
    if not subject.item:
        if "\\" in stripped and (tag.several or tag.representation == "CS"):
            parts = [part.strip() for part in stripped.split("\\")]
        miscounted = _of_number_of_values(subject, tag, stripped, len(parts))
        if miscounted is not None:
            return miscounted
    for position, part in enumerate(parts):
        terms = tag.terms_at(subject.position if subject.item else position)
        found = _of_value(subject, tag, part, terms) if part else None
        if found is not None:
            return found
    if tag.representation in NUMERIC and len(parts) == 1:
        other = "'02'" if tag.representation in WHOLE else "'2.0'"
        message = f"'{tag.keyword}' is a number, and is compared as a text: '2' is not {other}"
        hint = f"compare with a number: {stripped}, without quotes"
        return Judgement(Code.NUMERIC_TEXT, message, hint)
    return None


def of_part(subject: Subject, value: str) -> Judgement | None:
    """What there is to say of ``value`` as a part of ``subject``; None where it is fine."""
    tag = subject.tag
    if not value.strip():
        return None
    if subject.case or tag is None:
        return _of_case(subject, value)
    if tag.representation == "CS" and value != value.upper():
        return _not_upper(tag, value, "never contains")
    found = flaw_of_part(tag.representation, value.strip())
    if found is not None and "\\" not in value:
        return _impossible(tag, value, found, "never contains")
    if tag.representation in NUMERIC and reads_as_number(value):
        message = f"'{tag.keyword}' is a number, and {quoted(value)} is looked for among its digits"
        hint = f"compare with a number: tags.{tag.keyword} == {value.strip()}"
        if tag.several:
            hint = f"look among its values: {value.strip()} in tags.{tag.keyword}.split('\\\\')"
        return Judgement(Code.NUMERIC_TEXT, message, hint)
    return None


def of_number(tag: Described, value: float, equal: bool) -> Judgement | None:
    """What there is to say where ``tag`` is compared with a number, for equality or order."""
    if tag.least > 1:
        message = f"'{tag.keyword}' is no number: it has {tag.least} values or more"
        hint = f"choose one: tags.{tag.keyword}.split('\\\\')[0]"
        return Judgement(Code.IMPOSSIBLE, message, hint)
    if tag.representation == "AS":
        message = f"'{tag.keyword}' is no number: DICOM writes an age as '045Y'"
        hint = f"int(tags.{tag.keyword}[:3]) is its number, tags.{tag.keyword}[-1] its unit"
        return Judgement(Code.IMPOSSIBLE, message, hint)
    if not equal or tag.terms is None:
        return None
    known = value in {number_of(term) for term in tag.terms.terms}
    return None if known else _unknown_term(tag, str(value), tag.terms)


def reads_as_number(value: str) -> bool:
    """Whether a text says a number."""
    return not isinstance(number_of(value), Unknown)


def _of_case(subject: Subject, value: str) -> Judgement | None:
    if not subject.case:
        return None
    fitting = CASES[subject.case](value)
    if fitting == value:
        return None
    message = f"'.{subject.case}()' never gives {quoted(value)}"
    return Judgement(Code.WRONG_CASE, message, f"write {quoted(fitting)}")


def _of_number_of_values(
    subject: Subject, tag: Described, value: str, count: int
) -> Judgement | None:
    if count > 1 and not tag.several:
        return _impossible(tag, value, ("it has one value", "write a list, and 'in'"))
    if count < tag.least:
        number = tag.representation in NUMERIC and reads_as_number(value)
        shown = value if number else quoted(value)
        hint = f"ask for one of them: {shown} in tags.{tag.keyword}.split('\\\\')"
        return _impossible(tag, value, (f"it has {tag.least} values or more", hint))
    return None


def _of_value(subject: Subject, tag: Described, part: str, terms: Terms | None) -> Judgement | None:
    upper = part.upper()
    if terms is not None and (upper if subject.case else part) in terms:
        return None
    if terms is not None and upper not in terms:
        return _unknown_term(tag, part, terms)
    if subject.case:
        return None  # a change of case may make two letters of one: lengths say nothing
    if terms is not None or (tag.representation == "CS" and part != upper):
        return _not_upper(tag, part, "is never")
    found = flaw(tag.representation, part)
    return None if found is None else _impossible(tag, part, found, "is never")


def _not_upper(tag: Described, value: str, verb: str) -> Judgement:
    message = f"'{tag.keyword}' {verb} {quoted(value)}: DICOM writes it in upper case"
    hint = f"write {quoted(value.upper())}, or ask tags.{tag.keyword}.upper() for any case"
    return Judgement(Code.WRONG_CASE, message, hint)


def _unknown_term(tag: Described, value: str, terms: Terms) -> Judgement:
    message = f"{quoted(value)} is no term that DICOM defines for '{tag.keyword}'"
    if terms.closed:
        message = f"'{tag.keyword}' is never {quoted(value)}: DICOM lists all its values"
    upper, known = value.upper(), list(terms.terms)
    meant = ALIASES.get(tag.keyword, {}).get(upper) or nearest(upper, known)
    hint = ""
    if meant:
        hint = "did you mean " + " or ".join(f"'{term}'" for term in meant.split(",")) + "?"
    elif len(known) <= _LISTED:
        hint = "the values are " + ", ".join(f"'{term}'" for term in known)
    return Judgement(Code.UNKNOWN_TERM, message, hint)


def _impossible(tag: Described, value: str, found: Flaw, verb: str = "is never") -> Judgement:
    reason, hint = found
    return Judgement(Code.IMPOSSIBLE, f"'{tag.keyword}' {verb} {quoted(value)}: {reason}", hint)
