"""Why a text does not parse, in sentences that help.

Knows what people write that the language does not have: signs and words of other languages, quotes
and brackets that do not match, typographic quotes. Does not know what a correct text means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mroute.errors import Problem
from mroute.expr.errors import Code, problem_at, short
from mroute.expr.foreign import OPERATORS, SMART_QUOTES, WORDS, names_in_words
from mroute.expr.language import MAX_NESTING, Language
from mroute.expr.nodes import Place
from mroute.expr.spelling import is_hidden

if TYPE_CHECKING:
    from lark import UnexpectedInput

_SCAN = re.compile(
    r"""(?P<blank>[ \t\r\n\f]+|\#[^\n]*)
    |(?P<text>[rR]?(?:'(?:[^'\\\n]|\\[^\n])*'|"(?:[^"\\\n]|\\[^\n])*"))
    |(?P<unclosed>[rR]?['"][^\n]*)
    |(?P<legacy>@[A-Za-z_][A-Za-z0-9_]*@)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_]))
    |(?P<odd_number>[0-9][A-Za-z0-9_.]*)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<open>[(\[])
    |(?P<close>[)\]])
    |(?P<foreign>:=|===|!==|<>|=>|=<|->|&&|\|\||\*\*|<<|>>|\+\+|[-+*/%|&]=|=(?!=)|!(?!=)|[~^;?{}$`])
    |(?P<sign>==|!=|<=|>=|//|[-+*/%<>&|.,:])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)

_PAIRS = {"(": ")", "[": "]"}
_JOINING = frozenset({"and", "or", "not", "in", "if", "else", "for"})


class _Word(NamedTuple):
    """One word or sign of the text."""

    kind: str
    text: str
    place: Place

    @property
    def is_value(self) -> bool:
        """Whether an expression could be this word alone."""
        if self.kind == "name":
            return self.text not in _JOINING
        return self.kind in ("text", "number", "legacy")


def diagnose(text: str, language: Language, error: UnexpectedInput) -> list[Problem]:
    """The problems of a ``text`` that the grammar refused with ``error``; at least one."""
    words = _scan(text)
    problems = [*_foreign(text, words, language), *hidden_characters(text)]
    if language is Language.COMPLETION:
        problems += _without_quotes(text, words)
    if not any(word.kind == "unclosed" or word.text in SMART_QUOTES for word in words):
        # Where a text does not end, everything after it is misread.
        problems += _brackets(text, words)
        problems = problems or list(_side_by_side(text, words, language))
    if not problems:
        problems = [_unexpected(text, words, language, error)]
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def too_many_brackets(text: str) -> list[Problem]:
    """A problem where brackets are nested too deeply; most texts have too few to look closer."""
    if text.count("(") + text.count("[") <= MAX_NESTING:
        return []
    return [p for p in _brackets(text, _scan(text)) if p.code == Code.TOO_DEEP]


def hidden_characters(text: str) -> Iterator[Problem]:
    """A problem for the first character that cannot be seen, but changes what a line looks like."""
    if text.isascii() and text.isprintable():
        return
    for offset, character in enumerate(text):
        if is_hidden(character):
            yield problem_at(
                text,
                (offset, offset + 1),
                Code.HIDDEN,
                f"hidden character U+{ord(character):04X}",
                f"delete it; in a text in quotes write '\\u{ord(character):04x}'",
            )
            return


def _scan(text: str) -> list[_Word]:
    return [
        _Word(str(m.lastgroup), m.group(), m.span())
        for m in _SCAN.finditer(text)
        if m.lastgroup != "blank"
    ]


def _foreign(text: str, words: Sequence[_Word], language: Language) -> Iterator[Problem]:
    for before, word in pairwise([None, *words]):
        assert word is not None, "only the first has nothing before it"
        match word.kind:
            case "unclosed":
                yield problem_at(
                    text,
                    word.place,
                    Code.QUOTE,
                    f"the text that begins here has no closing {word.text.lstrip('rR')[0]}",
                    "close it on the same line, with the same quote it begins with",
                )
            case "foreign":
                hint = OPERATORS[word.text]
                if word.text == "**" and before is not None and before.text in ("(", ","):
                    hint = "write the arguments one by one"
                if language is Language.COMPLETION and "==" in hint:
                    hint = "join names with 'and' or 'or'; compare count('T1') with '=='"
                message = f"'{word.text}' is no operator here"
                yield problem_at(text, word.place, Code.OPERATOR, message, hint)
            case "odd_number":
                yield problem_at(
                    text,
                    word.place,
                    Code.NUMBER,
                    f"'{short(word.text)}' is no number",
                    "write digits with at most one point, such as 1000 or 2.5",
                )
            case "other" if not is_hidden(word.text):
                yield _odd_character(text, word)
            case "name" if language is not Language.COMPLETION and word.text in WORDS:
                yield problem_at(
                    text,
                    word.place,
                    Code.FOREIGN_WORD,
                    f"'{word.text}' is not part of the language",
                    WORDS[word.text],
                )


def _without_quotes(text: str, words: list[_Word]) -> Iterator[Problem]:
    for word, following in pairwise([*words, _Word("end", "", (0, 0))]):
        if word.kind not in ("name", "legacy") or not word.is_value or following.text == "(":
            continue
        lower = word.text.lower()
        message = f"'{short(word.text)}' is not in quotes"
        hint = "put the name of a series in quotes: 'Axial T2'"
        if lower in _JOINING:
            message = f"'{word.text}' is not written like this"
            hint = f"write '{lower}' in small letters"
        yield problem_at(text, word.place, Code.COMPLETION, message, hint)


def _odd_character(text: str, word: _Word) -> Problem:
    if word.text in SMART_QUOTES:
        return problem_at(
            text,
            word.place,
            Code.CHARACTER,
            f"typographic quote '{word.text}'",
            f"write a straight quote: {SMART_QUOTES[word.text]}",
        )
    if word.text == "@":
        return problem_at(
            text,
            word.place,
            Code.LONE_AT,
            "'@' without a tag",
            "write tags.SeriesDescription, or @SeriesDescription@ with '@' on both sides",
        )
    shown = word.text if word.text.isprintable() else f"U+{ord(word.text):04X}"
    message = f"'{shown}' has no meaning outside quotes"
    hint = "write an ordinary blank" if word.text.isspace() else "put texts in quotes"
    return problem_at(text, word.place, Code.CHARACTER, message, hint)


def _brackets(text: str, words: Iterable[_Word]) -> Iterator[Problem]:
    opened: list[_Word] = []
    for word in words:
        if word.kind == "open":
            opened.append(word)
            if len(opened) > MAX_NESTING:
                message = f"brackets are nested more than {MAX_NESTING} deep"
                yield problem_at(text, word.place, Code.TOO_DEEP, message, "leave out some")
                return
        elif word.kind == "close":
            if opened and _PAIRS[opened[-1].text] == word.text:
                opened.pop()
                continue
            message = f"'{word.text}' closes nothing"
            if opened:
                message = f"'{opened[-1].text}' is closed by '{word.text}'"
            hint = "delete it, or open it before"
            if opened:
                hint = f"write '{_PAIRS[opened[-1].text]}'"
            yield problem_at(text, word.place, Code.BRACKET, message, hint)
            return
    if opened:
        last = opened[-1]
        message = f"'{last.text}' is never closed"
        yield problem_at(text, last.place, Code.BRACKET, message, f"add '{_PAIRS[last.text]}'")


def _side_by_side(text: str, words: list[_Word], language: Language) -> Iterator[Problem]:
    for left, right in pairwise(words):
        if not (right.is_value and (left.is_value or left.kind == "close")):
            continue
        place = (left.place[0], right.place[1])
        if right.kind == "text" and left.kind == "name" and left.place[1] == right.place[0]:
            message = f"'{short(left.text)}' in front of a quote has no meaning"
            hint = "delete it; only r'...' is known, where backslashes stay as they are"
        elif left.kind == right.kind == "text":
            message = "two texts side by side"
            hint = "put 'and' or 'or' between them"
            if language is not Language.COMPLETION:
                hint = "put an operator between them, '+' to join them, or ',' in a list"
        elif left.kind == "name" and left.text.lower() in _JOINING | {"is"}:
            message = f"'{left.text}' is not written like this"
            hint = f"write '{left.text.lower()}' in small letters"
        elif right.kind == "name" and right.text.lower() in _JOINING:
            message = f"'{right.text}' is not written like this"
            hint = f"write '{right.text.lower()}' in small letters"
            place = right.place
        else:
            message = f"no operator before {_shown(right)}"
            hint = "put an operator such as 'and' or '==' in between, or quotes around a text"
            place = right.place
        yield problem_at(text, place, Code.SIDE_BY_SIDE, message, hint)
        return


def _unexpected(
    text: str, words: list[_Word], language: Language, error: UnexpectedInput
) -> Problem:
    offset: int | None = error.pos_in_stream
    expected = names_in_words(set(getattr(error, "expected", None) or ()), language)
    hint = f"expected {expected}" if expected else ""
    word = next((w for w in words if offset is not None and w.place[1] > offset), None)
    if word is None or offset is None or getattr(error, "token", None) == "":
        end = words[-1].place[1] if words else len(text)
        message = "the expression ends too early"
        if words and not words[-1].is_value and words[-1].kind != "close":
            message = f"nothing follows '{words[-1].text}'"
        return problem_at(text, (end, end + 1), Code.INCOMPLETE, message, hint)
    if word.text == "for":
        message = "'for' is only possible within any(...) and all(...)"
        hint = "write any(x in tags.A for x in ['a', 'b'])"
        return problem_at(text, word.place, Code.LOOP, message, hint)
    message = f"{_shown(word)} is unexpected here"
    return problem_at(text, word.place, Code.UNEXPECTED, message, hint)


def _shown(word: _Word) -> str:
    """A word as a message names it; a text has quotes already."""
    return short(word.text) if word.kind == "text" else f"'{short(word.text)}'"
