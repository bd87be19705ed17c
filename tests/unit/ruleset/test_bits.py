"""Sets of small numbers are the bits of an integer, and are read back in order.

Knows bits and numbers. Does not know what they stand for.
"""

from __future__ import annotations

from random import Random

import pytest

from mroute.ruleset.bits import bits_of, items_at, numbers_of


def test_no_numbers_are_no_bits() -> None:
    assert (bits_of([]), numbers_of(0), items_at(0, "abc")) == (0, [], [])


@pytest.mark.parametrize("numbers", [[0], [2, 0], [7, 8, 9], [0, 7, 8, 15, 16], [511], [3, 512]])
def test_numbers_are_found_again_in_order(numbers: list[int]) -> None:
    assert bits_of(numbers) == sum(1 << number for number in numbers)
    assert numbers_of(bits_of(numbers)) == sorted(numbers)


def test_a_number_that_is_there_twice_is_one_bit() -> None:
    assert bits_of([5, 5]) == bits_of([5, 5, 5, 5]) == 0b100000


@pytest.mark.parametrize("length", [511, 512, 513, 5_000])
def test_sets_of_any_length_are_read_alike(length: int) -> None:
    # Short ones are read from the lowest bit, long ones by the runs between the ones.
    random = Random(length)
    for count in (1, 2, 40, length - 1):
        numbers = sorted({length - 1, *random.sample(range(length), count)})
        assert numbers_of(bits_of(numbers)) == numbers
        assert items_at(bits_of(numbers), range(0, -length, -1)) == [-each for each in numbers]


def test_all_ones_are_all_items() -> None:
    assert items_at((1 << 600) - 1, range(600)) == list(range(600))
