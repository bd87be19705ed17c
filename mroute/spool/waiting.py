"""What waits in a queue, remembered from one look to the next.

Knows that a task file which was not replaced says what it said, so that a look at ten thousand
waiting tasks costs a ``stat`` of each. Does not know what is done with a task, and takes none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mroute.errors import TaskFileError, is_shortage
from mroute.models import Priority
from mroute.spool.layout import COPIED_PREFIX, TASK_FILE
from mroute.spool.taskfile import aware_time, read_task

_ORDER = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.OFFPEAK: 2}
_FIRST = (-1, "")
"""Where what is no task stands: it is seen to before the others."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a task file said: its place in the order, and the time before which it is not due."""

    identity: tuple[int, int, int]
    place: tuple[int, str]
    not_before: datetime | None


@dataclass(slots=True)
class Waiting:
    """The tasks of one queue as they were last seen; ``moved`` are marks of unfinished moves.

    ``buried`` are folders that were no tasks, each with the reason, until somebody is told.
    ``section`` is the section of the task file in which the queue keeps ``next_retry_at``.
    """

    section: str
    moved: list[Path] = field(default_factory=list)
    buried: list[tuple[str, str]] = field(default_factory=list)
    _read: dict[str, _Read] = field(default_factory=dict)

    def due(self, queue: Path, now: datetime, retry_after: timedelta) -> list[Path]:
        """The folders that are due, in their order; those that are no tasks come first.

        Urgent ones, then off-peak ones last, and the older before the newer.
        """
        read: dict[str, _Read] = {}
        found: list[tuple[tuple[int, str], str]] = []
        self.moved = []
        for name in _folders(queue):
            if name.startswith(COPIED_PREFIX):
                self.moved.append(queue / name)
                continue
            try:
                read[name] = known = self._look(queue / name, name)
            except TaskFileError:
                found.append((_FIRST, name))
                continue
            if is_due(known.not_before, now, retry_after):
                found.append((known.place, name))
        self._read = read  # what has left the queue is forgotten
        return [queue / name for _, name in sorted(found)]

    def _look(self, folder: Path, name: str) -> _Read:
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
        place = _ORDER[Priority(content["info"]["priority"])], content["journal"][0]["time"]
        return _Read(identity, place, not_before(content.get(self.section)))


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
