"""What is kept of the values of a tag is bounded, and forgotten when asked.

Knows what is filed under a tag, and the values that are asked about. Does not know conditions.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mroute.expr import BUILTINS
from mroute.expr.nodes import Method, Tag
from mroute.ruleset import column
from mroute.ruleset.bits import bits_of
from mroute.ruleset.column import LONGEST_VALUE, MAX_VALUES, Column
from mroute.ruleset.filing import Filing
from mroute.ruleset.literals import Constant, Kind, Literal, View
from mroute.ruleset.literals import Test as Asked

TAG = Tag("SeriesDescription")
PLAIN, LOWER = View(TAG, TAG), View(TAG, Method(TAG, "lower", ()))


def literal(view: View, kind: Kind, *constants: Constant) -> Literal:
    return Literal(TAG, tuple(Asked(view, kind, constant) for constant in constants))


TERMS: tuple[tuple[Literal, ...], ...] = (
    (literal(PLAIN, Kind.EQUAL, "a", "b"),),
    (literal(LOWER, Kind.PART, "x"), literal(PLAIN, Kind.SUFFIX, "1")),
    (literal(PLAIN, Kind.LESS, 5),),
    (literal(PLAIN, Kind.ABSENT, None),),
    (),
    (literal(PLAIN, Kind.FILLED, None),),
)


def column_of(terms: Sequence[Sequence[Literal]] = TERMS) -> Column:
    filing = Filing(len(terms))
    for number, term in enumerate(terms):
        for layer, each in enumerate(term):
            filing.file(number, layer, each)
    return Column(filing, BUILTINS, accelerated=False)


@pytest.mark.parametrize(
    ("text", "true", "possible"),
    [
        (None, [3, 4], [0, 1, 2, 3, 4, 5]),
        ("a", [0, 4, 5], [0, 2, 4, 5]),
        ("X1", [1, 4, 5], [1, 2, 4, 5]),
        ("X", [4, 5], [2, 4, 5]),
        ("4.5", [2, 4, 5], [2, 4, 5]),
        ("5", [4, 5], [4, 5]),
        (" ", [4], [2, 4]),
    ],
)
def test_which_terms_a_text_leaves(text: str | None, true: list[int], possible: list[int]) -> None:
    asked = column_of()
    for _ in range(2):
        assert (asked.true(text), asked.possible(text)) == (bits_of(true), bits_of(possible))
    assert asked.known_true[text] == bits_of(true)
    assert asked.known_possible[text] == bits_of(possible)
    assert asked.mentioned == bits_of([0, 1, 2, 3, 5])


@pytest.mark.parametrize("terms", [TERMS, TERMS[:1], TERMS[2:3]])
def test_no_more_values_are_kept_than_there_may_be(terms: Sequence[Sequence[Literal]]) -> None:
    # Of several kinds; of texts only; of numbers only.
    asked, most = column_of(terms), 0
    for number in range(2 * MAX_VALUES + 10):
        asked.true(str(number))
        most = max(most, len(asked.known_true), len(asked.known_possible))
    assert most == MAX_VALUES


def test_fewer_values_are_kept_where_their_sets_are_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column, "CACHE_BYTES", 5 * (4_000 // 4 + 128))
    asked, most = column_of([*TERMS, *[()] * (4_000 - len(TERMS))]), 0
    for number in range(50):
        asked.possible(str(number))
        most = max(most, len(asked.known_true))
    assert most == 5


def test_what_was_found_when_it_was_built_is_not_forgotten() -> None:
    asked = column_of()
    ready = {None: asked.true(None), "a": asked.true("a"), "b": asked.true("b")}
    assert asked.known_true == ready
    asked.true("c")
    asked.forget()
    assert asked.known_true == ready
    assert asked.known_possible.keys() == ready.keys()


def test_a_long_value_is_not_kept() -> None:
    asked = column_of()
    for length, kept in ((LONGEST_VALUE, True), (LONGEST_VALUE + 1, False)):
        text = "x" * (length - 1) + "1"
        assert asked.true(text) == bits_of([1, 4, 5])
        assert (text in asked.known_true) is kept
