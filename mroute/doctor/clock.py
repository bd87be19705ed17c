"""Whether the clock can be right: images wait, and are told late, by what it says.

Knows what a clock that was set back leaves behind. Does not know the right time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mroute.doctor.finding import Finding, ok, problem, remark
from mroute.spool.layout import Spool
from mroute.spool.upkeep.entries import entries

_MADE_IN = 2026
"""The year in which this version was made: a clock that says an earlier one is wrong."""

_LENIENCE = timedelta(minutes=5)
"""How far a file may be in the future: whoever wrote it may have a clock of its own."""

_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR = 5
"""What `adjtimex` returns where nothing keeps the clock right (adjtimex(2))."""
_TIMEX = 512
"""Bytes: more than its structure has on any machine."""

_SET = "set the clock, and let it be kept by chrony or systemd-timesyncd"


def check_clock(now: datetime, spool: Spool | None) -> Iterator[Finding]:
    """Whether the clock says an earlier time than it can be."""
    wrong = list(_too_early(now, spool))
    yield from wrong or [ok(f"it says {now.isoformat(timespec='seconds')}")]
    if not _is_synchronized():
        yield remark("the system does not say that something keeps the clock right", _SET)


def _too_early(now: datetime, spool: Spool | None) -> Iterator[Finding]:
    if now.year < _MADE_IN:
        yield problem(f"it says {now:%Y-%m-%d}, and this mroute was made in {_MADE_IN}", _SET)
    found = [(each.status.st_mtime, each.path) for each in entries(spool.root)] if spool else []
    newest, path = max(found, default=(0.0, None))
    ahead = datetime.fromtimestamp(newest, UTC) - now
    if path is not None and ahead > _LENIENCE:
        yield problem(
            f"'{path}' was changed {ahead - ahead % timedelta(seconds=1)} from now: the clock was "
            "set back, or that of its writer is wrong",
            _SET,
        )


def _is_synchronized() -> bool:
    """Whether the system says so; of a system that says nothing it is assumed."""
    if _SYNCHRONIZED.exists():
        return True
    import ctypes

    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    return adjtimex is None or adjtimex(ctypes.create_string_buffer(_TIMEX)) != _TIME_ERROR
