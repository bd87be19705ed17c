"""Why a text is no YAML, in words for somebody who wanted to write a rule.

Knows the mistakes that are made in rule files, by looking at the text where the parser stopped.
Does not know how YAML is parsed.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import yaml

from mroute.config.codes import Code
from mroute.config.nodes import TOO_DEEP, Fault

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEHIND_QUOTE = re.compile(r"""(?P<quote>['"])[^'"]*(?P=quote)\s*$""")
_CLOSING = {"[": "]", "{": "}"}


def forbidden_character(text: str) -> Fault | None:
    """The first character that must not be in a YAML file, if there is one."""
    if found := _FORBIDDEN.search(text):
        message = f"the character {found.group()!a} must not be in a file"
        return Fault(found.start(), found.end(), Code.ENCODING, message, "remove it")
    return None


def syntax_fault(text: str, error: yaml.YAMLError) -> Fault:
    """The fault where the parser stopped."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Fault(0, 1, Code.SYNTAX, f"the file is not YAML: {error}")
    context = getattr(error, "context_mark", None)
    at = min(mark.index, len(text))
    problem = str(getattr(error, "problem", "") or "it cannot be read")
    if "nesting depth" in problem:  # the parser has a limit too, which it meets reading ahead
        return Fault(at, at + 1, Code.NESTING, TOO_DEEP)
    place, message, hint = _explain(text, at, context.index if context else at, problem)
    return Fault(place, place + 1, Code.SYNTAX, message, hint)


def _explain(text: str, at: int, begun: int, problem: str) -> tuple[int, str, str]:
    """Where to point, what to say and what to do."""
    return (
        _start_of_text(text, at, problem)
        or _quoting(text, at, begun, problem)
        or _nesting(text, at, begun, problem)
        or (at, f"the file is not YAML: {problem}", "")
    )


Explanation: TypeAlias = "tuple[int, str, str] | None"


def _start_of_text(text: str, at: int, problem: str) -> Explanation:
    character = text[at : at + 1]
    if character == "\t" and ("start any token" in problem or "tab" in problem):
        return at, "a tab is used for indentation", "indent with spaces"
    if character and character in "@`%" and "start any token" in problem:
        hint = "put the whole value into quotes: \"@Modality@ == 'MR'\""
        return at, f"a text must not begin with '{character}' unless it is in quotes", hint
    if "sequence entries are not allowed" in problem:
        hint = "begin the line below with it, or write [one, two]"
        return at, "a list with '-' begins on a line of its own", hint
    if "mapping values are not allowed" in problem:
        hint = "put a text that has ': ' in it into quotes, or check the indentation"
        return at, "a ':' is not expected here", hint
    return None


def _quoting(text: str, at: int, begun: int, problem: str) -> Explanation:
    if "unexpected end of stream" in problem:
        return begun, "this quote is never closed", "close it where the text ends"
    if "Unicode character escape" in problem:
        return at, "this escape stands for no character", "write the character itself"
    escape = text.rfind("\\", begun, at + 1)
    if "escape" in problem and escape >= 0:
        hint = "write \\\\ for a backslash, or use single quotes"
        message = f"unknown escape '{text[escape : escape + 2]}' in a double-quoted text"
        return escape, message, hint
    line = text[text.rfind("\n", 0, at) + 1 : at]
    if _BEHIND_QUOTE.search(line):
        hint = "put the whole value into quotes of the other kind: \"'CINE' in tags.X\""
        return at, "the text goes on behind its closing quote", hint
    return None


def _nesting(text: str, at: int, begun: int, problem: str) -> Explanation:
    opening = text[begun : begun + 1]
    if opening in _CLOSING and at > begun and "expected" in problem:
        closing = _CLOSING[opening]
        if at >= len(text):
            return begun, f"this '{opening}' is never closed", f"close it with '{closing}'"
        return at, f"expected ',' or '{closing}' here", f"'{opening}' is not closed yet"
    if "find expected ':'" in problem:
        return begun, "expected a key with a ':' behind it", "check the indentation"
    if "expected" in problem:
        return at, "this does not fit where it stands", "check the indentation of this line"
    return None
