"""A committed task in the hands of a worker, and how the worker leaves it.

Knows what a task holds. Does not know what is done with it (queues of plugins), or how it is leased
and settled (worker, spool).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from mroute.types import JsonObject

_ABOUT_TASKS = frozenset({"task.json", "reason.json"})
"""Files in the folder of a task that are about it, and not of it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A committed task, leased by a worker: its folder and what its ``task.json`` says."""

    id: str
    folder: Path
    content: JsonObject = field(repr=False)

    def files(self) -> tuple[Path, ...]:
        """The files of the task in the order of their names: images and their tags."""
        return tuple(
            path
            for path in sorted(self.folder.iterdir())
            if path.is_file() and path.name not in _ABOUT_TASKS and not path.name.startswith(".")
        )

    def images(self) -> tuple[Path, ...]:
        """The images of the task, without the tags beside them."""
        return tuple(path for path in self.files() if path.suffix != ".tags")


@dataclass(frozen=True, slots=True)
class Done:
    """The work is done: the task goes to ``success/``."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """The work could not be done now: it is tried again later, then given up.

    ``counts``: whether anything was tried. Where nothing was, because the targets that are left
    must wait, the task has no retry less, and goes on as soon as one of them may be sent to.
    ``gives_up``: whether it is given up after the last retry; not as long as something it is for
    has not had its turn.
    """

    reason: str
    counts: bool = True
    gives_up: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """The work cannot be done: the task goes to ``error/`` with the reason."""

    reason: str
    stage: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The work is done and the task goes on to another queue."""

    queue: str
    detail: str = ""


Settlement: TypeAlias = Done | Retry | Failed | HandOver
"""How a worker leaves a task."""
