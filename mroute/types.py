"""The values that flow from evaluation to commit: series, decisions, plans, notices.

Knows their shape; every one is frozen. Does not know how they are computed (engine, plugins) or
what makes them true on disk (spool).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from pydantic import JsonValue

from mroute.expr import Outcome
from mroute.models import ConditionBase, ForcedCompletion, NoticeEvent, Priority, RuleBase

Tags: TypeAlias = Mapping[str, str]
"""Keyword of a DICOM attribute (or a fact of mroute's own, such as ``SenderAET``) to its text."""

JsonObject: TypeAlias = Mapping[str, JsonValue]
"""An object that can be written as JSON."""

_IDS = uuid.UUID("5e0b3b0e-6f0c-4b7c-9d2b-0d9a3a5b1c77")
"""The name space of the ids that mroute derives."""


def _derived_id(*parts: str) -> str:
    """The same id for the same parts, whatever texts they are."""
    return str(uuid.uuid5(_IDS, "\0".join(parts).encode("unicode_escape").decode("ascii")))


Clock: TypeAlias = Callable[[], datetime]
"""Returns the time now, aware, in UTC."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done ("building the index"), how many rules are done, of how many."""

NOTHING: JsonObject = MappingProxyType({})
"""An empty object that nobody can write into."""


class UidType(StrEnum):
    """What a task holds.

    ``series``: the images of one series. ``study``: those of all its series that joined.
    """

    SERIES = "series"
    STUDY = "study"


class Finish(StrEnum):
    """The spool folders in which a task ends."""

    SUCCESS = "success"
    DISCARD = "discard"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file of a series that cannot be routed, by its name, and why.

    ``beside`` are files about it, such as what its receiver says of it: they go where it goes.
    """

    name: str
    reason: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """A series taken for routing: its tags and the names of its images.

    ``tags`` are those of the image whose file name sorts first, so that a series is always decided
    by the same image. ``claim_id`` identifies this round of routing; ``trouble`` says what was odd
    about the tags without stopping the routing.
    """

    uid: str
    tags: Tags
    images: tuple[str, ...]
    claim_id: str
    rejected: tuple[Rejected, ...] = ()
    trouble: tuple[str, ...] = ()
    force_rule: str | None = None

    @property
    def uid_type(self) -> UidType:
        """Always `UidType.SERIES`."""
        return UidType.SERIES

    @property
    def study_uid(self) -> str:
        """StudyInstanceUID, or an empty text where the tag is missing."""
        return self.tags.get("StudyInstanceUID", "")

    @property
    def section(self) -> JsonObject:
        """The study section of a task: always empty for a series."""
        return NOTHING


@dataclass(frozen=True, slots=True)
class Study:
    """A collecting study: the series that joined it so far, under one rule.

    ``section`` is the study section of its task file. ``quiet_time`` is the time without arrivals
    after which a study counts as complete where its condition asks for that. ``tags`` are those of
    the first series that joined.
    """

    uid: str
    rule_name: str
    tags: Tags
    images: tuple[str, ...]
    claim_id: str
    section: JsonObject
    condition: ConditionBase
    descriptions: tuple[str, ...]
    created_at: datetime
    last_received_at: datetime
    quiet_time: timedelta

    @property
    def uid_type(self) -> UidType:
        """Always `UidType.STUDY`."""
        return UidType.STUDY

    def forced(self, now: datetime) -> Verdict | None:
        """The verdict that ``after`` and ``else`` of the condition ask for at the time ``now``.

        None while there is time left, where there is no such time, and for ``else: ignore``.
        """
        after, otherwise = self.condition.after, self.condition.otherwise
        if after is None or otherwise is ForcedCompletion.IGNORE or now - self.created_at <= after:
            return None
        because = f"not complete {after} after the first series arrived; then: {otherwise.value}"
        return Verdict(True, because, otherwise)


Subject: TypeAlias = Series | Study
"""What a plan is made for."""


@dataclass(frozen=True, slots=True)
class TriggeredRule:
    """A rule that was true for a subject; the reason is in the outcomes of the decision."""

    name: str
    rule: RuleBase


_NAMED = 10
"""Rules that a reason names."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say about a series (blueprint section 6).

    Args:
        triggered: the names of the rules that apply, in the order of the file.
        outcomes: the outcome of every rule that was considered, by name; each is found out when it
            is asked for, so that explaining costs nothing when nobody asks.
        discarded_by: the rule that discards the series.
        fallback: whether the rules that apply are fallback rules.
        definitions: the rules as configured, by name; at least those that apply.
        unknown: gives the names of the considered rules that are unknown.
    """

    triggered: tuple[str, ...]
    outcomes: Mapping[str, Outcome]
    discarded_by: str | None = None
    fallback: bool = False
    definitions: Mapping[str, RuleBase] = field(default_factory=dict, repr=False)
    unknown: Callable[[], Sequence[str]] = field(default=tuple, compare=False, repr=False)

    @property
    def rules(self) -> tuple[TriggeredRule, ...]:
        """The rules that apply, in the order of the file."""
        return tuple(TriggeredRule(name, self.definitions[name]) for name in self.triggered)

    @property
    def discarded(self) -> bool:
        """Whether the series is discarded: by a rule, or because no rule triggered."""
        return self.discarded_by is not None or not self.triggered

    @property
    def reason(self) -> str:
        """Why the series is discarded, in one sentence; empty when it is not."""
        if self.discarded_by is not None:
            return f"discarded by rule '{self.discarded_by}'"
        if self.triggered:
            return ""
        unknown = self.unknown()
        if not unknown:
            return "no rule triggered"
        names = ", ".join(f"'{name}'" for name in unknown[:_NAMED])
        if len(unknown) > _NAMED:
            names += f" and {len(unknown) - _NAMED:,} more"
        return f"no rule triggered; unknown for lack of a tag or a value that can be read: {names}"


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """One task to be made: the images of the subject in the folder of ``queue``.

    ``queue`` is the name of a contributed queue or one of `Finish`. ``rules`` are the triggered
    rules that this task claims. ``sections`` go into ``task.json`` by their names. ``key`` tells
    apart two tasks of the same rules in the same queue (a target, say). ``files`` limits the task
    to some files of the source; all of them where it is None. ``reason`` says why the task is made
    where that is not plain from its rules: for a discard or a dead letter.
    """

    queue: str
    rules: tuple[str, ...]
    action: str
    applied_rule: str = ""
    key: str = ""
    sections: JsonObject = field(default_factory=dict)
    priority: Priority = Priority.NORMAL
    files: tuple[str, ...] | None = None
    reason: str = ""

    def task_id(self, claim_id: str) -> str:
        """Id of the task, derived from the claim, so that planning again gives the same one."""
        return _derived_id(claim_id, self.queue, self.key, *self.rules)


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """A series joins the collecting study of one rule.

    The study section starts as ``create``; then, and for every later series, the values of
    ``append`` are appended to the lists of their names and those of ``latest`` replace what was
    there. ``rule`` is the rule as it is now: the study finishes under it even if the rule is
    edited meanwhile.
    """

    study_uid: str
    rule_name: str
    rule: JsonObject
    create: JsonObject
    append: JsonObject
    latest: JsonObject


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a rule may have asked to be told about.

    ``facts`` are free of patient data unless the settings allow it.
    """

    event: NoticeEvent
    rule_name: str
    rule: RuleBase
    task_id: str
    details: str = ""
    facts: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for one channel, as it waits in the outbox.

    ``options`` is what the channel needs to deliver it, ``body`` what it says.
    """

    channel: str
    rule_name: str
    event: NoticeEvent
    task_id: str
    options: JsonObject
    body: str

    def delivery_id(self, number: int) -> str:
        """Id derived from the task, the event and the position among the deliveries of both."""
        return _derived_id(self.task_id, self.channel, self.rule_name, self.event, str(number))


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be made true for one subject; making it true is the spool's."""

    tasks: tuple[TaskPlan, ...] = ()
    studies: tuple[StudyPlan, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a study is complete, and because of what.

    ``forced`` is set when the study was forced, to what should happen to it now.
    """

    complete: bool
    because: str
    forced: ForcedCompletion | None = None


_ABOUT_TASKS = frozenset({"task.json", "reason.json"})
"""Files in the folder of a task that are about it, and not of it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A committed task, leased by a worker: its folder and what its ``task.json`` says."""

    id: str
    folder: Path
    content: JsonObject = field(repr=False)

    def files(self) -> tuple[Path, ...]:
        """The files of the task in the order of their names: images and their tags."""
        return tuple(
            path
            for path in sorted(self.folder.iterdir())
            if path.is_file() and path.name not in _ABOUT_TASKS and not path.name.startswith(".")
        )

    def images(self) -> tuple[Path, ...]:
        """The images of the task, without the tags beside them."""
        return tuple(path for path in self.files() if path.suffix != ".tags")


@dataclass(frozen=True, slots=True)
class Done:
    """The work is done: the task goes to ``success/``."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """The work could not be done now: it is tried again later, then given up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The work cannot be done: the task goes to ``error/`` with the reason."""

    reason: str
    stage: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The work is done and the task goes on to another queue."""

    queue: str
    detail: str = ""


Settlement: TypeAlias = Done | Retry | Failed | HandOver
"""How a worker leaves a task."""
