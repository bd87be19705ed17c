"""What waits in a queue: read once, looked at in every pass, and due at the right time.

Knows task folders and clocks. Does not know any work.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mroute.errors import TaskFileError
from mroute.spool import waiting as module
from mroute.spool.layout import Spool
from mroute.spool.taskfile import read_task
from mroute.spool.waiting import Waiting, is_due, not_before
from tests.unit.spool.test_queue import NOW, REST, make_task


class Reads(list[str]):
    """The names of the folders whose task files were read."""

    def read(self, folder: Path) -> object:
        self.append(folder.name)
        return read_task(folder)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    found = Reads()
    monkeypatch.setattr(module, "read_task", found.read)
    return found


def due(spool: Spool, waiting: Waiting, now: datetime = NOW) -> list[str]:
    return [each.folder.name for each in waiting.due(spool.queue("outgoing"), now, REST)]


def test_a_task_file_is_read_once_until_it_is_replaced(spool: Spool, reads: Reads) -> None:
    make_task(spool, "a")
    folder = make_task(spool, "b", retry=NOW + REST)
    waiting = Waiting("dispatch")
    assert [due(spool, waiting) for _ in range(3)] == [["a"]] * 3
    assert sorted(reads) == ["a", "b"]
    path = folder / "task.json"
    content = json.loads(path.read_text())
    content["dispatch"]["next_retry_at"] = None  # an administrator does not want to wait
    path.write_text(json.dumps(content))
    assert due(spool, waiting) == ["a", "b"]
    assert sorted(reads) == ["a", "b", "b"]


def test_an_edit_of_the_same_length_is_seen(spool: Spool) -> None:
    folder = make_task(spool, "a", priority="normal")
    make_task(spool, "b", priority="normal", minutes=1)
    waiting = Waiting("dispatch")
    assert due(spool, waiting) == ["b", "a"]
    partial = folder / "new"
    partial.write_text((folder / "task.json").read_text().replace("normal", "urgent"))
    partial.rename(folder / "task.json")
    assert due(spool, waiting) == ["a", "b"]


def test_what_left_the_queue_is_forgotten_and_read_again_when_it_is_back(
    spool: Spool, reads: Reads
) -> None:
    folder = make_task(spool, "a")
    waiting = Waiting("dispatch")
    assert due(spool, waiting) == ["a"]
    folder.rename(spool.root / "away")
    assert due(spool, waiting) == []
    (spool.root / "away").rename(folder)
    assert due(spool, waiting) == ["a"]
    assert reads == ["a", "a"]


def test_a_task_becomes_due_without_being_read_again(spool: Spool, reads: Reads) -> None:
    make_task(spool, "a", retry=NOW + timedelta(minutes=5))
    waiting = Waiting("dispatch")
    assert due(spool, waiting) == []
    assert due(spool, waiting, NOW + timedelta(minutes=5)) == ["a"]
    assert reads == ["a"]


def test_what_is_no_task_comes_first_and_every_time(spool: Spool) -> None:
    make_task(spool, "urgent", priority="urgent")
    (spool.queue("outgoing") / "zzz").mkdir()
    (spool.queue("outgoing") / ".hidden").mkdir()
    (spool.queue("outgoing") / "HALT").touch()
    waiting = Waiting("dispatch")
    assert [due(spool, waiting) for _ in range(2)] == [["zzz", "urgent"]] * 2


def test_a_queue_without_a_folder_has_no_tasks(spool: Spool) -> None:
    spool.queue("outgoing").rmdir()
    assert due(spool, Waiting("dispatch")) == []


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-1, True), (0, True), (1, False), (15, False), (16, True)]
)
def test_a_rest_that_is_longer_than_any_was_written_by_another_clock(
    minutes: int, expected: bool
) -> None:
    assert is_due(NOW + timedelta(minutes=minutes), NOW, REST) is expected


def test_without_a_time_a_task_is_due() -> None:
    assert is_due(not_before({"retries": 1}), NOW, REST)


@pytest.mark.parametrize("value", [1, "soon", "2026-11-23T12:00:00", []])
def test_a_time_that_is_none_is_damage(value: object) -> None:
    with pytest.raises(TaskFileError, match="expected a time with its zone"):
        not_before({"next_retry_at": value})


def test_tasks_that_wait_are_read_once_however_often_they_are_looked_at(
    spool: Spool, reads: Reads
) -> None:
    for number in range(100):
        make_task(spool, str(number), retry=NOW + REST)
    waiting = Waiting("dispatch")
    for _ in range(3):
        assert due(spool, waiting) == []
    assert len(reads) == 100
