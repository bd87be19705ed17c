from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute_dicom.age import age_years


@pytest.mark.parametrize(
    ("text", "years"),
    [("045Y", 45), ("006M", 0.5), ("052W", 0.997), ("012D", 0.0329), ("7Y", 7), (" 010Y ", 10)],
)
def test_an_age_is_a_number_of_years(text: str, years: float) -> None:
    assert age_years(text) == pytest.approx(years, abs=0.001)


@pytest.mark.parametrize(
    "text", ["", "Y", "045", "45 years", "045y", "0045Y", "-45Y", "4.5Y", "\u0664Y"]
)
def test_any_other_text_is_no_age(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no age, expected one such as '045Y'"):
        age_years(text)


@given(st.integers(0, 999), st.integers(0, 999), st.sampled_from("DWMY"))
def test_ages_of_one_unit_keep_their_order(one: int, other: int, unit: str) -> None:
    assert (age_years(f"{one:03}{unit}") < age_years(f"{other:03}{unit}")) == (one < other)
