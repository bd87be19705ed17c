"""Tasks of a queue: due in order, leased by one, settled by a rename, never waiting for ever.

Knows task folders. Does not know any work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.queue import Lease, lease_due, with_retry_state
from mroute.spool.waiting import Waiting, retry_state
from mroute.types import Finish

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REST = timedelta(minutes=15)

INFO = {
    "action": "route",
    "queue": "outgoing",
    "claim_id": "c",
    "uid": "1.2",
    "uid_type": "series",
    "triggered_rules": ["r"],
    "applied_rule": "",
    "patient_name": "MISSING",
    "mrn": "MISSING",
    "acc": "MISSING",
    "sender_address": "MISSING",
    "sender_aet": "MISSING",
    "receiver_aet": "MISSING",
    "device_serial_number": "MISSING",
    "versions": {"mroute": "0"},
    "host": "h",
}


def make_task(
    spool: Spool,
    name: str,
    minutes: int = 0,
    priority: str = "normal",
    retry: datetime | None = None,
) -> Path:
    folder = spool.queue("outgoing") / name
    folder.mkdir()
    (folder / "1.dcm").write_bytes(b"image")
    created = (NOW - timedelta(minutes=minutes)).isoformat()
    content = {
        "id": name,
        "info": {**INFO, "priority": priority},
        "dispatch": {"next_retry_at": retry and retry.isoformat()},
        "journal": [{"time": created, "actor": "router", "action": "created", "outcome": ""}],
    }
    (folder / "task.json").write_text(json.dumps(content))
    return folder


def due_tasks(spool: Spool, files: Files) -> Iterator[Lease]:
    """Lease the tasks of the queue that are due."""
    waiting = Waiting("dispatch")
    due = waiting.due(spool.queue("outgoing"), NOW, REST)
    return lease_due(spool, "outgoing", waiting, due, NOW, files)


def due(spool: Spool, files: Files) -> list[str]:
    leases = list(due_tasks(spool, files))
    for lease in leases:
        lease.let_go()
    return [lease.task.id for lease in leases]


def test_urgent_before_normal_before_offpeak_and_old_before_new(spool: Spool, files: Files) -> None:
    make_task(spool, "new", 1)
    make_task(spool, "old", 9)
    make_task(spool, "urgent", 0, "urgent")
    make_task(spool, "offpeak", 60, "offpeak")
    assert due(spool, files) == ["urgent", "old", "new", "offpeak"]


def test_a_task_waits_for_its_next_retry(spool: Spool, files: Files) -> None:
    make_task(spool, "later", retry=NOW + timedelta(seconds=1))
    make_task(spool, "now", retry=NOW)
    assert due(spool, files) == ["now"]


@pytest.mark.parametrize("section", [None, {}, {"x": 1}, [], [{"x": 1}, {"y": 2}]])
def test_a_section_of_any_shape_keeps_when_to_retry(section: Any) -> None:
    kept = with_retry_state(section, 2, NOW)
    assert retry_state(kept)["retries"] == 2
    assert retry_state(kept)["next_retry_at"] == NOW.isoformat()
    if isinstance(section, list) and section:
        assert kept[1:] == section[1:]
        assert kept[0]["x"] == 1


def test_a_leased_task_is_nobody_elses(spool: Spool, files: Files) -> None:
    make_task(spool, "a")
    (lease,) = due_tasks(spool, files)
    assert due(spool, files) == []
    lease.let_go()
    assert due(spool, files) == ["a"]


def test_what_a_worker_saves_is_on_disk_at_once(spool: Spool, files: Files) -> None:
    folder = make_task(spool, "a")
    (lease,) = due_tasks(spool, files)
    lease.save("dispatch", {"target_name": ["a"]})
    lease.note(NOW, "outgoing", "sent", "to pacs")
    content = json.loads((folder / "task.json").read_text())
    assert content["dispatch"] == {"target_name": ["a"]}
    assert content["journal"][-1] == {
        "time": NOW.isoformat(),
        "actor": "outgoing",
        "action": "sent",
        "outcome": "to pacs",
    }


def test_a_settled_task_is_moved_with_its_reason(spool: Spool, files: Files) -> None:
    make_task(spool, "a")
    (lease,) = due_tasks(spool, files)
    lease.move(spool, Finish.ERROR, {"reason": "no such target"})
    moved = spool.queue("error") / "a"
    assert json.loads((moved / "reason.json").read_text()) == {"reason": "no such target"}
    assert (moved / "1.dcm").read_bytes() == b"image"
    assert due(spool, files) == []


def test_a_folder_that_is_no_task_goes_to_error_with_the_reason(spool: Spool, files: Files) -> None:
    (spool.queue("outgoing") / "no-file").mkdir()
    damaged = make_task(spool, "damaged")
    (damaged / "task.json").write_text('{"id": "dam')
    odd = make_task(spool, "odd")
    (odd / "task.json").write_text('{"id": "odd"}')
    make_task(spool, "good")
    assert due(spool, files) == ["good"]
    dead = {path.name: path for path in spool.queue("error").iterdir()}
    assert sorted(dead) == ["damaged", "no-file", "odd"]
    assert (dead["damaged"] / "task.json").read_text() == '{"id": "dam'
    reason = json.loads((dead["damaged"] / "reason.json").read_text())
    assert "task.json' is damaged" in reason["reason"]
    assert (dead["damaged"] / "1.dcm").read_bytes() == b"image"
    assert "cannot be read" in json.loads((dead["no-file"] / "reason.json").read_text())["reason"]


def test_a_folder_that_cannot_go_to_error_holds_up_no_task(spool: Spool, files: Files) -> None:
    (spool.queue("outgoing") / "no-file").mkdir()
    make_task(spool, "good")
    spool.queue("error").rmdir()
    spool.queue("error").write_text("no folder")
    leases = due_tasks(spool, files)
    lease = next(leases)
    assert lease.task.id == "good"
    lease.let_go()
    with pytest.raises(FileExistsError):
        next(leases)
    assert (spool.queue("outgoing") / "no-file").exists()
