"""What the core tells observers: one frozen value for each thing that happened.

Knows the facts of each event. Does not know who listens. Fields that identify a patient are named
in `PHI_FIELDS`, so that a log can leave them out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

PHI_FIELDS = frozenset({"uid", "study_uid", "instance_uid", "clause"})
"""Fields of events that can lead to a patient: left out of logs unless the settings allow them."""


@cache
def snake_case(kind: str) -> str:
    """The name of a class as a word of a log: ``HandOver`` is ``hand_over``."""
    return "".join("_" + c.lower() if c.isupper() else c for c in kind).lstrip("_")


def seconds_since(started: float) -> float:
    """The seconds since ``time.perf_counter()`` said ``started``, as events give them."""
    return round(time.perf_counter() - started, 6)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at the time when observers are told."""

    @property
    def name(self) -> str:
        """The kind of event, in snake case: ``series_decided``."""
        return snake_case(type(self).__name__)

    def facts(self) -> dict[str, Any]:
        """The fields of the event by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class SeriesReceived(Event):
    """A complete series was claimed for routing.

    ``rejected`` is the number of files beside its ``images`` that are none, and go to ``error/``.
    Reading the tags has taken ``seconds``.
    """

    claim_id: str
    uid: str
    images: int
    rejected: int
    seconds: float


@dataclass(frozen=True, slots=True)
class InstanceConflicted(Event):
    """Images of a series have one SOPInstanceUID and different content: all of them are kept."""

    claim_id: str
    uid: str
    instance_uid: str


@dataclass(frozen=True, slots=True)
class SeriesDecided(Event):
    """The rules were evaluated for a series, which has taken ``seconds``."""

    claim_id: str
    uid: str
    triggered: tuple[str, ...]
    discarded_by: str | None
    fallback: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class SubjectPlanned(Event):
    """A plan was made: the queues of its tasks, and how many studies and deliveries it has.

    It is for so many ``images``, and was made ``seconds`` after they were claimed.
    """

    claim_id: str
    uid: str
    queues: tuple[str, ...]
    studies: int
    deliveries: int
    images: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SubjectCommitted(Event):
    """A plan is true on disk and its source is released.

    ``kind`` says of what: a ``series``, a ``study``, or ``files`` of no series. ``tasks`` are the
    folders of its tasks as they were made, relative to the spool; ``studies`` is the number of
    collecting studies that were joined, ``deliveries`` that of notifications in the outbox. It has
    so many ``images``, 0 where an attempt before this one has planned it. All of it, from the claim
    on, has taken ``seconds``.
    """

    claim_id: str
    uid: str
    kind: str
    tasks: tuple[str, ...]
    studies: int
    deliveries: int
    images: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SeriesDiscarded(Event):
    """A series of so many ``images`` goes to ``discard/``."""

    claim_id: str
    uid: str
    rule: str | None
    because: str
    images: int


@dataclass(frozen=True, slots=True)
class SubjectRejected(Event):
    """Something goes to ``error/`` before it became a task: a series, a study or some ``files``."""

    claim_id: str
    uid: str
    because: str
    files: int


@dataclass(frozen=True, slots=True)
class ArrivalIgnored(Event):
    """Something in ``incoming/`` is no series folder: it stays there until somebody looks at it."""

    where: str
    because: str


@dataclass(frozen=True, slots=True)
class Started(Event):
    """mroute works on a spool now, with so many rules."""

    spool: str
    rules: int


@dataclass(frozen=True, slots=True)
class Stopping(Event):
    """mroute was asked to stop: every part finishes what it has in hand."""


@dataclass(frozen=True, slots=True)
class SeriesDeferred(Event):
    """A series could not be routed now; it is kept and tried again."""

    claim_id: str
    uid: str
    because: str


@dataclass(frozen=True, slots=True)
class StudyJoined(Event):
    """A series of so many ``images`` joined a collecting study, as its ``number``-th.

    The first one began the study. 0 where a run that died has joined it.
    """

    claim_id: str
    study_uid: str
    rule: str
    number: int
    images: int


@dataclass(frozen=True, slots=True)
class LatecomerArrived(Event):
    """A series came after the study of its ``rule`` had gone on, as the task ``first_task``.

    ``treatment`` is what becomes of it for that rule: ``new``, ``follow`` or ``hold``.
    """

    claim_id: str
    uid: str
    study_uid: str
    rule: str
    treatment: str
    first_task: str


@dataclass(frozen=True, slots=True)
class StudyCompleted(Event):
    """A study of so many ``series`` and ``images`` is complete, or was forced, and goes on.

    ``condition`` is the completion condition of its rule, ``clause`` says what of that completed
    it, and may quote what is in the tags. ``forced`` is to what it was forced when its time was
    over: ``proceed``, ``discard`` or ``error``. ``acted_on`` says whether the action of the rule
    happens, which it does not where ``study.when`` is not true. It goes on under its rule as that
    was when the first series joined; ``rule_now`` is ``same``, ``changed`` or ``removed``.
    """

    claim_id: str
    study_uid: str
    rule: str
    condition: str
    clause: str
    forced: str | None
    series: int
    images: int
    acted_on: bool
    rule_now: str


@dataclass(frozen=True, slots=True)
class TaskSettled(Event):
    """A worker left a task: ``settlement`` is ``done``, ``retry``, ``failed`` or ``hand_over``."""

    task_id: str
    queue: str
    settlement: str
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskRemoved(Event):
    """A task that was done or discarded was deleted for good, with all of its images."""

    task_id: str
    queue: str
    because: str


@dataclass(frozen=True, slots=True)
class TargetServed(Event):
    """An attempt to send a task of a ``queue`` to a target has ended, after ``seconds``.

    ``settlement`` is what it came to: ``done``, ``retry`` or ``failed``. The target has got so many
    ``images`` by it, of ``size`` bytes together.
    """

    task_id: str
    queue: str
    target: str
    settlement: str
    images: int
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TargetChanged(Event):
    """A target went ``down``: nothing can be sent to it, and its tasks wait. Or it is up again.

    ``because`` is why it is down, or how long it was.
    """

    target: str
    down: bool
    because: str


@dataclass(frozen=True, slots=True)
class DeliverySettled(Event):
    """A notification was delivered (``done``), will be tried again (``retry``) or given up.

    That is ``failed``. Trying has taken ``seconds``.
    """

    delivery_id: str
    channel: str
    rule: str
    settlement: str
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ConfigurationLoading(Event):
    """The rule file takes longer than a second to load.

    ``step`` is done for so many of its rules (``done``), of so many (``total``); the steps are
    ``checking the conditions`` and ``building the index``.
    """

    file: str
    step: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ConfigurationChanged(Event):
    """The rule file was edited: ``accepted`` is false where the last good one stays in force."""

    file: str
    accepted: bool
    detail: str


@dataclass(frozen=True, slots=True)
class TroubleNoticed(Event):
    """Something an administrator should look at, which stops nothing."""

    where: str
    detail: str
