"""A clock that was set back, or is from another age."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from mroute.doctor import clock
from mroute.doctor.clock import check_clock
from mroute.doctor.finding import Finding, State
from mroute.spool.layout import Spool


@pytest.fixture
def now() -> datetime:
    """A little after whatever was written until now."""
    return datetime.now(UTC) + timedelta(seconds=5)


@pytest.fixture(autouse=True)
def synchronized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mark by which systemd says that the clock is right."""
    mark = tmp_path / "synchronized"
    mark.touch()
    monkeypatch.setattr(clock, "_SYNCHRONIZED", mark)
    return mark


def one(now: datetime, spool: Spool | None) -> Finding:
    (found,) = check_clock(now, spool)
    return found


def test_a_clock_that_is_right_is_fine(now: datetime, spool: Spool) -> None:
    assert one(now, spool).state is State.OK
    assert one(now, None).said == f"it says {now.isoformat(timespec='seconds')}"
    assert one(now, Spool(spool.root / "gone")).state is State.OK


def test_a_file_from_the_future_betrays_that_the_clock_was_set_back(
    now: datetime, spool: Spool
) -> None:
    series = spool.incoming / "1.2.3"
    series.mkdir()
    image = series / "1.dcm"
    image.touch()
    for ahead, state in ((4, State.OK), (60, State.PROBLEM)):
        later = (now + timedelta(minutes=ahead)).timestamp()
        os.utime(image, (later, later))
        found = one(now, spool)
        assert found.state is state
    assert found.said.startswith(f"'{image}' was changed 1:00:00 from now: the clock was set back")
    assert found.advice.startswith("set the clock")
    assert one(now - timedelta(days=3), spool).state is State.PROBLEM


def test_a_clock_before_mroute_was_made_is_wrong(spool: Spool) -> None:
    found = list(check_clock(datetime(1970, 1, 2, tzinfo=UTC), Spool(spool.root / "gone")))
    assert [each.state for each in found] == [State.PROBLEM]
    assert "it says 1970-01-02, and this mroute was made in 2" in found[0].said


def test_whether_something_keeps_the_clock_right_is_only_a_remark(
    now: datetime, synchronized: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronized.unlink()
    assert next(check_clock(now, None)).state is State.OK  # whatever is so here
    for answer, states in ((5, ["ok", "remark"]), (0, ["ok"])):
        library = Mock(adjtimex=Mock(return_value=answer))
        monkeypatch.setattr("ctypes.CDLL", Mock(return_value=library))
        assert [each.state for each in check_clock(now, None)] == states
        (buffer,) = library.adjtimex.call_args.args
        assert set(buffer.raw) == {0}  # nothing is to be set
    monkeypatch.setattr("ctypes.CDLL", Mock(return_value=object()))  # a system without it
    assert [each.state for each in check_clock(now, None)] == ["ok"]
