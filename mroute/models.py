"""Base models of the configuration: what every rule, target, channel, condition and module has.

Knows the fields that the core itself reads and the markers that say what a text refers to.
Does not know any action or type: plugins subclass these, and `mroute.config` composes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    ValidationInfo,
)

from mroute.expr import Language
from mroute.times import Duration


class Trigger(StrEnum):
    """What a rule's action is carried out on.

    ``series``: each series, as soon as it is complete. ``study``: all series of a study for which
    the rule triggered, together, when ``study`` says that it is complete.
    """

    SERIES = "series"
    STUDY = "study"


class Priority(StrEnum):
    """Order of the tasks in a queue, where several are due.

    ``urgent``: two of these for each normal one, so that neither starves. ``normal``: in between.
    ``offpeak``: when nothing else is due, in the hours of ``timing.offpeak``. The older of each
    kind comes first.
    """

    URGENT = "urgent"
    NORMAL = "normal"
    OFFPEAK = "offpeak"


class NoticeEvent(StrEnum):
    """What a notification announces.

    ``received``: the rule triggered for a series or study. ``completed``: what it asked for is
    done. ``error``: that failed for good, and the images are in ``error/``.
    """

    RECEIVED = "received"
    COMPLETED = "completed"
    ERROR = "error"


class ForcedCompletion(StrEnum):
    """What happens to a study that is not complete when its ``after`` has passed.

    ``discard``: its images go to ``discard/``. ``proceed``: the action is carried out on the series
    that came. ``ignore``: nothing, it waits until it is complete. ``error``: its images go to
    ``error/``.
    """

    DISCARD = "discard"
    PROCEED = "proceed"
    IGNORE = "ignore"
    ERROR = "error"


class Latecomers(StrEnum):
    """What happens to a series that arrives after its study went on.

    ``new``: it begins another study. ``follow``: it is sent on alone, as an addition to the task
    that the study became. ``hold``: it goes to ``error/``, for a person to decide.
    """

    NEW = "new"
    FOLLOW = "follow"
    HOLD = "hold"


class Durability(StrEnum):
    """What a committed image survives.

    ``power``: a loss of power, because every step waits for the disk. ``process``: the end of the
    process, however it ends; that is faster.
    """

    POWER = "power"
    PROCESS = "process"


def _beside_file(path: Path, info: ValidationInfo) -> Path:
    """Resolve a relative path against the folder of the rule file."""
    base = (info.context or {}).get("base")
    return path if base is None else Path(base) / path


def _not_empty(path: object) -> object:
    if path == "":
        raise ValueError("expected a path, not an empty text")
    return path


FilePath = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_beside_file)]
"""A path; a relative one is relative to the rule file (``base`` in the validation context)."""


@dataclass(frozen=True, slots=True)
class ExpressionText:
    """Marks a text field as an expression, so that the core checks it and points into it.

    An empty text is an error, unless ``when_empty`` says what it means: then that is a warning.
    """

    language: Language = Language.CONDITION
    when_empty: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Marks a text field as the name of an entry in another section of the file."""

    section: Literal["targets", "modules"]


Condition = Annotated[
    str,
    ExpressionText(Language.CONDITION),
    Field(examples=["tags.Modality == 'MR' and tags.SliceThickness < 2"]),
]
"""An expression over the tags of a series (blueprint section 5)."""

StudyConditionText = Annotated[
    str,
    ExpressionText(Language.STUDY),
    Field(examples=["any(s.Modality == 'CT' for s in series) and len(series) > 2"]),
]
"""An expression over the series of a complete study."""

Completion = Annotated[
    str,
    ExpressionText(Language.COMPLETION),
    Field(examples=["'Axial T2' and ('SAG T1 GRE' or 'SAG T1 TSE')"]),
]
"""A completion expression over the descriptions of the series received."""

TargetName = Annotated[str, Reference("targets"), Field(examples=["archive"])]
"""The name of an entry of ``targets``."""

ModuleName = Annotated[str, Reference("modules"), Field(examples=["segmentation"])]
"""The name of an entry of ``modules``."""


class Model(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TargetBase(Model):
    """An entry of ``targets``; a subclass narrows ``type`` to a literal."""

    type: str
    concurrency: int = Field(
        2,
        ge=1,
        le=100,
        description="How many tasks are sent to it at once, by all routers that share the spool.",
        examples=[4],
    )
    images_per_minute: int | None = Field(
        None,
        ge=1,
        description="How many images each router sends to it in a minute at most, counted by whole "
        "tasks; as many as it takes if not given.",
        examples=[6000],
    )
    alternate: TargetName | None = Field(
        None,
        description="The target that gets the images instead when this one stays down; if not "
        "given, they wait.",
        examples=["archive"],
    )
    alternate_after: Duration = Field(
        timedelta(minutes=30),
        description="How long this target must have been down before `alternate` gets the images.",
        examples=["30m"],
    )
    comment: str = Field(
        "",
        description="Free text for people; mroute does not read it.",
        examples=["moves to the new machine room in May"],
    )


class ChannelBase(Model):
    """An entry of a rule's ``notify``; a subclass narrows ``channel`` to a literal."""

    channel: str
    events: tuple[NoticeEvent, ...] = Field(
        tuple(NoticeEvent),
        description="Which events are announced; all of them if not given. `received`: the rule "
        "triggered. `completed`: what it asked for is done. `error`: that failed for good.",
        examples=[["completed", "error"]],
    )


class ConditionBase(Model):
    """A rule's ``study`` section; a subclass narrows ``complete`` to a literal."""

    complete: str
    after: Duration | None = Field(
        None,
        description="Time since the first series after which completion is forced: then `else` "
        "says what happens. If not given, the study waits as long as it takes.",
        examples=["90m"],
    )
    otherwise: ForcedCompletion = Field(
        ForcedCompletion.DISCARD,
        alias="else",
        description="What to do with a study that is not complete when `after` has passed: "
        "`discard` it, `proceed` with the series that came, `ignore` the time and wait on, or send "
        "it to `error/`.",
    )
    when: StudyConditionText | None = Field(
        None,
        description="Whether the action happens at all: evaluated once over all series of the "
        "complete study. Where it is not true, the images go to `discard/`.",
    )
    latecomers: Latecomers = Field(
        Latecomers.NEW,
        description="What happens to a series that arrives after its study went on: it begins a "
        "`new` study, it will `follow` alone as an addition to the first task, or it is on `hold` "
        "in `error/` for a person to decide.",
    )


@dataclass(frozen=True, slots=True)
class OfConditions:
    """Marks a field of a condition as a list of conditions, be they of any plugin.

    It is narrowed to those that are installed when the configuration is composed.
    """


Conditions = Annotated[tuple[Any, ...], OfConditions(), Field(min_length=1)]
"""Completion conditions that another one is made of; there is at least one."""


class ModuleBase(Model):
    """An entry of ``modules``; a subclass narrows ``runner`` to a literal."""

    runner: str
    settings: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Settings for the module, which finds them in `task.json`; those of a rule "
        "go over them, key by key.",
        examples=[{"threshold": 0.5}],
    )
    comment: str = Field(
        "",
        description="Free text for people; mroute does not read it.",
        examples=["version 2.1, validated in March"],
    )


class RuleBase(Model):
    """An entry of ``rules``; a subclass narrows ``action`` to a literal and adds its own fields.

    ``study`` and ``notify`` are narrowed to the installed conditions and channels when the
    configuration is composed.
    """

    when: Condition = Field(
        description="The rule triggers when this expression is true for the tags of a series.",
        examples=[
            "tags.Modality == 'MR' and tags.SliceThickness < 2",
            "'CINE' in tags.SeriesDescription",
        ],
    )
    action: str
    on: Trigger = Field(
        Trigger.SERIES,
        description="Act on each `series` as soon as it is complete, or on the whole `study`: "
        "series are then collected until the section `study` says that it is complete.",
    )
    study: Any = Field(
        None,
        description="When the study is complete, and what happens if that takes too long. Needs "
        "`on: study`, and is needed by it.",
    )
    notify: tuple[Any, ...] = Field(
        (), description="Who is told about what, by which channel; no one if not given."
    )
    priority: Priority = Field(
        Priority.NORMAL,
        description="Order of the tasks in a queue: two `urgent` ones for each `normal` one, "
        "`offpeak` ones last and in their hours only, and the older before the newer.",
    )
    fallback: StrictBool = Field(
        False,
        description="Whether the rule is considered only when no other rule triggered. Its `when` "
        "must be true all the same.",
    )
    disabled: StrictBool = Field(
        False, description="Whether the rule is never considered; it is checked all the same."
    )
    contact: str = Field(
        "",
        description="Who to ask about this rule; mroute does not read it.",
        examples=["imaging@hospital.example"],
    )
    comment: str = Field(
        "",
        description="Free text for people; mroute does not read it.",
        examples=["for the liver study, until the end of the year"],
    )
