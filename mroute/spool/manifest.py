"""The manifest of a commit: a plan spelled out as files, folders and contents, kept with the claim.

Knows which task gets which files and how (the folder itself, links or copies), and is plain JSON,
so that another process can carry it out to the end. Does not carry anything out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from mroute.spool.layout import REASON_FILE, TASK_FILE, tags_file
from mroute.spool.taskfile import compose_task
from mroute.types import Delivery, Finish, Plan, Series, StudyPlan, Subject, TaskPlan, UidType

MANIFEST_FILE = "manifest.json"


class Taking(StrEnum):
    """How a task gets its files: the folder itself, second names, or copies of its own."""

    FOLDER = "folder"
    LINK = "link"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task to be made in ``queue``; ``reason`` is what ``reason.json`` says in ``error/``."""

    id: str
    queue: str
    taking: Taking
    files: tuple[str, ...]
    content: dict[str, Any]
    reason: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """A collecting study to be joined; ``task`` is its task file where it is new."""

    id: str
    study_uid: str
    rule_name: str
    images: tuple[str, ...]
    task: dict[str, Any]
    append: dict[str, Any]
    latest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeliveryEntry:
    """A notification to be put into the outbox."""

    id: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that one commit makes true. ``files`` are the names of the claimed files."""

    files: tuple[str, ...]
    tasks: tuple[TaskEntry, ...]
    studies: tuple[StudyEntry, ...]
    deliveries: tuple[DeliveryEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """The manifest as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """The manifest that `to_json` wrote."""
        return cls(
            tuple(value["files"]),
            tuple(
                TaskEntry(**{**each, "taking": Taking(each["taking"])}) for each in value["tasks"]
            ),
            tuple(StudyEntry(**each) for each in value["studies"]),
            tuple(DeliveryEntry(**each) for each in value["deliveries"]),
        )


def compose_manifest(
    subject: Subject,
    plan: Plan,
    triggered: tuple[str, ...],
    names: Collection[str],
    writing_queues: Collection[str],
    now: datetime,
    shared: bool = False,
) -> Manifest:
    """Spell out ``plan``.

    ``names`` are the files in the claimed folder, ``writing_queues`` the queues whose workers may
    write into images. A plan with one task for everything moves the folder as it is, unless a file
    in it has a name that mroute needs, or is ``shared`` with another task and may be written into.
    """
    present = frozenset(names)
    lone = len(plan.tasks) == 1 and not plan.studies and plan.tasks[0].files is None
    if isinstance(subject, Series) and present & {TASK_FILE, REASON_FILE}:
        lone = False
    if shared and any(task.queue in writing_queues for task in plan.tasks):
        lone = False
    return Manifest(
        () if lone else tuple(sorted(present)),
        tuple(
            _task_entry(
                subject,
                task,
                triggered,
                () if lone else _files_of(task, subject, present),
                _taking(task, lone, writing_queues),
                now,
            )
            for task in plan.tasks
        ),
        tuple(_study_entry(subject, each, triggered, now) for each in plan.studies),
        tuple(
            DeliveryEntry(delivery.delivery_id(number), delivery_content(delivery))
            for number, delivery in enumerate(plan.deliveries)
        ),
    )


def delivery_content(delivery: Delivery) -> dict[str, Any]:
    """What a file of the outbox says: the delivery, and that nothing was tried yet."""
    fields = {**asdict(delivery), "options": dict(delivery.options)}
    return {**fields, "attempts": 0, "not_before": None}


def _taking(task: TaskPlan, lone: bool, writing_queues: Collection[str]) -> Taking:
    if lone:
        return Taking.FOLDER
    return Taking.COPY if task.queue in writing_queues else Taking.LINK


def _files_of(task: TaskPlan, subject: Subject, present: Collection[str]) -> tuple[str, ...]:
    """What a task takes; a dead letter without a choice of files takes everything."""
    if task.files is None and task.queue == Finish.ERROR:
        return tuple(sorted(present))
    return _with_tags(subject.images if task.files is None else task.files, present)


def kept_name(name: str) -> str:
    """The name of a file in the folder of a task, where its own is hidden or needed by mroute."""
    if name.startswith("."):
        return f"kept{name}"
    return f"kept.{name}" if name in (TASK_FILE, REASON_FILE) else name


def _with_tags(images: Collection[str], present: Collection[str]) -> tuple[str, ...]:
    """The images and the tags beside them, as far as they are there."""
    tags = dict.fromkeys(tags_file(Path(name)).name for name in images)
    return (*images, *(name for name in tags if name in present and name not in images))


def _task_entry(
    subject: Subject,
    task: TaskPlan,
    triggered: tuple[str, ...],
    files: tuple[str, ...],
    taking: Taking,
    now: datetime,
) -> TaskEntry:
    task_id = task.task_id(subject.claim_id)
    content = compose_task(task_id, subject, task, triggered, now)
    reason = None
    if task.queue == Finish.ERROR:
        reason = reason_content("routing", task.reason, task.rules, now)
    return TaskEntry(task_id, task.queue, taking, files, content, reason)


def reason_content(
    stage: str, reason: str, rules: Collection[str], now: datetime
) -> dict[str, Any]:
    """What ``reason.json`` says of a dead letter: at which stage it failed, why and when."""
    return {"stage": stage, "reason": reason, "rules": list(rules), "time": now.isoformat()}


def _study_entry(
    subject: Subject,
    plan: StudyPlan,
    triggered: tuple[str, ...],
    now: datetime,
) -> StudyEntry:
    task = TaskPlan(
        queue="studies",
        rules=(plan.rule_name,),
        action=str(plan.rule["action"]),
        applied_rule=plan.rule_name,
        key=plan.study_uid,
        sections={"study": dict(plan.create)},
    )
    entry_id = task.task_id(subject.claim_id)
    content = compose_task(entry_id, subject, task, triggered, now)
    content["info"] |= {"uid": plan.study_uid, "uid_type": UidType.STUDY.value}
    content["collection"] = {
        "rule_name": plan.rule_name,
        "rule": dict(plan.rule),
        "joined": [],
    }
    return StudyEntry(
        entry_id,
        plan.study_uid,
        plan.rule_name,
        subject.images,
        content,
        dict(plan.append),
        dict(plan.latest),
    )
