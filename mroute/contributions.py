"""What a plugin contributes: one descriptor for each kind of thing that can be added.

Knows the fields of the descriptors and the contexts that their functions are called with.
Does not know who collects them (registry) or calls them (engine, worker, service).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from mroute.events import Event
from mroute.expr import RuleFunction
from mroute.models import (
    ChannelBase,
    ConditionBase,
    Durability,
    ModuleBase,
    RuleBase,
    TargetBase,
)
from mroute.settlement import Settlement, Task
from mroute.types import (
    Clock,
    Delivery,
    Finish,
    JsonObject,
    Study,
    Subject,
    Tags,
    TriggeredRule,
    Verdict,
)

__all__ = [
    "ActionType",
    "ChannelType",
    "ConditionType",
    "FinishedTask",
    "HealthCheck",
    "HealthContext",
    "Phase",
    "PlanContext",
    "QueueType",
    "RuleFunction",
    "RunnerType",
    "ServiceContext",
    "ServiceType",
    "Shipment",
    "TagReader",
    "TargetType",
    "WaitingItem",
    "WorkContext",
]


class Phase(StrEnum):
    """Which planning hook has to claim the triggered rules of an action.

    ``DISCARD`` and ``NOTIFICATION`` need no hook: the core plans the folder in which the images
    end, and the notification hook turns the notices into deliveries.
    """

    DISPATCH = "dispatch"
    PROCESSING = "processing"
    NOTIFICATION = "notification"
    DISCARD = "discard"


class Sections(Protocol):
    """Composes the sections of ``task.json`` that a queue needs."""

    def __call__(
        self, subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
    ) -> JsonObject: ...


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What planning may look at; everything in it is frozen.

    ``targets`` and ``modules`` map the names of the rule file to their models, ``settings`` the
    name of a plugin to its section. ``now`` is aware, in UTC.
    """

    now: datetime
    targets: Mapping[str, TargetBase]
    modules: Mapping[str, ModuleBase]
    settings: Mapping[str, BaseModel]
    queues: Mapping[str, QueueType]
    log_phi: bool = False

    def sections_for(
        self, queue: str, subject: Subject, rules: Sequence[TriggeredRule]
    ) -> JsonObject:
        """The sections that a task needs when it is handed over to ``queue`` later.

        Raises `KeyError` for a queue that nobody contributes.
        """
        compose = self.queues[queue].compose
        return compose(subject, rules, self) if compose else {}


@dataclass(frozen=True, slots=True)
class WorkContext:
    """What the work of a queue may use while it holds the lease of a task.

    ``save`` writes a section of ``task.json`` at once, atomically: a worker records there what it
    has done, so that work begun again continues. ``note`` adds to the task's journal: action and
    outcome. ``clock`` returns aware UTC times. ``stop`` is set when mroute ends: what takes long
    should end soon.

    ``tags(image)`` is the tag list of an image of the task: what lies beside it, or what a plugin
    reads from it. It raises `TagsError` where there is neither.

    ``takes(name)`` names the target that is to be sent to for a target now: itself, or its
    alternate while it stays down; None where it must wait. ``served(name, down)`` says how a target
    took it: ``down`` is why nothing can be sent to it at all, or empty. ``tell(event)`` tells
    observers of what happened.
    """

    clock: Clock
    targets: Mapping[str, TargetBase]
    modules: Mapping[str, ModuleBase]
    settings: Mapping[str, BaseModel]
    target_types: Mapping[str, TargetType]
    runners: Mapping[str, RunnerType]
    save: Callable[[str, Any], None]
    note: Callable[[str, str], None]
    stop: threading.Event = field(default_factory=threading.Event)
    tags: Callable[[Path], Tags] = field(default=lambda image: {})
    takes: Callable[[str], str | None] = field(default=lambda name: name)
    served: Callable[[str, str], None] = field(default=lambda name, down: None)
    tell: Callable[[Event], None] = field(default=lambda event: None)


@dataclass(frozen=True, slots=True)
class Shipment:
    """What a target is to get now: the images of a task that it has not confirmed yet.

    ``stored(image, status, warning)`` says that the target has an image; ``status`` is as the
    protocol has it (``0000``, ``B007``), ``warning`` what the target said of it, or empty.
    ``refused(image, status, reason)`` says that it did not take one. Both are called as soon as
    that is known: what was not told of is sent again.
    """

    task: Task
    target_name: str
    images: tuple[Path, ...]
    stored: Callable[[Path, str, str], None] = field(default=lambda image, status, warning: None)
    refused: Callable[[Path, str, str], None] = field(default=lambda image, status, reason: None)


@dataclass(frozen=True, slots=True)
class FinishedTask:
    """A task that is done or discarded: in ``queue``, since ``at``, which is aware, in UTC."""

    id: str
    queue: Finish
    at: datetime
    path: Path


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """Something that waits in the folder ``queue`` of the spool.

    ``state`` is one of those of ``mroute spool ls``: a task is ``waiting``, even where a worker has
    it, ``retry`` or ``halted``, a study ``collecting``, a series ``arriving``, a dead letter
    ``dead``. ``since`` is when a task or a study was made, and anything else changed last, aware,
    in UTC. ``targets`` are those that a task is still to be sent to, as its ``task.json`` says: the
    rule file need not have them any more.
    """

    queue: str
    state: str
    since: datetime
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What a service may use: a way to hand images to the router, and the signal to stop.

    ``receive(path, facts)`` moves a DICOM file into ``incoming/`` with its ``.tags``, to which
    ``facts`` (``SenderAET``, say) are added; it raises `TagsError` for a file that is no DICOM
    file. ``stop`` is set when the service must return. ``notice(where, detail)`` tells observers
    of something that an administrator should look at, as `TroubleNoticed`.

    ``receive`` can be pickled, for a service with processes of its own. ``workspace`` is a folder
    on the file system of ``incoming/``, shared by all services of all routers: an image that is
    written there is renamed when it is received, and not copied. ``durability`` is what an image
    must survive before its sender is told that it is safe.

    ``finished()`` are the tasks that are done or discarded, the oldest first, and
    ``remove(task, because)`` deletes one of them for good, which observers are told; both raise
    `OSError`. Nothing else can be deleted.

    ``waiting()`` is what waits in the spool now, and raises `OSError` where that cannot be looked
    at; a look at 10,000 tasks takes a tenth of a second. ``targets()`` maps every target of the
    rule file to the time since when it is down, or None. ``failures`` counts for each plugin how
    often it has raised while it observed an event or made a notification.
    """

    clock: Clock
    settings: Mapping[str, BaseModel]
    receive: Callable[[Path, Tags], Path]
    stop: threading.Event
    workspace: Path
    durability: Durability = Durability.POWER
    notice: Callable[[str, str], None] = field(default=lambda where, detail: None)
    finished: Callable[[], Sequence[FinishedTask]] = field(default=lambda: ())
    remove: Callable[[FinishedTask, str], None] = field(default=lambda task, because: None)
    waiting: Callable[[], Sequence[WaitingItem]] = field(default=lambda: ())
    targets: Callable[[], Mapping[str, datetime | None]] = field(default=dict)
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthContext:
    """What a health check may look at, and must leave as it is.

    ``targets`` maps the names of the rule file to their models, ``settings`` the name of a plugin
    to its section. ``spool`` is the folder of the spool, which may not be there yet; ``runs`` are
    the processes of this machine that are a `mroute run` on it.
    """

    settings: Mapping[str, BaseModel]
    targets: Mapping[str, TargetBase]
    spool: Path
    durability: Durability = Durability.POWER
    runs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionType:
    """An action of a rule: ``model`` narrows ``action`` to the literal ``name``."""

    name: str
    phase: Phase
    model: type[RuleBase]


@dataclass(frozen=True, slots=True)
class TargetType:
    """A type of target.

    ``send(shipment, target, context)`` delivers images to one target; it must be safe to repeat,
    and is called for several tasks at once. Where it returns and told of no image, all were stored.
    It raises `DeliveryError` when trying again later may help, and `TargetDownError` where nothing
    can be sent to the target at all; any other error is final. ``check(name, target, files)``
    returns a sentence for each thing that is wrong; ``files`` are images that the target is to
    take.
    """

    name: str
    model: type[TargetBase]
    send: Callable[[Shipment, Any, WorkContext], None]
    check: Callable[[str, Any, Sequence[Path]], Sequence[str]] = field(
        default=lambda name, target, files: ()
    )


@dataclass(frozen=True, slots=True)
class ChannelType:
    """A channel of notifications.

    ``deliver(delivery, settings)`` sends one message; it raises `DeliveryError` when trying again
    later may help. ``settings`` maps the name of a plugin to its section. It is called for several
    destinations at once. ``lacks(settings)`` returns a sentence for each setting that is missing
    before anything can be sent, so that a rule file with such a channel is refused.
    """

    name: str
    model: type[ChannelBase]
    deliver: Callable[[Delivery, Mapping[str, BaseModel]], None]
    lacks: Callable[[Mapping[str, BaseModel]], Sequence[str]] = field(default=lambda settings: ())


@dataclass(frozen=True, slots=True)
class ConditionType:
    """A completion condition of studies.

    ``check(study, now, pending)`` is pure; ``pending`` are the SeriesInstanceUIDs of the study
    that are still arriving. What ``after`` and ``else`` ask for is the core's.
    """

    name: str
    model: type[ConditionBase]
    check: Callable[[Study, datetime, Sequence[str]], Verdict]


@dataclass(frozen=True, slots=True)
class RunnerType:
    """A way to run a processing module.

    ``run(module, inbox, outbox, settings)`` runs it once on the files of folder ``inbox``; what it
    makes is in folder ``outbox`` when it returns. It raises any error when the module failed; the
    error's text is kept with the task.
    """

    name: str
    model: type[ModuleBase]
    run: Callable[[Any, Path, Path, JsonObject], None]


@dataclass(frozen=True, slots=True)
class QueueType:
    """A queue: a folder of the spool with the work that is done on its tasks.

    ``section`` is the section of ``task.json`` that belongs to the queue and ``model`` describes
    it. ``compose`` makes that section for a task that comes from another queue. A queue that
    ``writes`` into images gets copies of its own.

    ``concurrency`` is how many tasks are worked on at once. ``pending(content)`` names the targets
    that the task is still to be sent to, from what its ``task.json`` says: a task all of whose
    targets must wait is left alone.
    """

    name: str
    work: Callable[[Task, WorkContext], Settlement]
    section: str
    model: type[BaseModel] | None = None
    compose: Sections | None = None
    writes: bool = False
    concurrency: int = 1
    pending: Callable[[JsonObject], Sequence[str]] = field(default=lambda content: ())


@dataclass(frozen=True, slots=True)
class ServiceType:
    """Something that runs beside the router, in a thread of its own, until it is stopped.

    ``enabled(settings)`` says whether the configuration asks for it; ``settings`` maps the name of
    a plugin to its section.
    """

    name: str
    run: Callable[[ServiceContext], None]
    enabled: Callable[[Mapping[str, BaseModel]], bool] = field(default=lambda settings: True)


@dataclass(frozen=True, slots=True)
class TagReader:
    """Makes the tag list of an image file.

    ``read(path)`` maps keyword to text; it raises `TagsError` for a file that it cannot read.
    """

    name: str
    read: Callable[[Path], Tags]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Something of an installation that `mroute doctor` looks at.

    ``check(context)`` gives a sentence for each thing that is wrong: what, and behind a semicolon
    what to do. It changes nothing, and runs beside other checks, in a thread of its own.
    """

    name: str
    check: Callable[[HealthContext], Iterable[str]]
