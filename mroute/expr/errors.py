"""The findings about expressions: their codes, and how one gets its place in the text.

Knows every code and what it is about. Does not know when which is found.
"""

from __future__ import annotations

from enum import StrEnum

from mroute.errors import Problem, Severity
from mroute.expr.nodes import Place


class Code(StrEnum):
    """What a finding is about; docs/reference/messages.md has a section for each."""

    EMPTY = "MR101"
    TOO_LONG = "MR102"
    TOO_DEEP = "MR103"
    QUOTE = "MR104"
    BRACKET = "MR105"
    OPERATOR = "MR106"
    CHARACTER = "MR107"
    LONE_AT = "MR108"
    SIDE_BY_SIDE = "MR109"
    INCOMPLETE = "MR110"
    UNEXPECTED = "MR111"
    FOREIGN_WORD = "MR112"
    NUMBER = "MR113"
    HIDDEN = "MR114"
    UNKNOWN_TAG = "MR120"
    UNUSUAL_TAG = "MR121"
    TAG_FORM = "MR122"
    UNKNOWN_NAME = "MR123"
    UNKNOWN_FUNCTION = "MR124"
    UNKNOWN_METHOD = "MR125"
    ATTRIBUTE = "MR126"
    PART = "MR127"
    ARITY = "MR130"
    ARGUMENT = "MR131"
    CONDITION = "MR132"
    COMPARISON = "MR133"
    ARITHMETIC = "MR134"
    MEMBERSHIP = "MR135"
    INDEX = "MR136"
    LOOP = "MR137"
    PATTERN = "MR138"
    NO_LIBRARY = "MR139"
    NO_LIST = "MR140"
    TEXT_ORDER = "MR141"
    UNKNOWN_TERM = "MR142"
    WRONG_CASE = "MR143"
    NUMERIC_TEXT = "MR144"
    ALWAYS = "MR145"
    CONSTANT = "MR146"
    IMPOSSIBLE = "MR147"
    COMPLETION = "MR150"


_SHOWN = 400
"""Characters of the longest line that is shown; a longer one hides more than it shows."""


def problem_at(
    text: str,
    place: Place,
    code: Code,
    message: str,
    hint: str = "",
    severity: Severity = Severity.ERROR,
) -> Problem:
    """A finding about ``text`` at ``place``, with line, column and the line itself.

    A place that goes on over several lines is underlined to the end of its first. A character that
    cannot be seen is shown as U+FFFD: it must do nothing to a terminal.
    """
    start, end = place
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", line_start)
    if line_end < 0:
        line_end = len(text)
    source = text[line_start:line_end].rstrip("\r")
    return Problem(
        message=message,
        code=code,
        hint=hint,
        severity=severity,
        line=text.count("\n", 0, start) + 1,
        column=start - line_start + 1,
        length=max(1, min(end, line_end) - start),
        source=_printable(source) if len(source) <= _SHOWN else "",
    )


def short(text: str) -> str:
    """``text`` as a message quotes it: not too long, and nothing in it that cannot be seen."""
    shown = text[:41]
    shown = shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= 40 else shown[:37] + "..."


def _printable(line: str) -> str:
    # One character for each, so that the caret stays below what it points at.
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)


def nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """The one of ``known`` that ``name`` was probably meant to be, or an empty text."""
    from difflib import get_close_matches  # only where something is wrong

    folded = {candidate.lower(): candidate for candidate in known}
    # A name of a megabyte is no spelling mistake, and comparing it would take long.
    found = get_close_matches(name[:80].lower(), folded, n=1, cutoff=0.7)
    return folded[found[0]] if found else ""
