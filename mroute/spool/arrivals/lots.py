"""Loose files of ``incoming/`` that cannot be routed, moved into one dead letter for the lot.

Knows how a lot is moved so that no file is lost, doubled or overwritten, whatever interrupts it: it
is written down before anything moves, and every file is renamed once. Does not know why a file
cannot be routed, or who is told.

A lot is a folder ``.staging/errors-<id>`` with the list of its files in ``lot.json`` and the dead
letter in ``letter/``. One router at a time works on lots (`working_on_lots`).
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mroute.facts import MISSING
from mroute.spool.files import Files
from mroute.spool.layout import REASON_FILE, Spool
from mroute.spool.locks import try_lock
from mroute.spool.manifest import kept_name, reason_content
from mroute.spool.taskfile import compose_task, write_task
from mroute.types import Finish, Series, TaskPlan

_PREFIX = "errors-"
_RELEASED = "released-"
_LOT_FILE = "lot.json"
_LETTER = "letter"
_NAMED = 5
"""Files that the reason of a lot names; ``files`` in ``reason.json`` has them all."""


@dataclass(frozen=True, slots=True)
class Found:
    """Files that belong together, by their paths below ``incoming/``, and why they are not routed.

    The first is what the reason is about.
    """

    names: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot that was written down: what is in it, and the folder in which it is being moved."""

    id: str
    folder: Path
    found: tuple[Found, ...]

    @property
    def summary(self) -> str:
        """How many files it is made for, in one sentence."""
        plural = "" if len(self.found) == 1 else "s"
        return f"{len(self.found)} incoming file{plural} cannot be routed"

    @property
    def reason(self) -> str:
        """Why the lot is a dead letter, in one sentence."""
        said = "; ".join(f"'{each.names[0]}': {each.reason}" for each in self.found[:_NAMED])
        more = len(self.found) - _NAMED
        said += f"; and {more:,} more" if more > 0 else ""
        return f"{self.summary}: {said}"

    @property
    def task(self) -> TaskPlan:
        """The dead letter that becomes of it."""
        return TaskPlan(Finish.ERROR, (), action="error", reason=self.reason)


@contextmanager
def working_on_lots(spool: Spool) -> Iterator[bool]:
    """Whether this process may work on lots now: no other does, until the end of the context."""
    lock = try_lock(spool.locks / "errors.lock")
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()


def new_lot(spool: Spool, files: Files, found: Sequence[Found]) -> Lot:
    """Write down a lot, before any of its files moves."""
    lot_id = str(uuid.uuid4())
    folder = spool.staging / f"{_PREFIX}{lot_id}"
    folder.mkdir()
    files.write_json(folder / _LOT_FILE, [asdict(each) for each in found])
    files.flush_folder(spool.staging)
    return Lot(lot_id, folder, tuple(found))


def unfinished_lots(spool: Spool) -> Iterator[Lot]:
    """The lots that a process which died, or failed, left behind; what is done is cleared away."""
    for folder in sorted(spool.staging.iterdir()):
        if folder.name.startswith(_RELEASED + _PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.name.startswith(_PREFIX):
            try:
                content = json.loads((folder / _LOT_FILE).read_bytes())
            except FileNotFoundError:  # it died before anything moved
                shutil.rmtree(folder, ignore_errors=True)
                continue
            found = tuple(Found(tuple(each["names"]), each["reason"]) for each in content)
            yield Lot(folder.name.removeprefix(_PREFIX), folder, found)


def move_lot(spool: Spool, files: Files, lot: Lot, now: datetime) -> bool:
    """Move all files of the lot that are still there into ``error/``, as one dead letter.

    May be repeated after it was interrupted anywhere, until `end_lot`. Returns whether there is a
    dead letter: somebody may have taken all the files away. Raises `OSError` where it cannot go on.
    """
    letter, destination = lot.folder / _LETTER, spool.queue(Finish.ERROR) / _task_id(lot)
    moved = lot.folder / "moved"
    if not moved.exists():
        letter.mkdir(exist_ok=True)
        taken = [name for name, kept in _names(lot.found) if _take(spool, name, letter / kept)]
        if not taken:
            return False
        for folder in (letter, spool.incoming):
            files.flush_folder(folder)
        reason = reason_content("receiving", lot.reason, (), now)
        said = [{"files": list(each.names), "reason": each.reason} for each in lot.found]
        files.write_json(letter / REASON_FILE, {**reason, "files": said})
        images = tuple(kept for _, kept in _names(lot.found))
        subject = Series(MISSING, {}, images, lot.id)
        write_task(files, letter, compose_task(_task_id(lot), subject, lot.task, (), now))
        moved.touch()
        files.flush_folder(lot.folder)
    files.move_folder(letter, destination)
    return True


def end_lot(lot: Lot) -> None:
    """Forget a lot that was moved."""
    released = lot.folder.with_name(_RELEASED + lot.folder.name)
    lot.folder.rename(released)
    shutil.rmtree(released, ignore_errors=True)  # what is left is cleared away by the next pass


def _task_id(lot: Lot) -> str:
    return lot.task.task_id(lot.id)


def _names(found: Iterable[Found]) -> Iterator[tuple[str, str]]:
    """Each file with the name it gets in the dead letter: its own where no other has it.

    Files that belong together get the same number where one of them does not get its own.
    """
    used = set[str]()
    for each in found:
        names = [kept_name(Path(name).name) for name in each.names]
        number, kept = 1, names
        while used.intersection(kept):
            number += 1
            kept = [f"{number}-{name}" for name in names]
        used.update(kept)
        yield from zip(each.names, kept, strict=True)


def _take(spool: Spool, name: str, destination: Path) -> bool:
    """Move a file, once; whether it is there now. One of its name that came later stays."""
    if destination.exists():
        return True
    try:
        (spool.incoming / name).rename(destination)
    except FileNotFoundError:
        return False
    return True
