from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute_dicom.dates import date
from mroute_dicom.multiplicity import values
from mroute_dicom.persons import person
from mroute_dicom.times import time


@given(st.dates())
def test_a_date_is_the_same_in_every_spelling(day: datetime.date) -> None:
    text = f"{day.year:04}{day.month:02}{day.day:02}"
    expected = {
        "year": day.year,
        "month": day.month,
        "day": day.day,
        "weekday": day.isoweekday(),
        "days": day.toordinal(),
    }
    for spelled in (text, f" {text} ", day.isoformat(), f"{text}2359", f"{text}+0100"):
        assert date(spelled) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2024", "202401", "20240230", "2024-0101", "2024-01-01T10", "20240101-20240201",
     "2024010112345", "20240101.5", "00000101", "\u0662\u0660240101", "today"],
)  # fmt: skip
def test_any_other_text_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        date(text)


@pytest.mark.parametrize(
    ("text", "hour", "minute", "second"),
    [
        ("18", 18, 0, 0),
        ("1830", 18, 30, 0),
        ("18:30", 18, 30, 0),
        ("183015.5", 18, 30, 15.5),
        ("18:30:15", 18, 30, 15),
        ("235960", 23, 59, 60),
        ("2024013118", 18, 0, 0),
        ("20240131183015.25-0500", 18, 30, 15.25),
    ],
)
def test_a_time_in_its_spellings(text: str, hour: int, minute: int, second: float) -> None:
    seconds = 3600 * hour + 60 * minute + second
    expected = {"hour": hour, "minute": minute, "second": second, "seconds": seconds}
    assert time(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "183", "24", "1860", "183061", "18:3015", "1830.5", "20240131", "18-30"]
)
def test_any_other_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        time(text)


def test_a_name_in_all_its_groups() -> None:
    text = "Yamada^Tarou^M^Dr^MD =\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060"
    assert person(text) == {
        "family": "Yamada",
        "given": "Tarou",
        "middle": "M",
        "prefix": "Dr",
        "suffix": "MD",
        "ideographic": "\u5c71\u7530^\u592a\u90ce",
        "phonetic": "\u3084\u307e\u3060",
    }
    assert set(person("").values()) == {""}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("A^B\\C^D", "is several names"), ("a^b^c^d^e^f", "is no name"), ("a=b=c=d", "is no name")],
)
def test_what_is_no_name(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        person(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), (" ", []), ("a", ["a"]), ("a\\b ", ["a", "b"]), ("\\", ["", ""])],
)  # fmt: skip
def test_the_values_of_a_tag(text: str, expected: list[str]) -> None:
    assert values(text) == expected
