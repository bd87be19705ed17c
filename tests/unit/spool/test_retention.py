"""Only what is done or discarded can be deleted, whole or not at all, by whoever is first."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from mroute.spool.layout import Spool
from mroute.spool.retention import finished, remove
from tests.faults import Killed, fault


def make(spool: Spool, queue: str, name: str, at: int = 0) -> Path:
    folder = spool.queue(queue) / name
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_bytes(b"image")
    (folder / "task.json").write_text("{}")
    os.utime(folder, (at, at))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_oldest_come_first_wherever_they_are(spool: Spool) -> None:
    make(spool, "success", "b", 20)
    make(spool, "discard", "c", 10)
    make(spool, "success", "a", 20)
    make(spool, "error", "d", 0)
    make(spool, "success", ".hidden", 0)
    (spool.queue("success") / "file").touch()
    found = finished(spool)
    assert [(task.id, task.queue) for task in found] == [
        ("c", "discard"),
        ("a", "success"),
        ("b", "success"),
    ]
    assert found[0].at == datetime.fromtimestamp(10, UTC)


def test_one_is_deleted_by_whoever_is_first(spool: Spool) -> None:
    make(spool, "success", "a")
    (task,) = finished(spool)
    assert (remove(spool, task), remove(spool, task)) == (True, False)
    assert list(spool.queue("success").iterdir()) == []


@pytest.mark.parametrize("place", ["error/a", "outgoing/a", "success", "success/a/1.dcm", "."])
def test_nothing_else_can_be_deleted(spool: Spool, place: str) -> None:
    make(spool, "success", "a")
    make(spool, "error", "a")
    make(spool, "outgoing", "a")
    (task,) = finished(spool)
    with pytest.raises(ValueError, match="is no finished task, and is not deleted"):
        remove(spool, replace(task, path=spool.root / place))
    assert len(list(spool.root.rglob("1.dcm"))) == 3


def test_a_rest_that_cannot_be_deleted_keeps_no_other(spool: Spool) -> None:
    make(spool, "success", ".removing-a")
    make(spool, "success", "b")
    failing = partial(OSError, errno.EBUSY, "Device or resource busy")
    with fault(spool.root, at=0, error=failing, of=["unlink"]) as trap:
        assert [task.id for task in finished(spool)] == ["b"]
    assert trap.hit
    assert (spool.queue("success") / ".removing-a").is_dir()
    assert [task.id for task in finished(spool)] == ["b"]
    assert names(spool.queue("success")) == ["b"]


def test_what_a_run_that_died_has_begun_is_ended_by_the_next(spool: Spool) -> None:
    for number in count():
        make(spool, "success", f"a{number}")
        make(spool, "success", "kept", 2_000_000_000)
        task = finished(spool)[0]
        assert task.id == f"a{number}"
        try:
            with fault(spool.root, at=number):
                remove(spool, task)
        except Killed:
            left = {each.id for each in finished(spool)}
            assert left in ({"kept"}, {"kept", task.id})
            if task.id in left:  # then all of it is there
                assert names(task.path) == ["1.dcm", "task.json"]
                remove(spool, task)
            assert names(spool.queue("success")) == ["kept"]
            remove(spool, finished(spool)[0])
        else:
            assert number > 3
            return
