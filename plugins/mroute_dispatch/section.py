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
)

from mroute.api import Model

QUEUE = "outgoing"
SECTION = "dispatch"

Time = Annotated[AwareDatetime, PlainSerializer(datetime.isoformat, return_type=str)]
"""A time, written as mroute writes it everywhere else."""


class State(StrEnum):
    """How far a target has come."""

    WAITING = "waiting"
    COMPLETE = "complete"
    ERROR = "error"


class TargetStatus(Model):
    """Where one target stands, and since when."""

    state: State
    time: Time
    reason: str = Field("", description="Why the target did not take the images.")


def _listed(names: object) -> object:
    return (names,) if isinstance(names, str) else names


class DispatchSection(Model):
    """The section; mroute itself keeps the last two, and keys of others are left in it."""

    model_config = ConfigDict(extra="allow")

    target_name: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        description="Names of the targets, in order."
    )
    status: dict[str, TargetStatus] = Field(
        default_factory=dict, description="The state of each target, by name."
    )
    retries: int | None = Field(None, description="How often it was tried again.")
    next_retry_at: Time | None = Field(None, description="Not to be tried before.")


def add_dispatching(targets: Iterable[str], now: datetime) -> dict[str, JsonValue]:
    """The section of a task for ``targets``, each of which waits; ``now`` is aware, in UTC."""
    names = list(dict.fromkeys(targets))
    return {
        "target_name": [*names],
        "status": {name: {"state": State.WAITING.value, "time": now.isoformat()} for name in names},
        "retries": None,
        "next_retry_at": None,
    }
