"""The tasks of a queue, the finished ones and the dead letters, as items of a list.

Knows why a task is where it is: from its task file, its reason, its lease and ``HALT``. Does not
know any work, and changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from mroute.errors import TaskFileError
from mroute.spool.held import is_held
from mroute.spool.layout import HALT_FILE, LEASE_FILE, REASON_FILE, Spool
from mroute.spool.targets import is_target_halted, read_health
from mroute.spool.taskfile import read_task
from mroute.spool.upkeep.item import (
    Item,
    State,
    changed_at,
    images_in,
    open_targets,
    rules_of,
)
from mroute.spool.waiting import retry_state
from mroute.types import Finish

DELIVERY_FILE = "delivery.json"
"""In a dead letter: the notification that could not be delivered."""


def task_folders(folder: Path) -> Iterator[Path]:
    """The folders of tasks in a folder of the spool; none where it is gone."""
    try:
        with os.scandir(folder) as entries:
            names = [
                each.name
                for each in entries
                if each.name[0] != "." and each.is_dir(follow_symlinks=False)
            ]
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in sorted(names):
        yield folder / name


def waiting_task(
    spool: Spool, folder: Path, section: str, now: datetime, retry_max: int | None, halted: bool
) -> Item:
    """A task in its queue; ``section`` is the section of the task file that belongs to that.

    Raises `FileNotFoundError` where it has left.
    """
    try:
        content = read_task(folder)
    except TaskFileError as error:
        return damaged(spool, folder, str(error))
    state, because = State.WAITING, "due"
    entry = retry_state(content.get(section))
    when, retries = time_of(entry.get("next_retry_at")), entry.get("retries") or 0
    if is_held(folder / LEASE_FILE):
        state, because = State.WORKING, "a worker has it"
    elif halted:
        state, because = State.HALTED, f"the queue is halted by its file '{HALT_FILE}'"
    elif (held := _held(spool, content)) is not None and held[0] is State.HALTED:
        state, because = held
    elif when is not None and when > now:
        of = "" if retry_max is None else f" of {retry_max}"
        at = when.isoformat(timespec="seconds")
        state, because = State.RETRY, f"retry {retries}{of} at {at}: {_last(content, 'retry')}"
    elif held is not None:
        state, because = held
    elif retries:
        because = f"retry {retries} is due: {_last(content, 'retry')}"
    return _task(spool, folder, content, state, because)


def _held(spool: Spool, content: dict[str, Any]) -> tuple[State, str] | None:
    """Why a task is left alone: nothing is sent to any of its targets. None where something is."""
    why = []
    state = State.HALTED
    for name in open_targets(content):
        health = read_health(spool, name)
        if is_target_halted(spool, name):
            why.append(f"target '{name}' is halted")
        elif health.down_since is not None and health.probe_at is not None:
            state = State.WAITING
            at = health.probe_at.isoformat(timespec="seconds")
            why.append(f"target '{name}' is down, tried next at {at}: {health.because}")
        else:
            return None
    return (state, "; ".join(why)) if why else None


def finished_task(spool: Spool, folder: Path) -> Item:
    """A task in ``success/`` or ``discard/``; raises as `waiting_task` does."""
    try:
        content = read_task(folder)
    except TaskFileError as error:
        return damaged(spool, folder, str(error))
    state = State.DONE if folder.parent.name == Finish.SUCCESS else State.DISCARDED
    return _task(spool, folder, content, state, content["journal"][-1]["outcome"])


def dead_letter_item(spool: Spool, folder: Path) -> Item:
    """A dead letter; raises as `waiting_task` does."""
    reason = read_object(folder / REASON_FILE)
    if reason is None:
        return damaged(spool, folder, f"it has no '{REASON_FILE}' that can be read")
    stage = str(reason.get("stage", ""))
    because = f"{stage}: {reason.get('reason', '')}"
    rules = tuple(map(str, reason.get("rules") or ()))
    delivery = read_object(folder / DELIVERY_FILE)
    if delivery is not None:
        uid, kind = str(delivery.get("task_id", "")), "notification"
        since = changed_at(folder / DELIVERY_FILE)
        name = folder.name
        return Item(
            name, "error", folder, State.DEAD, because, since, uid, kind, rules, stage=stage
        )
    try:
        content = read_task(folder)
    except TaskFileError:
        since = changed_at(folder)
        images = images_in(folder)
        return Item(
            folder.name,
            "error",
            folder,
            State.DEAD,
            because,
            since,
            rules=rules,
            images=images,
            stage=stage,
        )
    return _task(spool, folder, content, State.DEAD, because, stage)


def damaged(spool: Spool, path: Path, because: str) -> Item:
    """What is not as it should be; raises `FileNotFoundError` where it is gone."""
    since, images = changed_at(path), 0
    with suppress(PermissionError, NotADirectoryError):
        images = images_in(path)
    where = str(path.parent.relative_to(spool.root))
    return Item(path.name, where, path, State.DAMAGED, because, since, images=images)


def read_object(path: Path) -> dict[str, Any] | None:
    """A JSON object in a file; None where there is none that can be read."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _task(
    spool: Spool, folder: Path, content: dict[str, Any], state: State, because: str, stage: str = ""
) -> Item:
    info = content["info"]
    return Item(
        id=folder.name,
        queue=str(folder.parent.relative_to(spool.root)),
        path=folder,
        state=state,
        because=because,
        since=time_of(content["journal"][0]["time"]) or changed_at(folder),
        uid=info["uid"],
        uid_type=info["uid_type"],
        rules=rules_of(content),
        images=images_in(folder),
        targets=() if state in (State.DONE, State.DISCARDED) else open_targets(content),
        stage=stage,
    )


def _last(content: dict[str, Any], action: str) -> str:
    """The outcome of the last such entry of the journal."""
    for each in reversed(content["journal"]):
        if each["action"] == action:
            return str(each["outcome"])
    return "no reason is noted"


def time_of(value: Any) -> datetime | None:
    """A time with its zone in a file; None where there is none."""
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return when if when.tzinfo else None
