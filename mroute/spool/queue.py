"""The tasks of a queue: leased by one worker at a time, settled by a rename.

Knows which tasks are due and in which order, and how a task leaves its queue. Does not know what
the work is.
"""

from __future__ import annotations

import errno
import glob
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mroute.errors import TaskFileError, describe, is_shortage
from mroute.settlement import Task
from mroute.spool.files import Files, remove_folder
from mroute.spool.layout import (
    COPIED_PREFIX,
    HALT_FILE,
    LEASE_FILE,
    PARTIAL_SUFFIX,
    REASON_FILE,
    Spool,
)
from mroute.spool.locks import Lock, try_lock
from mroute.spool.manifest import reason_content
from mroute.spool.targets import Admission
from mroute.spool.taskfile import journal_entry, read_task, write_task
from mroute.spool.waiting import Due, Waiting, not_before, retry_state
from mroute.types import Finish


@dataclass(slots=True)
class Lease:
    """A task that this process alone works on; ``content`` is what its task file says."""

    folder: Path
    content: dict[str, Any]
    lock: Lock
    files: Files
    admission: Admission = field(default_factory=Admission)

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
        _move(spool, self.files, self.folder, spool.queue(queue) / self.folder.name)
        self.let_go()

    def let_go(self) -> None:
        """End the lease; the task stays where it is."""
        self.admission.release()
        self.lock.release()


def is_halted(spool: Spool, queue: str) -> bool:
    """Whether an administrator has halted the queue with a file named ``HALT``."""
    return (spool.queue(queue) / HALT_FILE).exists()


def _admit_all(due: Due) -> Admission | None:
    return Admission()


def lease_due(
    spool: Spool,
    queue: str,
    waiting: Waiting,
    due: Iterable[Due],
    now: datetime,
    files: Files,
    admit: Callable[[Due], Admission | None] = _admit_all,
) -> Iterator[Lease]:
    """Lease the tasks that were found to be ``due``, one after the other.

    ``admit`` says where a task may be sent, and None where it must wait: then it is passed over. A
    folder that is no task goes to ``error/`` with the reason: it would wait for ever. The caller
    ends every lease. Raises `OSError` in the end where one could not go there, which keeps no other
    waiting, and at once where this machine is short of something, which says nothing about a task.
    """
    trouble: list[OSError] = []
    for marker in waiting.moved:
        with _kept_back(trouble):
            finish_move(spool, files, marker)
    for each in due:
        admission: Admission | None = None
        with _kept_back(trouble):
            admission = admit(each)
        if admission is None:
            continue
        lease: Lease | None = None
        try:
            with _kept_back(trouble):
                lease = _lease(spool, queue, waiting, each.folder, now, files)
        finally:
            if lease is None:
                admission.release()
        if lease is None:
            continue
        if waiting.is_as_found(lease.folder.name, lease.content):
            lease.admission = admission
            if each.priority is not None:
                waiting.started(each.priority)
            yield lease
        else:  # another worker was here since the order was made
            admission.release()
            lease.let_go()
    for error in trouble:
        raise error


def _lease(
    spool: Spool, queue: str, waiting: Waiting, folder: Path, now: datetime, files: Files
) -> Lease | None:
    """Lease a folder; None where another worker has it, it is gone, or it is no task."""
    try:
        lock = try_lock(folder / LEASE_FILE)
    except OSError as error:
        if is_shortage(error) or error.errno == errno.EROFS:  # which is so for all tasks
            raise
        because = f"cannot be leased: {describe(error)}"
        dead_letter(spool, files, folder, queue, because, now)
        waiting.buried.append((folder.name, because))
        return None
    if lock is None:
        return None
    try:
        content = read_task(folder)
        not_before(content.get(waiting.section))
    except TaskFileError as error:
        try:
            if folder.exists():
                dead_letter(spool, files, folder, queue, str(error), now)
                waiting.buried.append((folder.name, str(error)))
        finally:
            lock.release()
        return None
    except OSError:
        lock.release()
        raise
    return Lease(folder, content, lock, files)


@contextmanager
def _kept_back(trouble: list[OSError]) -> Iterator[None]:
    """Keep what is wrong with one folder until the others had their turn."""
    try:
        yield
    except OSError as error:
        if is_shortage(error):
            raise
        trouble.append(error)


def with_retry_state(section: Any, retries: int, next_retry_at: datetime) -> Any:
    """The section with the number of retries and the time of the next one."""
    state = {
        **retry_state(section),
        "retries": retries,
        "next_retry_at": next_retry_at.isoformat(),
    }
    return [state, *section[1:]] if isinstance(section, list) else state


def finish_moves(spool: Spool, files: Files, queues: Iterable[str]) -> None:
    """Finish the moves out of these folders that processes which died have begun."""
    for queue in queues:
        for marker in spool.queue(queue).glob(f"{COPIED_PREFIX}*"):
            finish_move(spool, files, marker)


def finish_move(spool: Spool, files: Files, marker: Path) -> None:
    """Finish a move to another file system whose copy is complete, as ``marker`` says.

    Does nothing while the process that moves it lives: that holds the lease in the marker.
    """
    lock = None
    if (marker / LEASE_FILE).exists():
        lock = try_lock(marker / LEASE_FILE)
        if lock is None:
            return
    name = marker.name.removeprefix(COPIED_PREFIX)
    for partial in _partials(spool, name):
        files.move_folder(marker.with_name(name), partial.with_name(name))
    # Without a copy that waits the move was made, and the marker not quite deleted.
    shutil.rmtree(marker, ignore_errors=True)
    if lock is not None:
        lock.release()


def _move(spool: Spool, files: Files, folder: Path, destination: Path) -> None:
    """Move a leased folder; what a process that died has left of a move of it is settled first."""
    marker = folder.with_name(COPIED_PREFIX + folder.name)
    if marker.exists():
        finish_move(spool, files, marker)
    destination.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and folder.stat().st_dev != destination.parent.stat().st_dev:
        for partial in _partials(spool, folder.name):  # to another place, and not complete
            remove_folder(partial)
    try:
        files.move_folder(folder, destination)
    except FileNotFoundError:
        # The copy is in its place; another process saw what is left here, and clears it away.
        if folder.exists() or _partials(spool, folder.name):
            raise


def _partials(spool: Spool, name: str) -> list[Path]:
    """The copies of a task that are not, or were not yet, called by its name."""
    return list(spool.root.glob(f"*/.{glob.escape(name)}{PARTIAL_SUFFIX}"))


def dead_letter(
    spool: Spool, files: Files, folder: Path, stage: str, reason: str, now: datetime
) -> Path:
    """Move a folder that is no task to ``error/``, with the reason; returns where it is now."""
    files.write_json(folder / REASON_FILE, reason_content(stage, reason, (), now, stage))
    destination = spool.queue(Finish.ERROR) / folder.name
    if destination.exists():
        destination = destination.with_name(f"{folder.name}-{uuid.uuid4()}")
    _move(spool, files, folder, destination)
    return destination
