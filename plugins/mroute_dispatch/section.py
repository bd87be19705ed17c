"""The section ``dispatch`` of ``task.json``: the targets of a task and how far each has come.

Knows what the section looks like. Does not know who writes it or what a target is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)

from mroute.api import JsonObject, Model

QUEUE = "outgoing"
SECTION = "dispatch"

Time = Annotated[AwareDatetime, PlainSerializer(datetime.isoformat, return_type=str)]
"""A time, written as mroute writes it everywhere else."""


class State(StrEnum):
    """How far a target has come.

    ``waiting``: to be sent, or to be tried again. ``sending``: an attempt has begun, and not ended.
    ``complete``: it has the images. ``error``: it did not take them, and trying again will hardly
    help.
    """

    WAITING = "waiting"
    SENDING = "sending"
    COMPLETE = "complete"
    ERROR = "error"


class InstanceState(StrEnum):
    """What a target said of one image.

    ``stored``: it has it. ``refused``: it did not take it, and is asked again.
    """

    STORED = "stored"
    REFUSED = "refused"


class InstanceStatus(Model):
    """What a target said of one image."""

    state: InstanceState
    status: str = Field(
        "",
        description="The status as its protocol has it; empty where there was none.",
        examples=["0000", "B007", "A700"],
    )
    reason: str = Field(
        "",
        description="What the target said: a warning of what it stored, or why it refused.",
        examples=["out of resources"],
    )


class TargetStatus(Model):
    """Where one target stands, and since when."""

    state: State
    time: Time = Field(
        description="When it came to this, in UTC.", examples=["2026-11-24T08:30:00+00:00"]
    )
    reason: str = Field(
        "",
        description="Why the target did not take the images; empty where it did.",
        examples=["target 'archive': '/data/archive': No space left on device"],
    )
    alternate: str = Field(
        "",
        description="Name of the target that took the images for it; empty where none did.",
        examples=["", "archive2"],
    )
    instances: dict[str, InstanceStatus] = Field(
        default_factory=dict,
        description="What the target said of each image, by the name of its file. One that has no "
        "status is not confirmed, and is sent again. Empty where the target takes a task as a "
        "whole.",
        examples=[{"1.2.3#1.2.3.1.dcm": {"state": "stored", "status": "0000", "reason": ""}}],
    )


def _listed(names: object) -> object:
    return (names,) if isinstance(names, str) else names


_LIST_OR_TEXT: dict[str, JsonValue] = {
    "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]
}


class DispatchSection(Model):
    """Where the task is sent, and how far that has come.

    mroute itself keeps ``retries`` and ``next_retry_at``; keys of others are left in the section.
    """

    model_config = ConfigDict(extra="allow")

    target_name: Annotated[
        tuple[str, ...], BeforeValidator(_listed), WithJsonSchema(_LIST_OR_TEXT)
    ] = Field(
        description="Names of the targets in the order in which they are sent to; a text for one.",
        examples=[["archive"]],
    )
    status: dict[str, TargetStatus] = Field(
        default_factory=dict,
        description="How far each target has come, by name. One that has none is waiting.",
        examples=[{"archive": {"state": "waiting", "time": "2026-11-24T08:30:00+00:00"}}],
    )
    retries: int | None = Field(
        None, description="How often it was tried again; nothing before the first.", examples=[1]
    )
    next_retry_at: Time | None = Field(
        None,
        description="The task rests until this time, in UTC; remove it to have it tried at once.",
        examples=["2026-11-24T08:45:00+00:00"],
    )

    def state(self, name: str) -> State:
        """The state of a target; one that has none is waiting."""
        status = self.status.get(name)
        return status.state if status else State.WAITING

    def with_status(self, name: str, status: TargetStatus) -> DispatchSection:
        """The section with another status of one target."""
        return self.model_copy(update={"status": {**self.status, name: status}})


def pending_targets(content: JsonObject) -> tuple[str, ...]:
    """The targets that have not got the images of a task yet; none where the section is damaged."""
    try:
        section = DispatchSection.model_validate(content.get(SECTION))
    except ValidationError:
        return ()
    return tuple(name for name in section.target_name if section.state(name) is not State.COMPLETE)


def add_dispatching(targets: Iterable[str], now: datetime) -> dict[str, JsonValue]:
    """The section of a task for ``targets``, each of which waits; ``now`` is aware, in UTC."""
    names = list(dict.fromkeys(targets))
    return {
        "target_name": [*names],
        "status": {name: {"state": State.WAITING.value, "time": now.isoformat()} for name in names},
        "retries": None,
        "next_retry_at": None,
    }
