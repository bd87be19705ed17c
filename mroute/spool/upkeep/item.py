"""What lies in the spool, as one value for whatever it is: a series, a claim, a task, a delivery.

Knows what is said of each thing in a list. Does not know where things are or how they are found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from mroute.spool.layout import REASON_FILE, TAGS_SUFFIX, TASK_FILE
from mroute.types import JsonObject


class State(StrEnum):
    """How a thing in the spool is.

    ``arriving``: a series that still grows. ``complete``: one that is to be routed. ``loose``: no
    series folder. ``routing``: a claim, in hand. ``deferred``: a claim that could not be carried
    out. ``collecting``: a study. ``waiting``: due. ``working``: a worker has it. ``retry``: not due
    yet. ``halted``: in a queue with ``HALT``. ``dead``: in ``error/``. ``done`` and ``discarded``:
    finished. ``damaged``: not what should be there.
    """

    ARRIVING = "arriving"
    COMPLETE = "complete"
    LOOSE = "loose"
    ROUTING = "routing"
    DEFERRED = "deferred"
    COLLECTING = "collecting"
    WAITING = "waiting"
    WORKING = "working"
    RETRY = "retry"
    HALTED = "halted"
    DEAD = "dead"
    DONE = "done"
    DISCARDED = "discarded"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Item:
    """A thing in the spool.

    ``queue`` is the folder of the spool that it is in, ``targets`` where it is still to be sent,
    ``since`` when it was made and ``stage`` where a dead letter failed.
    """

    id: str
    queue: str
    path: Path
    state: State
    because: str
    since: datetime
    uid: str = ""
    uid_type: str = ""
    rules: tuple[str, ...] = ()
    images: int = 0
    targets: tuple[str, ...] = ()
    stage: str = ""

    def to_json(self) -> JsonObject:
        """The item as a program reads it (blueprint section 9)."""
        return {
            "id": self.id,
            "queue": self.queue,
            "uid": self.uid,
            "uid_type": self.uid_type,
            "rules": list(self.rules),
            "images": self.images,
            "state": self.state.value,
            "because": self.because,
            "since": self.since.isoformat(),
            "targets": list(self.targets),
            "stage": self.stage,
            "path": str(self.path),
        }


def images_in(folder: Path) -> int:
    """How many files in a folder are neither tags nor about mroute."""
    with os.scandir(folder) as entries:
        return sum(
            not (
                each.name[0] == "."
                or each.name.endswith(TAGS_SUFFIX)
                or each.name in (TASK_FILE, REASON_FILE)
            )
            for each in entries
        )


def changed_at(path: Path) -> datetime:
    """When a file or folder was changed last, in UTC."""
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def target_states(content: Mapping[str, Any]) -> dict[str, JsonObject]:
    """Each target of a task with what is noted about it; empty where the task is not sent."""
    section = content.get("dispatch")
    if not isinstance(section, dict):
        return {}
    names, status = section.get("target_name", ()), section.get("status")
    names = [names] if isinstance(names, str) else names
    noted = status if isinstance(status, dict) else {}
    return {
        str(name): noted[name] if isinstance(noted.get(name), dict) else {}
        for name in (names if isinstance(names, list) else ())
    }


def open_targets(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The targets that have not got the images yet."""
    states = target_states(content)
    return tuple(name for name, noted in states.items() if noted.get("state") != "complete")


def rules_of(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The rules that a task is for."""
    info = content["info"]
    return (info["applied_rule"],) if info["applied_rule"] else tuple(info["triggered_rules"])
