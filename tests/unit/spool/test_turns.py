"""Whose turn it is: no task is left out, none starves, and each kind keeps its order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.models import Priority
from mroute.spool.turns import URGENT_IN_A_ROW, in_turn


def order(urgent: int, normal: int, offpeak: int = 0, in_a_row: int = 0) -> str:
    due = {
        Priority.URGENT: ["u"] * urgent,
        Priority.NORMAL: ["n"] * normal,
        Priority.OFFPEAK: ["o"] * offpeak,
    }
    return "".join(in_turn(due, in_a_row))


def test_two_urgent_ones_for_each_normal_one() -> None:
    assert order(5, 3, 2) == "uunuununoo"
    assert order(1, 3) == "unnn"
    assert order(3, 0, 1) == "uuuo"


def test_the_turn_goes_on_from_the_last_look() -> None:
    assert order(3, 2, in_a_row=1) == "unuun"
    assert order(3, 2, in_a_row=2) == "nuunu"
    assert order(2, 0, in_a_row=9) == "uu"


@settings(derandomize=True)
@given(st.lists(st.integers()), st.lists(st.integers()), st.integers(0, 5))
def test_nothing_is_left_out_and_each_kind_keeps_its_order(
    urgent: list[int], normal: list[int], in_a_row: int
) -> None:
    due = {
        Priority.URGENT: [("u", each) for each in urgent],
        Priority.NORMAL: [("n", each) for each in normal],
    }
    found = list(in_turn(due, in_a_row))
    assert [each for kind, each in found if kind == "u"] == urgent
    assert [each for kind, each in found if kind == "n"] == normal
    waits = 0
    for kind, _ in found[: found.index(("n", normal[-1])) if normal else 0]:
        waits = waits + 1 if kind == "u" else 0
        assert waits <= URGENT_IN_A_ROW
