"""From the text to the words of an expression: what Lark's own lexer does, in less time.

Knows how the terminals of a grammar become one regular expression. Does not know which terminals
there are: grammar.lark alone says so. It leaves out lines and columns, which are found again from
the offsets where something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lark import Token, UnexpectedCharacters
from lark.lexer import Lexer

if TYPE_CHECKING:
    from lark.common import LexerConf
    from lark.lexer import TerminalDef


class _Word(Token):
    """A token without line and column, which nobody asks for where the text is right."""

    __slots__ = ()
    line = column = end_line = end_column = None


class Scanner(Lexer):
    """A lexer for Lark; made once for a grammar."""

    def __init__(self, conf: LexerConf) -> None:
        fixed = {t.pattern.value: t.name for t in conf.terminals if t.pattern.type == "str"}
        patterns = sorted((t for t in conf.terminals if t.pattern.type == "re"), key=_order)
        blanks = [t.pattern.to_regexp() for t in patterns if t.name in conf.ignore]
        groups = [
            _group(t.name, t.pattern.to_regexp()) for t in patterns if t.name not in conf.ignore
        ]
        # Of two signs that begin alike, the longer one is meant.
        signs = sorted((s for s in fixed if not s.isidentifier()), key=len, reverse=True)
        groups.append(_group("", "|".join(map(re.escape, signs))))
        self._match = re.compile(f"(?:{'|'.join(blanks)})*(?:{'|'.join(groups)})?").match
        self._fixed = fixed

    def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override] # Lark's older interface
        """The words of ``text`` in order, each with its offsets.

        Raises `UnexpectedCharacters` at the first that begins no word.
        """
        match, fixed, new = self._match, self._fixed, str.__new__
        at, end = 0, len(text)
        while at < end:
            found = match(text, at)
            assert found is not None, "blanks and words are all optional"
            index = found.lastindex
            if index is None:
                if found.end() == end:
                    return
                raise UnexpectedCharacters(text, found.end(), 1, 1)  # type: ignore[no-untyped-call]
            value = found.group(index)
            word = new(_Word, value)
            # A word of the language such as "and", or a sign; else what the pattern is called.
            word.type = fixed.get(value) or found.lastgroup or ""
            at = found.end()
            word.start_pos = at - len(value)
            word.end_pos = at
            yield word


def _order(terminal: TerminalDef) -> tuple[int, int, int, str]:
    """That of Lark's lexers: what may be longer is tried first."""
    pattern = terminal.pattern
    return (-terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name)


def _group(name: str, pattern: str) -> str:
    return f"(?P<{name}>{pattern})" if name else f"({pattern})"
