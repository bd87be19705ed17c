"""What the checker says about the patterns of ``matches``.

Knows RE2's reasons, and what people expect of a pattern that it does not do. Does not know how a
pattern is looked for (matching).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mroute.expr import matching
from mroute.expr.errors import Code
from mroute.expr.language import MAX_PATTERN, MAX_PATTERN_SIZE
from mroute.expr.nodes import Call, Literal

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_REASONS = {
    "invalid escape sequence": "'{}' has no meaning",
    "invalid character class": "'{}' is no class of characters",
    "invalid character class range": "'{}' is no range and no class of characters",
    "missing ]": "'[' is not closed",
    "missing )": "'(' is not closed",
    "unexpected )": "')' closes nothing",
    "trailing \\": "nothing follows its last '\\'",
    "no argument for repetition operator": "there is nothing that '{}' repeats",
    "invalid repetition size": "'{}' is no number of times, or too many",
    "bad repetition operator": "'{}' repeats what is repeated already",
    "invalid perl operator": "'{}' has no meaning",
    "invalid named capture group": "'{}' is no name of a group",
    "pattern too large - compile failed": "it is too large",
}
"""What RE2 says is wrong, and how we say it of the place that it names."""

_NOT_LINEAR = re.compile(r"\(\?<?[=!]|\(\?P=|\(\?>|\\[1-9]")
"""Look-around, references back, atomic groups."""


def pattern(checker: Checker, node: Call) -> None:
    """Check the pattern of ``matches(text, pattern)``, ``node``."""
    if not matching.is_available():
        message = "'matches' needs google-re2, which is not installed"
        checker.report(node.place, Code.NO_LIBRARY, message, "pip install 'mroute[regex]'")
        return
    written = node.arguments[1]
    if not (isinstance(written, Literal) and isinstance(written.value, str)):
        message = "the pattern of 'matches' has to be written in the rule"
        hint = "write matches(tags.SeriesDescription, 'T[12]'); for several, 'LOC|SCOUT'"
        checker.report(written.place, Code.PATTERN, message, hint)
        return
    problem, hint = _wrong_with(checker, written.value)
    if problem:
        checker.report(written.place, Code.PATTERN, problem, hint)


def _wrong_with(checker: Checker, text: str) -> tuple[str, str]:
    """What is wrong with the pattern ``text``, and what to do; empty where nothing is."""
    if len(text) > MAX_PATTERN:
        message = f"the pattern has {len(text):,} characters, at most {MAX_PATTERN:,} are allowed"
        return message, "split it into several, joined by 'or'"
    if "\b" in text:
        return "the pattern looks for a backspace", r"put r before the quotes: r'\bT2\b'"
    try:
        size = matching.Pattern(text).size
    except matching.PatternError as error:
        reason, _, place = str(error).partition(": ")
        said = _REASONS.get(reason, "'{}' cannot be understood").format(place or text)
        hint = r"a sign that stands for itself has a backslash before it: '\(', '\['"
        if _NOT_LINEAR.search(text):
            hint = "there is no look-around and no reference back: a search takes linear time"
        elif r"\Z" in text:
            hint = r"the end of the text is '$' or '\z'"
        return f"the pattern cannot be used: {said}", hint
    checker.pattern_size += size
    if checker.pattern_size > MAX_PATTERN_SIZE:
        message = "the patterns of this expression are too large together"
        return message, "repeat less often: {1,20} counts as 20 copies"
    return "", ""
