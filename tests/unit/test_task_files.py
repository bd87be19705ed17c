"""The watch over task files finds what is wrong with one, whoever wrote it.

Knows planted faults. Does not know how mroute writes task files.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mroute.api import Series, TaskPlan
from mroute.spool.files import Files
from mroute.spool.taskfile import compose_task, write_task
from tests.task_files import WATCH, faults_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLAN = TaskPlan(queue="outgoing", rules=("a",), action="route")
GOOD: dict[str, Any] = compose_task("id", Series("1", {}, ("a.dcm",), "c"), PLAN, ("a",), NOW)


def test_a_task_file_of_mroute_is_good(tmp_path: Path) -> None:
    write_task(Files(), tmp_path, GOOD)
    assert faults_of((tmp_path / "task.json").read_bytes()) == []
    assert WATCH.faults == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"id": "id"', '"id": 1', "$.id: 1 is not of type 'string'"),
        ('"priority": "normal"', '"priority": "soon"', "$.info.priority"),
        ('"id": "id"', '"id": "id", "id": "id"', "a key is there twice"),
        ('"study": {}', '"study": {"x": NaN}', "'NaN' is not a number"),
        ('"study": {}', '"study": {"x": "\\ud800"}', "half a character"),
        ('"study": {}', '"study": {"\\udcb1": 1}', "half a character"),
        ('"study": {}', '"study": {"x": "ü"}', "can't decode byte"),
        ('"dispatch": {}', '"dispatch": {"status": 1}', "$.dispatch"),
        ('"study": {}', '"study": {}, "collection": {}', "$.collection"),
        ("{", "", "Extra data"),
    ],
)
def test_a_fault_is_found_in_what_is_written_here(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    text = json.dumps(GOOD)
    assert old in text
    Files().write(tmp_path / "task.json", text.replace(old, new, 1).encode("utf-8"))
    written, left = WATCH.faults, WATCH.take_faults(tmp_path)
    assert fault in written[0]
    assert fault in left[-1]
    (tmp_path / "task.json").unlink()


def test_a_fault_is_found_in_what_another_process_left(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "task.json"
    path.parent.mkdir(parents=True)
    script = f"open({str(path)!r}, 'w').write('[]')"
    subprocess.run([sys.executable, "-c", script], check=True)
    (fault,) = WATCH.take_faults(tmp_path)
    assert fault.startswith(f"{path}: $: [] is not of type 'object'")
    path.unlink()


def test_what_a_test_damages_itself_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "task.json").write_text("{")
    (tmp_path / "a").rename(tmp_path / "a-1")  # to error/, under another name
    assert WATCH.take_faults(tmp_path) == []
    assert WATCH.take_faults(tmp_path) != []
    (tmp_path / "a-1" / "task.json").unlink()
