"""The scanner makes of every text the words that Lark's own lexer makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark, UnexpectedCharacters
from lark.lexer import Token

from mroute.expr.language import Language
from mroute.expr.scanner import Scanner
from tests.conftest import ROOT
from tests.unit.expr.test_fixtures import COMPLETIONS, CONDITIONS

GRAMMAR = (ROOT / "mroute" / "expr" / "grammar.lark").read_text("utf-8")
STARTS = [str(language) for language in Language]
LARK = Lark(GRAMMAR, start=STARTS, parser="lalr", lexer="basic")
OURS = Lark(GRAMMAR, start=STARTS, parser="lalr", lexer=Scanner)
WRITTEN = """tags . Modality [ ] ( ) 'MR' "a\\"b" r'\\d' R'x' ' " @ @Rows@ and or not in notin
if else for True Truer == = < <= ! != // / 1 2.5 .5 1e-3 1e 1a 1. , : # \\ | & - + * % _ __x__"""
ODD = ["# c\n", " ", "\n", "\t", "\f", "\r\n", "\u2018", "\xe9", "\udcb1", "\0"]
PIECES = st.sampled_from([*WRITTEN.split(), *ODD])


def words(parser: Lark, text: str) -> list[tuple[str, str, int | None, int | None]] | int | None:
    """Kind, text and offsets of every word; or the offset of what is none."""
    found = []
    try:
        for word in parser.lex(text):
            assert isinstance(word, Token)
            found.append((word.type, str(word), word.start_pos, word.end_pos))
    except UnexpectedCharacters as error:
        return error.pos_in_stream
    return found


@settings(max_examples=1_500, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=12))
def test_any_text(text: str) -> None:
    assert words(OURS, text) == words(LARK, text)


@pytest.mark.parametrize("text", sorted({text for text, _, _ in CONDITIONS + COMPLETIONS}))
def test_an_expression(text: str) -> None:
    found = words(OURS, text)
    assert isinstance(found, list)
    assert found == words(LARK, text)
