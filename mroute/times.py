"""Lengths of time and hours of the day, as a rule file writes them.

Knows how they are spelled. Does not know what they are for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")

_LONGEST = timedelta(days=36_500)
"""A hundred years: what is longer cannot be added to every time."""

_DIGITS = 10


def parse_duration(value: object) -> object:
    """``"1h30m"``, ``"90m"`` or ``"15s"`` as a `timedelta`; anything else is left to pydantic.

    Raises `ValueError` for a text that is no duration.
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        raise ValueError("expected a duration such as '15s', '90m', '1h30m' or '2d'")
    parts = [part or "0" for part in match.groups()]
    if max(map(len, parts)) <= _DIGITS:
        days, hours, minutes, seconds = map(int, parts)
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if duration <= _LONGEST:
            return duration
    raise ValueError(f"expected a duration of at most {_LONGEST.days}d")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    # As a rule file would say it, so that what was written can be read again.
    PlainSerializer(lambda duration: f"{int(duration.total_seconds())}s", when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$",
            "minLength": 2,
            "examples": ["15s", "90m", "1h30m"],
        }
    ),
]
"""A length of time, written ``15s``, ``90m``, ``1h30m`` or ``2d``."""


@dataclass(frozen=True, slots=True)
class DailyHours:
    """The hours of each day from ``begin`` to ``end``; over midnight where that is earlier."""

    begin: time
    end: time

    def __contains__(self, at: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


def parse_hours(value: object) -> object:
    """``"22:00-06:00"`` as `DailyHours`; raises `ValueError` for what is no such text."""
    if isinstance(value, DailyHours):
        return value
    match = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected hours such as '22:00-06:00'")
    begin_hour, begin_minute, end_hour, end_minute = map(int, match.groups())
    hours = DailyHours(time(begin_hour, begin_minute), time(end_hour, end_minute))
    if hours.begin == hours.end:
        raise ValueError(f"'{hours}' are no hours at all, or all of them; leave it out for these")
    return hours


Hours = Annotated[
    DailyHours,
    BeforeValidator(parse_hours),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([01]\d|2[0-3]):[0-5]\d\s*-\s*([01]\d|2[0-3]):[0-5]\d$",
            "examples": ["22:00-06:00"],
        }
    ),
]
"""Hours of the day, written ``22:00-06:00``."""
