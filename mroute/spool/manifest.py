"""The manifest of a commit: a plan spelled out as files, folders and contents, kept with the claim.

Knows which task gets which files and how (the folder itself, links or copies), and is plain JSON,
so that another process can carry it out to the end. Does not carry anything out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from mroute.spool.layout import REASON_FILE, TASK_FILE, tags_name
from mroute.spool.taskfile import compose_task
from mroute.types import (
    Delivery,
    Finish,
    JsonObject,
    Plan,
    Series,
    StudyPlan,
    Subject,
    TaskPlan,
    UidType,
)

_LONGEST = 235
"""Bytes of the longest name that is made of a hidden one."""


class Taking(StrEnum):
    """How a task gets its files: the folder itself, second names, or copies of its own."""

    FOLDER = "folder"
    LINK = "link"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task to be made in ``queue``.

    ``files``, ``content`` (of ``task.json``) and ``reason`` (of ``reason.json``, in ``error/``) are
    what is staged: the JSON of a manifest leaves them out, because by then they are on disk.
    """

    id: str
    queue: str
    taking: Taking
    files: tuple[str, ...] = ()
    content: JsonObject = field(default_factory=dict)
    reason: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """A collecting study to be joined.

    ``task`` is its task file where it is new, ``series`` what its collection says of the series.
    """

    id: str
    study_uid: str
    rule_name: str
    images: tuple[str, ...]
    task: dict[str, Any]
    append: dict[str, Any]
    latest: dict[str, Any]
    series: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeliveryEntry:
    """A notification to be put into the outbox; ``content`` is staged, and left out of the JSON."""

    id: str
    content: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that one commit makes true.

    ``files`` are the names of the claimed files; none are named where the folder as it is has one
    taker, whatever may slip into it.
    """

    files: tuple[str, ...]
    tasks: tuple[TaskEntry, ...]
    studies: tuple[StudyEntry, ...]
    deliveries: tuple[DeliveryEntry, ...]

    @property
    def lone(self) -> TaskEntry | None:
        """The task that is all of the plan, takes the folder as it is and needs no other file.

        Its manifest is its task file: one file less to be written and waited for.
        """
        if len(self.tasks) != 1 or self.studies or self.deliveries or self.files:
            return None
        (task,) = self.tasks
        alone = task.taking is Taking.FOLDER and task.content and task.reason is None
        return task if alone else None

    def to_json(self) -> JsonObject:
        """The manifest as a JSON object."""
        if self.lone:
            return self.lone.content
        return {
            "files": list(self.files),
            "tasks": [[task.id, task.queue, task.taking] for task in self.tasks],
            "studies": [asdict(study) for study in self.studies],
            "deliveries": [delivery.id for delivery in self.deliveries],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """The manifest that `to_json` wrote, without what was staged."""
        if "info" in value:
            lone = TaskEntry(value["id"], value["info"]["queue"], Taking.FOLDER, content=value)
            return cls((), (lone,), (), ())
        return cls(
            tuple(value["files"]),
            tuple(TaskEntry(id_, queue, Taking(how)) for id_, queue, how in value["tasks"]),
            tuple(
                StudyEntry(**{**each, "images": tuple(each["images"])}) for each in value["studies"]
            ),
            tuple(DeliveryEntry(each) for each in value["deliveries"]),
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
    ordinary = not isinstance(subject, Series) or not present & {TASK_FILE, REASON_FILE}
    lone = len(plan.tasks) == 1 and not plan.studies and plan.tasks[0].files is None and ordinary
    if shared and any(task.queue in writing_queues for task in plan.tasks):
        lone = False
    everything = () if lone else _with_tags(subject.images, present)
    tasks = [
        _task_entry(
            subject,
            task,
            triggered,
            () if lone else _files_of(task, everything, present),
            _taking(task, lone, writing_queues),
            now,
        )
        for task in plan.tasks
    ]
    if not lone:
        _spare_links(tasks, present)
    return Manifest(
        () if lone else tuple(sorted(present)),
        tuple(tasks),
        tuple(_study_entry(subject, each, triggered, now) for each in plan.studies),
        tuple(
            DeliveryEntry(delivery.delivery_id(number), delivery_content(delivery, now))
            for number, delivery in enumerate(plan.deliveries)
        ),
    )


def _spare_links(tasks: list[TaskEntry], present: Collection[str]) -> None:
    """Let the last reader of everything have the folder itself, once all others have theirs."""
    if any(kept_name(name) != name for name in present):
        return
    for place, task in reversed(list(enumerate(tasks))):
        if task.taking is Taking.LINK and len(task.files) == len(present):
            tasks[place] = replace(task, taking=Taking.FOLDER, files=())
            return


def delivery_content(delivery: Delivery, now: datetime) -> dict[str, Any]:
    """What a file of the outbox says: the delivery, since when, and that nothing was tried yet.

    Its id is the name of the file.
    """
    fields = {**asdict(delivery), "options": dict(delivery.options)}
    del fields["id"]
    return {**fields, "since": now.isoformat(), "attempts": 0, "not_before": None}


def _taking(task: TaskPlan, lone: bool, writing_queues: Collection[str]) -> Taking:
    if lone:
        return Taking.FOLDER
    return Taking.COPY if task.queue in writing_queues else Taking.LINK


def _files_of(
    task: TaskPlan, everything: tuple[str, ...], present: Collection[str]
) -> tuple[str, ...]:
    """What a task takes; a dead letter without a choice of files takes what is no image too."""
    if task.files is not None:
        return _with_tags(task.files, present)
    return tuple(sorted(present)) if task.queue == Finish.ERROR else everything


def kept_name(name: str) -> str:
    """The name of a file in the folder of a task, where its own is hidden or needed by mroute."""
    if name.startswith("."):
        kept = f"kept{name}"
        fits = len(os.fsencode(kept)) <= _LONGEST
        return kept if fits else f"kept.{hashlib.sha256(os.fsencode(name)).hexdigest()}"
    return f"kept.{name}" if name in (TASK_FILE, REASON_FILE) else name


def _with_tags(images: Collection[str], present: Collection[str]) -> tuple[str, ...]:
    """The images and the tags beside them, as far as they are there."""
    tags = dict.fromkeys(tags_name(name) for name in images)
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
    stage: str, reason: str, rules: Collection[str], now: datetime, queue: str = ""
) -> dict[str, Any]:
    """What ``reason.json`` says of a dead letter: at which stage it failed, why and when.

    ``queue`` is the one that it failed in, and goes back to; empty where it is routed anew.
    """
    return {
        "stage": stage,
        "queue": queue,
        "reason": reason,
        "rules": list(rules),
        "time": now.isoformat(),
    }


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
        {
            "uid": subject.uid,
            "description": subject.tags.get("SeriesDescription", ""),
            "images": len(subject.images),
            "received_at": now.isoformat(),
        },
    )
