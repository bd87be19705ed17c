"""What is told of everything that waits in a spool, whatever is wrong with it.

Knows folders as routers, workers and faults leave them. Does not know the command line.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.spool.claim import claim_series, defer
from mroute.spool.files import Files
from mroute.spool.held import is_held
from mroute.spool.layout import Spool
from mroute.spool.locks import try_lock
from mroute.spool.manifest import reason_content
from mroute.spool.taskfile import read_task
from mroute.spool.upkeep.item import Item, State
from mroute.spool.upkeep.listing import Look
from mroute.types import Finish
from tests.unit.spool.conftest import MakeSeries
from tests.unit.spool.test_queue import NOW, make_task

SECTIONS = {"processing": "process", "outgoing": "dispatch"}


def looked(spool: Spool, *, finished: bool = False, now: datetime = NOW) -> dict[str, Item]:
    look = Look(spool, now, SECTIONS, timedelta(seconds=60), retry_max=5)
    return {item.id: item for item in look.items(finished)}


def edit_task(folder: Path, **sections: Any) -> None:
    content = json.loads((folder / "task.json").read_text())
    (folder / "task.json").write_text(json.dumps({**content, **sections}))


def test_a_task_is_told_with_its_rules_images_and_targets(spool: Spool) -> None:
    folder = make_task(spool, "t", minutes=3)
    status = {"a": {"state": "complete"}, "b": {"state": "waiting"}}
    edit_task(folder, dispatch={"target_name": ["a", "b"], "status": status})
    item = looked(spool)["t"]
    assert item == Item(
        "t",
        "outgoing",
        folder,
        State.WAITING,
        "due",
        NOW - timedelta(minutes=3),
        "1.2",
        "series",
        ("r",),
        1,
        ("b",),
    )


def test_a_task_says_why_it_waits(spool: Spool) -> None:
    rests = make_task(spool, "rests", retry=NOW + timedelta(minutes=5))
    tried = {"time": NOW.isoformat(), "actor": "outgoing", "action": "retry", "outcome": "no room"}
    content = json.loads((rests / "task.json").read_text())
    state = {"retries": 2, "next_retry_at": (NOW + timedelta(minutes=5)).isoformat()}
    edit_task(rests, dispatch=state, journal=[*content["journal"], tried])
    worked = make_task(spool, "worked")
    lock = try_lock(worked / ".lease")
    found = looked(spool)
    assert (found["rests"].state, found["rests"].because) == (
        State.RETRY,
        "retry 2 of 5 at 2026-11-23T12:05:00+00:00: no room",
    )
    assert found["worked"].state is State.WORKING
    assert lock is not None
    lock.release()
    (spool.queue("outgoing") / "HALT").touch()
    assert looked(spool)["worked"].state is State.HALTED
    later = looked(spool, now=NOW + timedelta(minutes=6))["rests"]
    assert later.because == "the queue is halted by its file 'HALT'"


def test_a_series_arrives_until_it_was_quiet(spool: Spool, make_series: MakeSeries) -> None:
    folder = make_series("1.1", 2)
    os.utime(folder, (NOW.timestamp(), NOW.timestamp()))
    early, late = looked(spool), looked(spool, now=NOW + timedelta(seconds=61))
    assert (early["1.1"].state, early["1.1"].because) == (
        State.ARRIVING,
        "complete in 60 s if nothing more arrives",
    )
    assert (late["1.1"].state, late["1.1"].images) == (State.COMPLETE, 2)


def test_a_claim_says_why_it_is_deferred(
    spool: Spool, make_series: MakeSeries, files: Files
) -> None:
    make_series("1.1", 2)
    claim = claim_series(spool, "run", "1.1")
    assert claim is not None
    assert "is gone" in looked(spool)[claim.id].because
    lock = try_lock(spool.runs / "run.lock")
    assert looked(spool)[claim.id].because == "a router has it"
    defer(claim, files, "no room", NOW)
    item = looked(spool)[claim.id]
    assert (item.state, item.uid, item.images) == (State.DEFERRED, "1.1", 2)
    assert item.because == f"again at {NOW.isoformat()}: no room"
    assert lock is not None


def test_finished_tasks_are_told_of_when_asked_for(spool: Spool) -> None:
    for place in (Finish.SUCCESS, Finish.DISCARD):
        make_task(spool, place).rename(spool.queue(place) / place)
    assert looked(spool) == {}
    states = {name: item.state for name, item in looked(spool, finished=True).items()}
    assert states == {"success": State.DONE, "discard": State.DISCARDED}


def test_dead_letters_of_every_kind_are_told(spool: Spool, files: Files) -> None:
    error = spool.queue(Finish.ERROR)
    make_task(spool, "task").rename(error / "task")
    for name in ("bare", "notice"):
        (error / name).mkdir()
    for name in ("task", "bare", "notice"):
        reason = reason_content(f"stage of {name}", "why", ("x",), NOW)
        files.write_json(error / name / "reason.json", reason)
    files.write_json(error / "notice" / "delivery.json", {"task_id": "t", "channel": "webhook"})
    found = looked(spool)
    assert {item.state for item in found.values()} == {State.DEAD}
    assert {item.because for item in found.values()} == {
        "stage of task: why",
        "stage of bare: why",
        "stage of notice: why",
    }
    assert (found["notice"].uid, found["notice"].uid_type) == ("t", "notification")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": "x"}', '"x"'])
@pytest.mark.parametrize("place", ["outgoing", "error", "success", "studies"])
def test_what_is_damaged_is_told_and_never_fatal(spool: Spool, place: str, content: str) -> None:
    folder = spool.root / place / "broken"
    folder.mkdir()
    for name in ("task.json", "reason.json", "delivery.json"):
        (folder / name).write_text(content)
    (spool.outbox / "bad.json").write_text(content)
    (spool.root / "strange" / "folder").mkdir(parents=True)
    (spool.staging / "odd").mkdir()
    found = looked(spool, finished=True)
    dead_for_unknown_reasons = place == "error" and content.startswith('{"')
    assert found["broken"].state is (State.DEAD if dead_for_unknown_reasons else State.DAMAGED)
    assert found["folder"].state is State.DAMAGED
    assert found["odd"].state is State.DAMAGED
    notice = found["bad" if content.startswith('{"') else "bad.json"]
    assert (notice.queue, notice.state is State.DAMAGED) == ("outbox", notice.id == "bad.json")


def test_what_vanishes_during_the_look_is_no_error(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mroute.spool.upkeep import tasks as module

    make_task(spool, "moved")
    make_task(spool, "stays")

    def move_first(folder: Path) -> dict[str, Any]:
        if folder.name == "moved":
            shutil.move(folder, spool.queue(Finish.SUCCESS))
        return read_task(folder)

    monkeypatch.setattr(module, "read_task", move_first)
    assert list(looked(spool, finished=True)) == ["stays"]


def test_looking_at_a_lock_neither_takes_nor_makes_it(tmp_path: Path) -> None:
    path = tmp_path / ".lease"
    assert not is_held(path)
    assert not path.exists()
    lock = try_lock(path)
    assert lock is not None
    assert is_held(path)
    lock.release()
    assert not is_held(path)
    with path.open() as other:  # somebody else who only looks
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not is_held(path)


def test_a_look_changes_nothing(spool: Spool, make_series: MakeSeries) -> None:
    make_task(spool, "t")
    make_series("1.1")
    before = sorted((path, path.lstat().st_mtime_ns) for path in spool.root.rglob("*"))
    looked(spool, finished=True)
    assert sorted((path, path.lstat().st_mtime_ns) for path in spool.root.rglob("*")) == before


def test_a_naive_time_is_no_time(spool: Spool) -> None:
    folder = make_task(spool, "t")
    edit_task(folder, dispatch={"retries": 1, "next_retry_at": "2099-01-01T00:00:00"})
    assert looked(spool, now=datetime.now(UTC))["t"].state is State.WAITING
