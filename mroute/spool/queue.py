"""The tasks of a queue: leased by one worker at a time, settled by a rename.

Knows which tasks are due and in which order, and how a task leaves its queue. Does not know what
the work is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mroute.errors import TaskFileError, describe, is_shortage
from mroute.models import Priority
from mroute.spool.files import Files
from mroute.spool.layout import HALT_FILE, LEASE_FILE, REASON_FILE, Spool
from mroute.spool.locks import Lock, try_lock
from mroute.spool.manifest import reason_content
from mroute.spool.taskfile import journal_entry, read_task, write_task
from mroute.types import Finish, Task

_ORDER = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.OFFPEAK: 2}


@dataclass(slots=True)
class Lease:
    """A task that this process alone works on; ``content`` is what its task file says."""

    folder: Path
    content: dict[str, Any]
    lock: Lock
    files: Files

    @property
    def task(self) -> Task:
        """The task as its worker sees it."""
        return Task(str(self.content["id"]), self.folder, self.content)

    def save(self, section: str, value: Any) -> None:
        """Write one section of the task file at once."""
        content = {**self.content, section: value}
        write_task(self.files, self.folder, content)
        self.content = content

    def note(self, now: datetime, actor: str, action: str, outcome: str) -> None:
        """Add to the journal."""
        entry = journal_entry(now, actor, action, outcome)
        self.save("journal", [*self.content["journal"], entry])

    def move(self, spool: Spool, queue: str, reason: dict[str, Any] | None = None) -> None:
        """Move the task to another queue or to one of `Finish`, and end the lease.

        ``reason`` is what ``reason.json`` says of a dead letter.
        """
        if reason is not None:
            self.files.write_json(self.folder / REASON_FILE, reason)
        self.files.move_folder(self.folder, spool.queue(queue) / self.folder.name)
        self.lock.release()

    def let_go(self) -> None:
        """End the lease; the task stays where it is."""
        self.lock.release()


def is_halted(spool: Spool, queue: str) -> bool:
    """Whether an administrator has halted the queue with a file named ``HALT``."""
    return (spool.queue(queue) / HALT_FILE).exists()


def due_tasks(
    spool: Spool, queue: str, section: str, now: datetime, files: Files
) -> Iterator[Lease]:
    """Lease the tasks of a queue that are due, one after the other.

    Urgent ones come first, off-peak ones last, and the older before the newer. ``section`` is the
    section of the task file in which the queue keeps ``next_retry_at``. A folder that is no task
    goes to ``error/`` with the reason: it would wait for ever. The caller ends every lease. Raises
    `OSError` where this machine is short of something, which says nothing about a task.
    """
    for folder in _due_in_order(spool, queue, section, now):
        try:
            lock = try_lock(folder / LEASE_FILE)
        except OSError as error:
            if is_shortage(error):
                raise
            dead_letter(spool, files, folder, queue, f"cannot be leased: {describe(error)}", now)
            continue
        if lock is None:
            continue
        try:
            content = read_task(folder)
            due = _is_due(content.get(section), now)
        except TaskFileError as error:
            if folder.exists():
                dead_letter(spool, files, folder, queue, str(error), now)
            lock.release()
            continue
        if due:
            yield Lease(folder, content, lock, files)
        else:  # another worker was here since the order was made
            lock.release()


def _due_in_order(spool: Spool, queue: str, section: str, now: datetime) -> list[Path]:
    found: list[tuple[int, str, Path]] = []
    for folder in spool.queue(queue).iterdir():
        if not folder.is_dir() or folder.name.startswith("."):
            continue
        try:
            content = read_task(folder)
            due = _is_due(content.get(section), now)
        except TaskFileError:
            found.append((0, "", folder))  # seen to first, under the lease
            continue
        if due:
            rank = _ORDER[Priority(content["info"]["priority"])]
            found.append((rank, content["journal"][0]["time"], folder))
    return [folder for _, _, folder in sorted(found)]


def retry_state(section: Any) -> Mapping[str, Any]:
    """Where the section of a queue keeps ``retries`` and ``next_retry_at``.

    A section may be a list of entries, as for chained modules: then the first has them.
    """
    first = section[0] if isinstance(section, list) and section else section
    return first if isinstance(first, dict) else {}


def with_retry_state(section: Any, retries: int, next_retry_at: datetime) -> Any:
    """The section with the number of retries and the time of the next one."""
    state = {
        **retry_state(section),
        "retries": retries,
        "next_retry_at": next_retry_at.isoformat(),
    }
    return [state, *section[1:]] if isinstance(section, list) else state


def _is_due(section: Any, now: datetime) -> bool:
    not_before = retry_state(section).get("next_retry_at")
    try:
        return not_before is None or datetime.fromisoformat(not_before) <= now
    except (TypeError, ValueError) as error:
        raise TaskFileError(
            f"'next_retry_at' is {not_before!a}, expected a time with its zone: {error}"
        ) from error


def dead_letter(
    spool: Spool, files: Files, folder: Path, stage: str, reason: str, now: datetime
) -> Path:
    """Move a folder that is no task to ``error/``, with the reason; returns where it is now."""
    files.write_json(folder / REASON_FILE, reason_content(stage, reason, (), now, stage))
    destination = spool.queue(Finish.ERROR) / folder.name
    if destination.exists():
        destination = destination.with_name(f"{folder.name}-{uuid.uuid4()}")
    files.move_folder(folder, destination)
    return destination
