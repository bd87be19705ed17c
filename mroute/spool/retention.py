"""What is finished, in ``success/`` and ``discard/``, and how it leaves the spool for good.

Knows that nothing else may be deleted. Does not know how long anything is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mroute.contributions import FinishedTask
from mroute.spool.files import remove_folder
from mroute.spool.layout import Spool
from mroute.types import Finish

KEPT_FOR_A_TIME = (Finish.SUCCESS, Finish.DISCARD)
"""Where tasks are that may be deleted."""

_REMOVING = ".removing-"
"""Of a folder that is being deleted: hidden first, so that no half of a task is ever seen."""


def finished(spool: Spool) -> list[FinishedTask]:
    """The tasks that are finished, the oldest first; raises `OSError`.

    A task is finished when its folder was changed last: its task file is written for the last time
    right before it moves there. What runs that died have left half deleted is deleted now.
    """
    _remove_rests(spool)
    return sorted(_finished(spool), key=lambda task: (task.at, task.id))


def _finished(spool: Spool) -> Iterator[FinishedTask]:
    for queue in KEPT_FOR_A_TIME:
        with os.scandir(spool.queue(queue)) as entries:
            for entry in entries:
                if entry.name[0] == "." or not entry.is_dir(follow_symlinks=False):
                    continue
                with suppress(FileNotFoundError):  # somebody else has deleted it
                    at = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
                    yield FinishedTask(entry.name, queue, at, Path(entry.path))


def remove(spool: Spool, task: FinishedTask) -> bool:
    """Delete a finished task; False where somebody else did.

    Raises `OSError`, and `ValueError` for what is no finished task.
    """
    folder = task.path
    if folder.parent not in [spool.queue(queue) for queue in KEPT_FOR_A_TIME]:
        raise ValueError(f"'{folder}' is no finished task, and is not deleted")
    hidden = folder.with_name(_REMOVING + folder.name)
    try:
        folder.rename(hidden)
    except FileNotFoundError:
        return False
    remove_folder(hidden)
    return True


def _remove_rests(spool: Spool) -> None:
    for queue in KEPT_FOR_A_TIME:  # another process may be at it: both delete, and none fails
        for path in spool.queue(queue).glob(f"{_REMOVING}*"):
            with suppress(OSError):  # it was told when it could not be deleted; it keeps no other
                remove_folder(path)
