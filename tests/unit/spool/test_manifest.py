"""The manifest: who gets the folder, who links and who copies, and what is written down of it.

Knows plans and names of files. Does not know a disk.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mroute.models import NoticeEvent
from mroute.spool.manifest import Manifest, Taking, compose_manifest
from mroute.types import Delivery, Finish, Plan, Rejected, Series, StudyPlan, TaskPlan

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = ("a.dcm", "a.tags", "b.dcm", "b.tags")
SERIES = Series("1.2", {"StudyInstanceUID": "1"}, ("a.dcm", "b.dcm"), "0000")
PACS = TaskPlan("outgoing", ("r",), action="route", key="pacs")
ARCHIVE = TaskPlan("outgoing", ("r",), action="route", key="archive")
MODULE = TaskPlan("processing", ("m",), action="process", applied_rule="m")
STUDY = StudyPlan("1", "spine", {"action": "route"}, {}, {}, {})
MESSAGE = Delivery("webhook", "r", NoticeEvent.RECEIVED, "t", {"url": "https://example"}, "{}")


def manifest(
    *tasks: TaskPlan, names: tuple[str, ...] = NAMES, **rest: tuple[object, ...]
) -> Manifest:
    plan = Plan(tasks, **rest)  # type: ignore[arg-type]
    return compose_manifest(SERIES, plan, ("r",), names, {"processing"}, NOW)


def takings(made: Manifest) -> list[Taking]:
    return [task.taking for task in made.tasks]


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ((PACS,), [Taking.FOLDER]),
        ((MODULE,), [Taking.FOLDER]),
        ((PACS, ARCHIVE), [Taking.LINK, Taking.FOLDER]),
        ((PACS, MODULE), [Taking.FOLDER, Taking.COPY]),
        ((MODULE, PACS, ARCHIVE), [Taking.COPY, Taking.LINK, Taking.FOLDER]),
    ],
)
def test_the_last_reader_of_everything_takes_the_folder_itself(
    tasks: tuple[TaskPlan, ...], expected: list[Taking]
) -> None:
    assert takings(manifest(*tasks)) == expected


def test_nobody_takes_a_folder_in_which_there_is_more_than_he_gets() -> None:
    for strange in ("notes.txt", ".hidden", "task.json", "c.tags"):
        made = manifest(PACS, ARCHIVE, names=(*NAMES, strange))
        assert takings(made) == [Taking.LINK, Taking.LINK], strange
        assert made.tasks[0].files == ("a.dcm", "b.dcm", "a.tags", "b.tags")
        assert made.files == tuple(sorted((*NAMES, strange)))


def test_a_rejected_file_is_linked_and_the_folder_stays_until_the_end() -> None:
    broken = TaskPlan(Finish.ERROR, (), action="error", files=("b.dcm",), reason="no DICOM")
    made = compose_manifest(
        Series("1.2", {}, ("a.dcm",), "0", (Rejected("b.dcm", "no DICOM"),)),
        Plan((PACS, broken)),
        ("r",),
        NAMES,
        set(),
        NOW,
    )
    assert [(task.taking, task.files) for task in made.tasks] == [
        (Taking.LINK, ("a.dcm", "a.tags")),
        (Taking.LINK, ("b.dcm", "b.tags")),
    ]


def test_the_manifest_of_a_lone_taker_is_its_task_file() -> None:
    made = manifest(PACS)
    assert made.lone is not None
    written = json.loads(json.dumps(made.to_json()))
    assert written["info"]["queue"] == "outgoing"
    assert written["id"] == PACS.task_id("0000")
    read = Manifest.from_json(written)
    assert read.lone is not None
    assert (read.lone.id, read.lone.queue) == (made.lone.id, "outgoing")


@pytest.mark.parametrize(
    "made",
    [
        manifest(PACS, deliveries=(MESSAGE,)),
        manifest(PACS, studies=(STUDY,)),
        manifest(PACS, ARCHIVE),
        manifest(TaskPlan(Finish.ERROR, (), action="error", reason="it failed")),
    ],
)
def test_a_manifest_names_all_that_is_staged_and_nothing_of_what_it_says(made: Manifest) -> None:
    assert made.lone is None
    text = json.dumps(made.to_json())
    assert "https://example" not in text, "what a message says is in the outbox alone"
    read = Manifest.from_json(json.loads(text))
    assert read.lone is None
    assert read.files == made.files
    assert read.studies == made.studies
    assert [each.id for each in read.deliveries] == [each.id for each in made.deliveries]
    assert [(task.id, task.queue, task.taking) for task in read.tasks] == [
        (task.id, task.queue, task.taking) for task in made.tasks
    ]
