"""Upper and lower case do not matter to `same`, `any_of`, `all_of` and `has_word`."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.expr.values import UnanswerableError
from mroute.expr.wording import all_of, any_of, has_word, same

MANY = settings(max_examples=200, deadline=None, derandomize=True)
TEXTS = st.text(alphabet="aAbB1 _-", max_size=8)


@MANY
@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_any_and_all_of_several(text: str, parts: list[str]) -> None:
    one_by_one = [part.lower() in text.lower() for part in parts]
    assert any_of(text, parts) is any(one_by_one)
    assert all_of(text, parts) is all(one_by_one)
    assert any_of(text.upper(), parts) is any_of(text, [part.upper() for part in parts])


@MANY
@given(TEXTS, TEXTS)
def test_same_is_an_equivalence_that_ignores_case_and_blanks(one: str, other: str) -> None:
    assert same(one, f" {one.swapcase()}\0")
    assert same(one, other) is same(other, one)
    assert same(one, other) is (one.strip().lower() == other.strip().lower())


@MANY
@given(TEXTS, st.text(alphabet="aAb1_", min_size=1, max_size=3))
def test_a_word_ends_where_letters_and_digits_do(text: str, word: str) -> None:
    alone = rf"(?i)(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])"
    assert has_word(text, word) is (re.search(alone, text) is not None)


def test_only_texts_are_looked_for() -> None:
    with pytest.raises(UnanswerableError, match="'all_of' looks for texts, not a number"):
        all_of("T1", ["T1", 1])
    with pytest.raises(UnanswerableError, match="'any_of' looks for texts, not a list"):
        any_of("T1", [("T1",)])
    with pytest.raises(UnanswerableError, match="an empty text is no word"):
        has_word("T1", " ")
