"""The rule function ``date``: a DICOM date with its year, month and day.

Knows the value representations DA and DT (PS3.5, 6.2), what came before them, and ISO 8601. Does
not know tags or rules, or the time of the day.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Final

from mroute.api import Record, Type

DATE: Final = Record(
    "date",
    {
        "year": Type.NUMBER,
        "month": Type.NUMBER,
        "day": Type.NUMBER,
        "weekday": Type.NUMBER,
        "days": Type.NUMBER,
    },
    ordered=True,
)
"""``weekday`` is 1 for Monday to 7 for Sunday; ``days`` counts from the year 1 on."""

_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?P<between>[-.]?)(?P<month>[0-9]{2})(?P=between)(?P<day>[0-9]{2})"
)
_TIME_OF_DT = re.compile(r"(?:[0-9]{2}|[0-9]{4}|[0-9]{6}(?:\.[0-9]{1,6})?)?(?:[+-][0-9]{4})?")


def date(text: str) -> Mapping[str, int]:
    """The parts of a date such as ``20240131``, ``2024-01-31`` or ``20240131183000.5+0100``.

    Of a DT, its date as written there, whatever its offset from UTC. Raises `ValueError` for any
    other text, a DT without its day included; a rule that asks for it is unknown then.
    """
    stripped = text.strip()
    match = _DATE.match(stripped)
    rest = stripped[match.end() :] if match else ""
    if match is None or not (_TIME_OF_DT.fullmatch(rest) if not match["between"] else not rest):
        raise ValueError(f"{text!a} is no date, expected one such as '20240131' or '2024-01-31'")
    try:
        found = datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise ValueError(f"{text!a} is no date: there is no such day") from None
    return {
        "year": found.year,
        "month": found.month,
        "day": found.day,
        "weekday": found.isoweekday(),
        "days": found.toordinal(),
    }
