"""What the value of a tag looks like, by its value representation (PS3.5, table 6.2-1).

Knows the form of one value as a text, and what somebody who wrote another one probably meant. Does
not know tags, their terms or expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from mroute.expr.language import MAX_TEXT
from mroute.expr.values import number_of

Flaw: TypeAlias = tuple[str, str]
"""What DICOM writes, as half a sentence; and what to do, often empty."""

WHOLE: Final = frozenset({"IS", "SS", "SL", "SV", "US", "UL", "UV", "US or SS"})
NUMERIC: Final = WHOLE | {"DS", "FL", "FD"}
"""Representations of numbers."""

WRITTEN: Final = frozenset({"DS", "IS"})
"""Those in which the sender spells the number: 2, 2.0 and 02 are the same."""

TEMPORAL: Final = frozenset({"DA", "TM", "DT"})
"""Those whose order as texts is the order in time."""

_LONGEST: Final = {"AE": 16, "CS": 16, "SH": 16, "LO": 64}

_DIGITS: Final = frozenset("0123456789")
_CHARACTERS: Final[Mapping[str, frozenset[str]]] = {
    "DA": _DIGITS,
    "TM": _DIGITS | {"."},
    "DT": _DIGITS | set(".+-"),
    "AS": _DIGITS | set("DWMY"),
    "UI": _DIGITS | {"."},
    "DS": _DIGITS | set("+-.eE"),
    **dict.fromkeys(WHOLE, _DIGITS | set("+-")),
}

_NOT_FINITE: Final = frozenset({"nan", "inf", "-inf"})


def unquestioned(representation: str) -> int:
    """Up to how many characters any text is a value of ``representation``."""
    if representation in _JUDGES:
        return 0
    return _LONGEST.get(representation, MAX_TEXT)


def flaw(representation: str, value: str) -> Flaw | None:
    """Why no value of ``representation`` is ``value``, a text without blanks around it."""
    longest = _LONGEST.get(representation)
    if longest is not None:
        return _too_long(longest) if len(value) > longest else None
    judge = _JUDGES.get(representation)
    return judge(value) if judge is not None else None


def flaw_of_part(representation: str, part: str) -> Flaw | None:
    """Why no value of ``representation`` has ``part`` in it."""
    longest = _LONGEST.get(representation)
    if longest is not None:
        return _too_long(longest) if len(part) > longest else None
    allowed = _CHARACTERS.get(representation)
    # Blanks are padding, and a backslash stands between two values.
    if allowed is None or allowed.issuperset(part.strip().replace("\\", "")):
        return None
    shape, hint = _wrong(representation, part)
    digits = "".join(c for c in part if c in _DIGITS)
    if representation in TEMPORAL and digits:
        hint = f"write '{digits}'"
    return shape, hint


def flaw_of_bound(representation: str, bound: str) -> Flaw | None:
    """Why ``bound`` has no place in the order of dates or times, or among numbers."""
    if representation == "DA":
        sound = len(bound) in (4, 6) and _DIGITS.issuperset(bound)
        return None if sound or _is_date(bound) else _wrong("DA", bound)
    if representation == "TM":
        return None if _is_time(bound) else _wrong("TM", bound)
    return flaw_of_part(representation, bound)


def _too_long(longest: int) -> Flaw:
    return f"a value has at most {longest} characters", ""


def _wrong(representation: str, value: str) -> Flaw:
    return _shape(representation), _meant(representation, value)


def _date(value: str) -> Flaw | None:
    return None if _is_date(value) else _wrong("DA", value)


def _time(value: str) -> Flaw | None:
    return None if _is_time(value) else _wrong("TM", value)


def _date_and_time(value: str) -> Flaw | None:
    sound = _CHARACTERS["DT"].issuperset(value) and value.count("-") + value.count("+") <= 1
    return None if sound else _wrong("DT", value)


def _age(value: str) -> Flaw | None:
    return None if _is_age(value) else _wrong("AS", value)


def _uid(value: str) -> Flaw | None:
    sound = _CHARACTERS["UI"].issuperset(value) and len(value) <= 64
    return None if sound else _wrong("UI", value)


def _number(value: str) -> Flaw | None:
    number = number_of(value)
    return None if isinstance(number, int | float) else _wrong("DS", value)


def _binary(value: str) -> Flaw | None:
    return None if value in _NOT_FINITE else _number(value)


def _whole(value: str) -> Flaw | None:
    return None if isinstance(number_of(value), int) else _wrong("IS", value)


_JUDGES: Final[Mapping[str, Callable[[str], Flaw | None]]] = {
    "DA": _date,
    "TM": _time,
    "DT": _date_and_time,
    "AS": _age,
    "UI": _uid,
    "DS": _number,
    "FL": _binary,
    "FD": _binary,
    **dict.fromkeys(WHOLE, _whole),
}

_SHAPES: Final = {
    "DA": "DICOM writes a date as '20240131'",
    "TM": "DICOM writes a time as '143000'",
    "DT": "DICOM writes a date with its time as '20240131143000'",
    "AS": "DICOM writes an age as '045Y'",
    "UI": "a UID is digits and points, such as '1.2.840.10008.5.1.4.1.1.2'",
    "DS": "it is a number",
}


def _shape(representation: str) -> str:
    return _SHAPES.get(representation, "it is a whole number")


def _meant(representation: str, value: str) -> str:
    """How DICOM writes what ``value`` probably means, as a hint; empty where that is not clear."""
    if representation in NUMERIC:
        return "write a number, without quotes"
    digits = "".join(c for c in value if c in _DIGITS)
    meant = ""
    if representation == "DA":
        meant = digits if _is_date(digits) and value[:4] == digits[:4] else ""
    elif representation == "TM":
        meant = digits if _is_time(digits) and ":" in value else ""
    elif representation == "AS" and 0 < len(digits) <= 3 and value.startswith(digits):
        unit = value[len(digits) :].strip().upper()[:1] or "Y"
        meant = digits.zfill(3) + (unit if unit in "DWMY" else "Y")
    return f"write '{meant}'" if meant else ""


def _is_date(value: str) -> bool:
    if len(value) != 8 or not _DIGITS.issuperset(value):
        return False
    return "01" <= value[4:6] <= "12" and "01" <= value[6:] <= "31"


def _is_time(value: str) -> bool:
    whole, point, fraction = value.partition(".")
    if len(whole) not in (2, 4, 6) or not _DIGITS.issuperset(whole + fraction):
        return False
    if point and (len(whole) < 6 or not 1 <= len(fraction) <= 6):
        return False
    # 60 is a leap second.
    return whole[:2] < "24" and whole[2:4] < "60" and whole[4:] <= "60"


def _is_age(value: str) -> bool:
    return len(value) == 4 and _DIGITS.issuperset(value[:3]) and value[3] in "DWMY"
