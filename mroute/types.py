"""The values that flow from evaluation to commit: series, decisions, plans, notices.

Knows their shape; every one is frozen. Does not know how they are computed (engine, plugins) or
what makes them true on disk (spool).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
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

FOREVER = datetime.max.replace(tzinfo=UTC)
"""Stands for a time that never comes."""


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


class StudyEnd(StrEnum):
    """What became of a study that is not collected any more.

    ``action``: the action of its rule. ``discard``: it was not wanted, or not complete in time.
    ``error``: it went to ``error/``.
    """

    ACTION = "action"
    DISCARD = "discard"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class GoneOn:
    """A study that has gone on, as it is remembered for those that come too late.

    ``claim_id`` is the round of routing that took it, ``task_id`` the first task that it became;
    empty until that is planned. ``at`` is when it was taken, ``because`` and ``forced`` are the
    verdict that it was taken by.
    """

    claim_id: str
    at: datetime
    because: str
    forced: ForcedCompletion | None = None
    task_id: str = ""
    outcome: StudyEnd = StudyEnd.ACTION


@dataclass(frozen=True, slots=True)
class Series:
    """A series taken for routing: its tags and the names of its images.

    ``tags`` are those of the image whose file name sorts first, so that a series is always decided
    by the same image. ``claim_id`` identifies this round of routing; ``trouble`` says what was odd
    about the tags without stopping the routing. ``late`` maps the rules whose study has gone on
    without this series to what is remembered of that.
    """

    uid: str
    tags: Tags
    images: tuple[str, ...]
    claim_id: str
    rejected: tuple[Rejected, ...] = ()
    trouble: tuple[str, ...] = ()
    force_rule: str | None = None
    late: Mapping[str, GoneOn] = field(default_factory=dict)

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

    @property
    def collection(self) -> JsonObject:
        """How it was collected: a series never was."""
        return NOTHING

    @property
    def journal(self) -> Sequence[JsonObject]:
        """What was done to it before it is a task: nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class Study:
    """A collecting study: the series that joined it so far, under one rule.

    ``section`` is the study section of its task file. ``quiet_time`` is the time without arrivals
    after which a study counts as complete where its condition asks for that. ``tags`` are those of
    the first series that joined, ``series`` those of every one, in the order in which they joined,
    each with the tags of the image that decided about it, and ``instance_uids`` has the
    SOPInstanceUID of every image; both are read when they are looked at. ``trouble`` says what was
    odd without stopping anything. ``checks`` maps the name of every installed condition to its
    check, and ``completed_because`` is why the study went on, once it has. ``collection`` and
    ``journal`` are those of its task file.
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
    series: Sequence[Tags] = ()
    instance_uids: Sequence[str] = ()
    trouble: tuple[str, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict, compare=False, repr=False)
    completed_because: str = ""
    collection: JsonObject = field(default_factory=dict)
    journal: Sequence[JsonObject] = ()

    @property
    def uid_type(self) -> UidType:
        """Always `UidType.STUDY`."""
        return UidType.STUDY

    @property
    def instances(self) -> int:
        """How many images came; one that came twice counts once."""
        return len(set(self.instance_uids))

    def asked(self, condition: ConditionBase, now: datetime, pending: Sequence[str]) -> Verdict:
        """What another condition says about this study, be it of any plugin.

        That is how a condition is made of others. Raises `PluginError` where that one fails.
        """
        check = self.checks[condition.complete]
        return check(replace(self, condition=condition), now, pending)

    def forced(self, now: datetime) -> Verdict | None:
        """The verdict that ``after`` and ``else`` of the condition ask for at the time ``now``.

        None while there is time left, where there is no such time, and for ``else: ignore``.
        """
        after, otherwise = self.condition.after, self.condition.otherwise
        if after is None or otherwise is ForcedCompletion.IGNORE or now - self.created_at <= after:
            return None
        because = f"not complete {after} after the first series arrived; then: {otherwise.value}"
        return Verdict(True, because, otherwise)


Check: TypeAlias = "Callable[[Study, datetime, Sequence[str]], Verdict]"
"""The check of a completion condition: the study, the time now, and its series still arriving."""

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
    where that is not plain from its rules: for a discard or a dead letter. ``addition_to`` is the
    id of the task that took the study of a series which comes too late for it.
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
    addition_to: str = ""

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

    ``facts`` say what it is about, and lead to no patient: the keys of `mroute.facts.FACTS`.
    ``patient`` says whom, by the keys of `mroute.facts.PATIENT`: a channel must not use that unless
    its settings allow it.
    """

    event: NoticeEvent
    rule_name: str
    rule: RuleBase
    task_id: str
    details: str = ""
    facts: JsonObject = field(default_factory=dict)
    patient: JsonObject = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for one channel, as it waits in the outbox.

    ``options`` is what the channel needs to deliver it, ``body`` what it says. Where delivering
    fails, all that have the same ``destination`` wait, and nothing else does; the channel stands
    for it where it is empty. ``id`` is set by mroute, and the same in every attempt.
    """

    channel: str
    rule_name: str
    event: NoticeEvent
    task_id: str
    options: JsonObject
    body: str
    destination: str = ""
    id: str = field(default="", compare=False)

    def delivery_id(self, number: int, since: str = "") -> str:
        """Id derived from the task, the event and the position among the deliveries of both.

        ``since`` tells apart what is announced anew: it is when the task left ``error/``.
        """
        again = (since,) if since else ()
        parts = (self.task_id, self.channel, self.rule_name, self.event, str(number), *again)
        return _derived_id(*parts)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be made true for one subject; making it true is the spool's."""

    tasks: tuple[TaskPlan, ...] = ()
    studies: tuple[StudyPlan, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a study is complete, and because of what.

    ``forced`` is set when the study was forced, to what should happen to it now. The answer stays
    the same until ``valid_until``, unless something of the study arrives, or begins or ends to
    arrive: it is not asked for before. `FOREVER` says that time alone never changes it, None that
    it may change at any time.
    """

    complete: bool
    because: str
    forced: ForcedCompletion | None = None
    valid_until: datetime | None = None
