"""Which series in ``incoming/`` have come to rest, and which are on their way.

Knows folders and their times. Does not know what happens to a series.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mroute.spool.claim import claim_series
from mroute.spool.incoming import pending_by_study, scan
from mroute.spool.layout import Spool
from tests.unit.spool.conftest import MakeSeries

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUIET = timedelta(seconds=60)


def age(folder: Path, seconds: float) -> None:
    when = NOW.timestamp() - seconds
    os.utime(folder, (when, when))


def test_a_series_is_complete_when_quiet_for_longer_than_the_limit(
    spool: Spool, make_series: MakeSeries
) -> None:
    for uid, seconds in {"1.1": 61, "1.2": 60, "1.3": 59, "1.0": 600}.items():
        age(make_series(uid), seconds)
    arrivals = scan(spool, NOW, QUIET)
    assert arrivals.complete == ("1.0", "1.1")
    assert arrivals.pending == ("1.2", "1.3")


def test_a_series_from_the_future_does_not_wait_for_the_clock_to_catch_up(
    spool: Spool, make_series: MakeSeries
) -> None:
    for uid, seconds in {"1.1": -59, "1.2": -3600}.items():
        age(make_series(uid), seconds)
    arrivals = scan(spool, NOW, QUIET)
    assert (arrivals.complete, arrivals.pending) == (("1.2",), ("1.1",))


def test_what_a_receiver_could_not_parse_is_no_series(
    spool: Spool, make_series: MakeSeries
) -> None:
    names = ("error", "x.error", ".hidden", "n" * 201)
    for name in names:
        age(make_series(name, images=0), 600)
    (spool.incoming / "loose.dcm").write_bytes(b"image")
    arrivals = scan(spool, NOW, QUIET)
    assert (arrivals.complete, arrivals.pending) == ((), ())
    # What waits for somebody is told, never passed over in silence.
    assert arrivals.loose == tuple(sorted([*names, "loose.dcm"]))


def test_series_on_their_way_are_known_by_their_study(
    spool: Spool, make_series: MakeSeries
) -> None:
    make_series("1.1", study="S")
    make_series("1.2", study="S")
    make_series("1.3", study="other")
    broken = make_series("1.4", images=1)
    (broken / "1.4#0.tags").write_text("{broken")
    assert claim_series(spool, "a", "1.2") is not None
    assert pending_by_study(spool, ["1.1", "1.3", "1.4"]) == {
        "S": ("1.1", "1.2"),
        "other": ("1.3",),
    }
