"""What is changed about a collecting study by hand, and by a clock that was set back.

Knows the task file of a study. Does not know when a study is complete.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.errors import RedriveError, TaskFileError
from mroute.spool.amending import date_now, force_study
from mroute.spool.files import Files
from mroute.spool.layout import FORCE_COMPLETE_FILE, TASK_FILE, Spool
from mroute.spool.studies import read_study
from mroute.spool.taskfile import compose_task, write_task
from mroute.testing import NOW, make_series
from mroute.types import TaskPlan

HOUR = timedelta(hours=1)


def study_in(spool: Spool, files: Files, created: datetime, last: datetime) -> Path:
    folder = spool.study("1.2.3", "spine")
    folder.mkdir()
    section: dict[str, Any] = {
        "creation_time": created.isoformat(),
        "last_receive_time": last.isoformat(),
        "complete_force": False,
    }
    plan = TaskPlan("studies", ("spine",), "route", "spine", sections={"study": section})
    content = compose_task("study", make_series(), plan, ("spine",), NOW)
    content["collection"] = {"rule_name": "spine", "rule": {}, "joined": []}
    write_task(files, folder, content)
    return folder


def journal(folder: Path) -> list[tuple[str, str]]:
    return [(each["actor"], each["action"]) for each in read_study(folder)["journal"]]


def test_an_administrator_completes_a_study_once(spool: Spool, files: Files) -> None:
    folder = study_in(spool, files, NOW, NOW)
    (folder / FORCE_COMPLETE_FILE).touch()
    assert force_study(spool, files, folder.name, NOW + HOUR, "administrator")
    assert read_study(folder)["study"]["complete_force"] is True
    assert not force_study(spool, files, folder.name, NOW + 2 * HOUR, "administrator")
    assert journal(folder) == [("router", "created"), ("administrator", "forced")]
    assert read_study(folder)["journal"][1]["time"] == (NOW + HOUR).isoformat()
    assert [path.name for path in folder.iterdir()] == [TASK_FILE]


def test_a_study_that_has_gone_on_cannot_be_completed(spool: Spool, files: Files) -> None:
    with pytest.raises(RedriveError, match=r"^'1\.2\.3#spine' is not collected any more"):
        force_study(spool, files, "1.2.3#spine", NOW, "administrator")


@pytest.mark.damages_task_files
def test_a_damaged_study_is_not_written_into(spool: Spool, files: Files) -> None:
    folder = study_in(spool, files, NOW, NOW)
    (folder / TASK_FILE).write_text("{")
    with pytest.raises(TaskFileError):
        force_study(spool, files, folder.name, NOW, "administrator")
    assert (folder / TASK_FILE).read_text() == "{"


@pytest.mark.parametrize(
    ("created", "last", "dated"),
    [
        (0, 0, []),
        (-1, -1, []),
        (0, 1, ["last_receive_time"]),
        (2, 3, ["creation_time", "last_receive_time"]),
    ],
)
def test_times_of_the_future_are_dated_now(
    spool: Spool, files: Files, created: int, last: int, dated: list[str]
) -> None:
    folder = study_in(spool, files, NOW + created * HOUR, NOW + last * HOUR)
    before = read_study(folder)
    date_now(spool, files, folder.name, NOW)
    after = read_study(folder)
    expected = {**before["study"], **dict.fromkeys(dated, NOW.isoformat())}
    assert after["study"] == expected
    assert journal(folder)[1:] == ([("router", "dated")] if dated else [])
    date_now(spool, files, folder.name, NOW)
    assert read_study(folder) == after


def test_a_clock_that_is_adjusted_a_little_dates_nothing(spool: Spool, files: Files) -> None:
    almost = NOW + timedelta(milliseconds=900)
    folder = study_in(spool, files, almost, almost)
    date_now(spool, files, folder.name, NOW)
    assert journal(folder) == [("router", "created")]
