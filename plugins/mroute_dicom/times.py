"""The rule function ``time``: a DICOM time with its hour, minute and second.

Knows the value representations TM and DT (PS3.5, 6.2), and what came before them. Does not know
tags or rules, or dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mroute.api import Record, Type

TIME: Final = Record(
    "time",
    {"hour": Type.NUMBER, "minute": Type.NUMBER, "second": Type.NUMBER, "seconds": Type.NUMBER},
    ordered=True,
)
"""``second`` has the fraction, if there is one; ``seconds`` counts from midnight on."""

_TIME = re.compile(
    r"(?P<hour>[0-9]{2})"
    r"(?:(?P<between>:?)(?P<minute>[0-9]{2})"
    r"(?:(?P=between)(?P<second>[0-9]{2}(?:\.[0-9]{1,6})?))?)?"
)
_DATE_OF_DT = re.compile(r"[0-9]{8}(?=[0-9]{2})")
_OFFSET_OF_DT = re.compile(r"[+-][0-9]{4}\Z")


def time(text: str) -> Mapping[str, float]:
    """The parts of a time such as ``1830``, ``183000.25``, ``18:30`` or ``20240131183000``.

    What is left out is 0. Of a DT, its time as written there, whatever its offset from UTC. Raises
    `ValueError` for any other text; a rule that asks for it is unknown then.
    """
    stripped = text.strip()
    if _DATE_OF_DT.match(stripped):
        stripped = _OFFSET_OF_DT.sub("", stripped[8:])
    match = _TIME.fullmatch(stripped)
    if match is None:
        raise ValueError(f"{text!a} is no time, expected one such as '183000.25' or '18:30'")
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    second = float(match["second"] or 0)
    # 60 is a leap second.
    if hour > 23 or minute > 59 or second >= 61:
        raise ValueError(f"{text!a} is no time: no day has it")
    return {
        "hour": hour,
        "minute": minute,
        "second": second,
        "seconds": 3600 * hour + 60 * minute + second,
    }
