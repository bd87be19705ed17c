from __future__ import annotations

import pytest

from mroute.progress import paced

INDEX = "building the index"
CHECK = "checking the conditions"


class Pace:
    """A paced progress with a clock of its own, and what it told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.told: list[tuple[str, int, int]] = []
        self.progress = paced(lambda *each: self.told.append(each), lambda: self.now)

    def at(self, second: float, step: str, done: int, total: int = 9) -> None:
        self.now = 100.0 + second
        self.progress(step, done, total)


def test_nothing_is_told_in_the_first_second_not_even_the_end() -> None:
    pace = Pace()
    for done in range(1, 10):
        pace.at(done / 10, INDEX, done)
    assert pace.told == []


def test_then_something_is_told_once_a_second_at_most() -> None:
    pace = Pace()
    for tenth in range(35):
        pace.at(tenth / 10, INDEX, tenth, 99)
    assert pace.told == [(INDEX, 10, 99), (INDEX, 20, 99), (INDEX, 30, 99)]


def test_what_takes_long_between_two_calls_is_not_told_twice_at_once() -> None:
    pace = Pace()
    pace.at(5.0, INDEX, 1)
    pace.at(5.5, INDEX, 2)
    pace.at(6.0, INDEX, 3)
    assert pace.told == [(INDEX, 1, 9), (INDEX, 3, 9)]


@pytest.mark.parametrize(("second", "told"), [(0.5, []), (1.5, [(INDEX, 1, 9), (INDEX, 9, 9)])])
def test_the_end_is_told_where_something_was(
    second: float, told: list[tuple[str, int, int]]
) -> None:
    pace = Pace()
    pace.at(second, INDEX, 1)
    pace.at(second + 0.1, INDEX, 9)
    assert pace.told == told


def test_the_first_second_is_that_of_all_steps_and_each_has_its_own_end() -> None:
    pace = Pace()
    pace.at(0.9, CHECK, 9)
    pace.at(1.1, INDEX, 1)
    pace.at(1.2, INDEX, 9)
    pace.at(9.0, CHECK, 9)  # nothing was told of this step before its end
    assert pace.told == [(INDEX, 1, 9), (INDEX, 9, 9)]
