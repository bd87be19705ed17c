"""Which series in ``incoming/`` have come to rest, and which are on their way.

Knows folders and their times. Does not know what happens to a series.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mroute.spool.arrivals.incoming import Incoming
from mroute.spool.claim import claim_series
from mroute.spool.layout import Spool
from mroute.spool.tags import read_tags
from tests.unit.spool.conftest import MakeSeries

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUIET = timedelta(seconds=60)


def age(folder: Path, seconds: float) -> None:
    when = NOW.timestamp() - seconds
    os.utime(folder, (when, when))


def test_a_series_is_complete_when_quiet_for_longer_than_the_limit(
    spool: Spool, make_series: MakeSeries
) -> None:
    """Scenario 1: strictly longer."""
    for uid, seconds in {"1.1": 61, "1.2": 60, "1.3": 59, "1.0": 600}.items():
        age(make_series(uid), seconds)
    arrivals = Incoming(spool).scan(NOW, QUIET)
    assert arrivals.complete == ("1.0", "1.1")
    assert arrivals.pending == ("1.2", "1.3")
    assert arrivals.due == NOW  # a moment later, 1.2 is complete


def test_only_a_new_file_makes_a_series_wait_once_more(
    spool: Spool, make_series: MakeSeries
) -> None:
    """Scenario 2: writing into a file that is there already does not."""
    folder = make_series("1.1", images=1)
    age(folder, 61)
    (folder / "1.1#0.dcm").write_bytes(b"rewritten")
    assert Incoming(spool).scan(NOW, QUIET).complete == ("1.1",)
    (folder / "1.1#1.dcm").write_bytes(b"new")
    now = datetime.fromtimestamp(folder.stat().st_mtime + 59, UTC)
    assert Incoming(spool).scan(now, QUIET).pending == ("1.1",)


def test_a_series_from_the_future_waits_once_more_and_not_for_the_clock_to_catch_up(
    spool: Spool, make_series: MakeSeries
) -> None:
    for uid, seconds in {"1.1": -59, "1.2": -3600}.items():
        age(make_series(uid), seconds)
    incoming = Incoming(spool)
    arrivals = incoming.scan(NOW, QUIET)
    assert (arrivals.complete, arrivals.pending) == ((), ("1.1", "1.2"))
    assert arrivals.due == NOW + QUIET
    # Another process sees the same: what was found out is on the disk.
    assert Incoming(spool).scan(NOW + timedelta(seconds=61), QUIET).complete == ("1.2",)
    assert incoming.scan(NOW + timedelta(seconds=120), QUIET).complete == ("1.1", "1.2")


def test_a_folder_from_the_future_that_cannot_be_dated_is_not_stranded(
    spool: Spool, make_series: MakeSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(make_series("1.1"), -3600)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "not the owner")

    monkeypatch.setattr(os, "utime", refuse)
    assert Incoming(spool).scan(NOW, QUIET).complete == ("1.1",)


@pytest.mark.parametrize(("seconds", "wait"), [(61, "60s"), (11, "10s"), (301, "300s")])
def test_a_sender_may_have_a_time_of_its_own(
    spool: Spool, make_series: MakeSeries, seconds: int, wait: str
) -> None:
    """FAST waits 10 seconds, SLOW 300, all others 60; blanks around an AE title do not count."""
    senders = {"1.1": "FAST", "1.2": " FAST ", "1.3": "fast", "1.4": "SLOW", "1.5": ""}
    for uid, sender in senders.items():
        age(make_series(uid, SenderAET=sender), seconds)
    by_sender = {"FAST": timedelta(seconds=10), "SLOW": timedelta(seconds=300)}
    arrivals = Incoming(spool).scan(NOW, QUIET, by_sender)
    expected = {
        "10s": ("1.1", "1.2"),
        "60s": ("1.1", "1.2", "1.3", "1.5"),
        "300s": ("1.1", "1.2", "1.3", "1.4", "1.5"),
    }
    assert arrivals.complete == expected[wait]
    assert set(arrivals.pending) == set(senders) - set(arrivals.complete)


def test_the_tags_of_a_waiting_series_are_read_once(
    spool: Spool, make_series: MakeSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def count(path: Path) -> tuple[dict[str, str], str]:
        read.append(path.parent.name)
        return read_tags(path)

    monkeypatch.setattr("mroute.spool.arrivals.incoming.read_tags", count)
    by_sender = {"FAST": timedelta(seconds=10)}
    for uid, seconds in {"1.1": 30, "1.2": 5, "1.3": 600}.items():
        age(make_series(uid), seconds)
    incoming = Incoming(spool)
    for _ in range(3):
        arrivals = incoming.scan(NOW, QUIET, by_sender)
    assert read == ["1.1"]  # 1.2 waits whoever sent it, and 1.3 is complete whoever did
    for _ in range(3):
        assert incoming.pending_by_study(arrivals.pending) == {"1.2.3": ("1.1", "1.2")}
    assert read == ["1.1", "1.2"]
    # Another folder of the same name is another one.
    (spool.incoming / "1.1").rename(spool.root / "taken")
    age(make_series("1.1", SenderAET="FAST"), 30)
    assert incoming.scan(NOW, QUIET, by_sender).complete == ("1.1", "1.3")
    assert read == ["1.1", "1.2", "1.1"]


def test_a_series_without_tags_is_looked_at_again_when_more_came(
    spool: Spool, make_series: MakeSeries
) -> None:
    folder = make_series("1.1", images=0)
    (folder / "a.dcm").write_bytes(b"image")
    age(folder, 5)
    incoming = Incoming(spool)
    assert incoming.pending_by_study(["1.1", "gone"]) == {}
    (folder / "a.tags").write_text('{"StudyInstanceUID"')
    assert incoming.pending_by_study(["1.1"]) == {}
    (folder / "a.tags").write_text('{"StudyInstanceUID": "S"}')
    assert incoming.pending_by_study(["1.1"]) == {"S": ("1.1",)}


def test_what_a_receiver_could_not_parse_is_no_series(
    spool: Spool, make_series: MakeSeries
) -> None:
    """Scenario 3."""
    names = ("error", "x.error", ".hidden", "n" * 201)
    for name in names:
        age(make_series(name, images=0), 600)
    (spool.incoming / "loose.dcm").write_bytes(b"image")
    arrivals = Incoming(spool).scan(NOW, QUIET)
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
    assert Incoming(spool).pending_by_study(["1.1", "1.3", "1.4"]) == {
        "S": ("1.1", "1.2"),
        "other": ("1.3",),
    }
