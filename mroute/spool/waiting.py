"""What waits in a queue, remembered from one look to the next.

Knows that a task file which was not replaced says what it said, so that a look at ten thousand
waiting tasks costs a ``stat`` of each. Does not know what is done with a task, and takes none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mroute.errors import TaskFileError, is_shortage
from mroute.models import Priority
from mroute.spool.layout import COPIED_PREFIX, TASK_FILE
from mroute.spool.taskfile import aware_time, read_task
from mroute.spool.turns import in_turn
from mroute.types import JsonObject


@dataclass(frozen=True, slots=True)
class Due:
    """A folder in a queue that is due, with the targets that it is still to be sent to.

    ``priority`` is None where it is no task.
    """

    folder: Path
    priority: Priority | None = None
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a task file said; ``since`` is when the task was made, ``not_before`` when it is due.

    ``identity`` tells whether the file is still the one that said it.
    """

    identity: tuple[int, int, int]
    priority: Priority
    since: str
    not_before: datetime | None
    pending: tuple[str, ...]


@dataclass(slots=True)
class Waiting:
    """The tasks of one queue as they were last seen; ``moved`` are marks of unfinished moves.

    ``buried`` are folders that were no tasks, each with the reason, until somebody is told.
    ``section`` is the section of the task file in which the queue keeps ``next_retry_at``, and
    ``pending(content)`` the targets that a task is still to be sent to. ``in_a_row`` counts the
    urgent tasks that were started since the last normal one.
    """

    section: str
    pending: Callable[[JsonObject], Sequence[str]] = field(default=lambda content: ())
    in_a_row: int = 0
    moved: list[Path] = field(default_factory=list)
    buried: list[tuple[str, str]] = field(default_factory=list)
    _read: dict[str, Seen] = field(default_factory=dict)

    def due(
        self,
        queue: Path,
        now: datetime,
        retry_after: timedelta,
        up_since: Callable[[str], datetime | None] = lambda target: None,
        offpeak: bool = True,
    ) -> list[Due]:
        """The folders that are due, in their order; those that are no tasks come first.

        Two urgent ones for each normal one, then the off-peak ones where it is their time; the
        older before the newer. ``up_since(target)`` is when a target was up again after it was
        down: what was tried before and rests since is due at once.
        """
        strange = [Due(queue / name) for name in self.look(queue)]
        read, found = self._read, dict[Priority, list[tuple[str, str]]]()
        for name, known in read.items():
            if known.priority is Priority.OFFPEAK and not offpeak:
                continue
            if is_due(known.not_before, now, retry_after) or _is_freed(
                known, retry_after, up_since
            ):
                found.setdefault(known.priority, []).append((known.since, name))
        in_order = {
            priority: [Due(queue / name, priority, read[name].pending) for _, name in sorted(each)]
            for priority, each in found.items()
        }
        strange.sort(key=lambda each: each.folder.name)
        return [*strange, *in_turn(in_order, self.in_a_row)]

    def look(self, queue: Path) -> list[str]:
        """Look at all that is in the queue; returns the names of folders that are no tasks."""
        read, strange = dict[str, Seen](), list[str]()
        self.moved = []
        for name in _folders(queue):
            if name.startswith(COPIED_PREFIX):
                self.moved.append(queue / name)
                continue
            try:
                read[name] = self._look(queue / name, name)
            except TaskFileError:
                strange.append(name)
        self._read = read  # what has left the queue is forgotten
        return strange

    def seen(self) -> Collection[Seen]:
        """The tasks as they were at the last look."""
        return self._read.values()

    def is_as_found(self, name: str, content: JsonObject) -> bool:
        """Whether a task rests as long, and for the same targets, as when it was found to be due.

        Otherwise another worker was there in between.
        """
        known = self._read.get(name)
        if known is None:
            return False
        rests_until = not_before(content.get(self.section))
        return (rests_until, tuple(self.pending(content))) == (known.not_before, known.pending)

    def started(self, priority: Priority) -> None:
        """Count a task that is worked on, for the turns of those that come after it."""
        if priority is Priority.NORMAL:
            self.in_a_row = 0
        elif priority is Priority.URGENT:
            self.in_a_row += 1

    def _look(self, folder: Path, name: str) -> Seen:
        try:
            status = (folder / TASK_FILE).stat()
        except OSError as error:
            if is_shortage(error):
                raise
            raise TaskFileError(f"'{folder / TASK_FILE}' cannot be read: {error}") from error
        # Taken before the file is read: what is replaced meanwhile is read again next time.
        identity = status.st_mtime_ns, status.st_size, status.st_ino
        known = self._read.get(name)
        if known is not None and known.identity == identity:
            return known
        content = read_task(folder)
        return Seen(
            identity,
            Priority(content["info"]["priority"]),
            content["journal"][0]["time"],
            not_before(content.get(self.section)),
            tuple(self.pending(content)),
        )


def _is_freed(
    known: Seen, retry_after: timedelta, up_since: Callable[[str], datetime | None]
) -> bool:
    """Whether a target of a resting task was up again after the task was tried last."""
    assert known.not_before is not None
    tried = known.not_before - retry_after
    return any(up is not None and up > tried for up in map(up_since, known.pending))


def retry_state(section: Any) -> Mapping[str, Any]:
    """Where the section of a queue keeps ``retries`` and ``next_retry_at``.

    A section may be a list of entries, as for chained modules: then the first has them.
    """
    first = section[0] if isinstance(section, list) and section else section
    return first if isinstance(first, dict) else {}


def not_before(section: Any) -> datetime | None:
    """The time of the next attempt; None where it is due now.

    Raises `TaskFileError` where that is no time with its zone.
    """
    value = retry_state(section).get("next_retry_at")
    if value is None:
        return None
    try:
        return aware_time(value)
    except (TypeError, ValueError) as error:
        raise TaskFileError(
            f"'next_retry_at' is {value!a}, expected a time with its zone: {error}"
        ) from error


def is_due(when: datetime | None, now: datetime, retry_after: timedelta) -> bool:
    """Whether the time of the next attempt has come.

    One further ahead than ``retry_after`` was written before the clock was set back: waiting for it
    could take years.
    """
    return when is None or not now < when <= now + retry_after


def _folders(queue: Path) -> list[str]:
    """The folders that are not hidden, and the marks; a queue whose folder is gone has none."""
    try:
        with os.scandir(queue) as entries:
            return [
                each.name
                for each in entries
                if (each.name[0] != "." or each.name.startswith(COPIED_PREFIX)) and each.is_dir()
            ]
    except FileNotFoundError:  # the router makes it again
        return []
