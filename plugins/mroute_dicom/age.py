"""The rule function ``age_years``: a DICOM age as a number of years.

Knows the value representation AS (PS3.5, 6.2). Does not know tags or rules.
"""

from __future__ import annotations

import re

_AGE = re.compile(r"([0-9]{1,3})([DWMY])")
_IN_A_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}


def age_years(text: str) -> float:
    """The years that an age such as ``045Y``, ``006M``, ``03W`` or ``12D`` has.

    Raises `ValueError` for any other text; a rule that asks for it is unknown then.
    """
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!a} is no age, expected one such as '045Y', '006M' or '12D'")
    return int(match[1]) / _IN_A_YEAR[match[2]]
