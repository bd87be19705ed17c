"""What ``storescp`` has written for an association: which images are whole, and are taken in.

Knows that an image whose sender was told that it is safe is never deleted. Does not know how the
program was begun (dcmtk).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mroute.api import MrouteError, Tags
from mroute_dicom.receiving.image import Receiver
from mroute_dicom.receiving.whole import is_whole

FOLDER = "association-"
_FACTS = "facts.json"
_GLANCE = 0.02
"""Seconds between two looks for images that are whole."""
_IN_HAND = 5.0
"""Seconds that an image has to come to its end when mroute stops."""

Receive = Callable[[Path, Tags], Path]
Notice = Callable[[str, str], None]


@contextmanager
def association_folder(parent: Path, facts: Tags) -> Iterator[tuple[Path, int]]:
    """A folder for an association, with a lock that the program has too: it may outlive mroute."""
    folder = parent / f"{FOLDER}{uuid.uuid4()}"
    hidden = folder.with_name(f".{folder.name}")  # until it is locked, and says who sends
    hidden.mkdir()
    lock = os.open(hidden, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (hidden / _FACTS).write_text(json.dumps(dict(facts)))
        hidden.rename(folder)
        yield folder, lock
        if not _images(folder):  # otherwise what is left is tried again
            shutil.rmtree(folder)
    finally:
        os.close(lock)


def take_while(
    receiver: Receiver, process: subprocess.Popen[bytes], folder: Path, lock: int, facts: Tags
) -> None:
    """Take in images as long as the program runs, and then the rest.

    It is ended between two images where mroute stops, or the spool has no room for more. An image
    is taken that was found closed twice: the program closes one that was cut off, too, and deletes
    it then. Where it ends by itself it has done so; where it is killed it has not.
    """
    closed: set[Path] = set()
    stopping: float | None = None
    while process.poll() is None:
        before, closed = closed, closed_images(process.pid, lock, folder)
        if receiver.stop.is_set() or not receiver.has_room():
            stopping = stopping or time.monotonic()
            if closed == set(_images(folder)) or time.monotonic() - stopping > _IN_HAND:
                process.terminate()
        for path in sorted(before & closed):
            _take(receiver.receive, receiver.notice, path, facts)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GLANCE)
    finished = process.returncode >= 0
    _take_rest(receiver.receive, receiver.notice, folder, facts, finished=finished)


def take_leftovers(workspace: Path, receive: Receive, notice: Notice) -> None:
    """Take in what programs had received whose router died, or what could not be taken in then.

    Senders were told that it is safe. The last image of each association may not be whole; then its
    sender was not told so, and it is kept apart.
    """
    for folder in workspace.glob(f"*/{FOLDER}*"):
        with suppress(FileNotFoundError), _locked(folder) as is_free:  # or it is gone
            if not is_free:  # a program is at it
                continue
            if _take_rest(receive, notice, folder, _facts(folder, notice), finished=False):
                shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder; False where somebody else has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _facts(folder: Path, notice: Notice) -> Tags:
    """Who has sent the images; nothing where that was lost with the power."""
    try:
        facts: Tags = json.loads((folder / _FACTS).read_bytes())
    except ValueError:
        notice("receiver", "who has sent some images is not known any more; they are taken in")
        return {}
    return facts


def clear_begun(parent: Path) -> None:
    """Delete folders of associations whose program was never begun; no process is at work here."""
    for folder in parent.glob(f".{FOLDER}*"):
        shutil.rmtree(folder, ignore_errors=True)


def closed_images(pid: int, lock: int, folder: Path) -> set[Path]:
    """The images in a folder that the program has closed.

    They are listed before the program is asked what it has open, so that none was begun since then.
    A program that ends has nothing open, not even its ``lock``, and is not believed.
    """
    images = _images(folder)
    opened = _opened_by(pid)
    if not Path(f"/proc/{pid}/fd/{lock}").exists():
        return set()
    found = set()
    for path in images:
        with suppress(FileNotFoundError):
            if path.stat().st_ino not in opened:
                found.add(path)
    return found


def _take_rest(
    receive: Receive, notice: Notice, folder: Path, facts: Tags, *, finished: bool
) -> bool:
    """Take in what is in a folder into which nothing is written any more; whether all was.

    Unless the program has ``finished`` its images, the last one may be cut off: it is kept apart.
    """
    for path in _images(folder):
        if finished or is_whole(path):
            _take(receive, notice, path, facts)
        else:
            kept = _kept_apart(path, "cut-off")
            notice(
                "receiver",
                f"an image ends too early, and is kept as '{kept}': it was cut off, and its "
                "sender knows that, or it is damaged",
            )
    return not _images(folder)


def _take(receive: Receive, notice: Notice, path: Path, facts: Tags) -> None:
    """Take an image in; what is no image for mroute has been answered, and must not be lost."""
    try:
        receive(path, facts)
    except MrouteError as error:
        kept = _kept_apart(path, "refused")
        notice("receiver", f"an image cannot be routed, and is kept as '{kept}': {error}")
    except OSError as error:  # the disk is full, say: it stays where it is, and is tried again
        notice("receiver", f"an image cannot be taken in now: {error.strerror or error}")


def _kept_apart(path: Path, because: str) -> Path:
    kept = path.parent.parent.parent / f"{because}-{uuid.uuid4()}.dcm"
    path.rename(kept)
    return kept


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != _FACTS)


def _opened_by(pid: int) -> set[int]:
    """The numbers of the files that a process has open."""
    found = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(descriptor.stat().st_ino)
    return found
