"""Lengths of time as a rule file writes them.

Knows seconds, minutes and hours. Does not know what takes how long.
"""

from __future__ import annotations

from typing import Any

_UNITS = ((3600, "h"), (60, "m"), (1, "s"))


def duration(seconds: Any) -> Any:
    """``900`` as ``15m``: in the largest unit that needs no fraction; no number stays as it is."""
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        return seconds
    size, unit = next(each for each in _UNITS if seconds % each[0] == 0)
    return f"{seconds // size}{unit}" if seconds else "0s"
