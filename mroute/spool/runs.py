"""The runs that share a spool: each registers itself, and is known to live by its lock.

Knows which others there are, and that they all have to be on one host: the kernel that holds the
locks is the one that frees them. Does not know what a run does.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from mroute.errors import SpoolError, describe
from mroute.registry import MEMORY_FILE
from mroute.spool.files import Files
from mroute.spool.held import is_held
from mroute.spool.layout import Spool
from mroute.spool.locks import Lock, try_lock

_BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Another one after every start of the kernel; the containers of a host have the same."""


_ATTEMPTS = 100
_PAUSE = 0.01
"""Seconds until a lock that somebody looks at is tried again."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of mroute; claims name it by its ``id``.

    ``boot_id`` identifies the kernel that holds its locks.
    """

    id: str
    host: str
    boot_id: str
    pid: int
    rule_file: str
    started_at: str


def this_run(rule_file: Path, now: datetime) -> Run:
    """The run that this process is, with the rule file it works by."""
    host = socket.gethostname()
    try:
        boot_id = _BOOT.read_text("ascii").strip()
    except OSError:  # not Linux: the name of the host has to do
        boot_id = host
    return Run(
        uuid.uuid4().hex, host, boot_id, os.getpid(), str(rule_file.resolve()), now.isoformat()
    )


@contextmanager
def registered(spool: Spool, files: Files, run: Run, memory: object) -> Iterator[list[Run]]:
    """Be one of the runs of the spool; gives the others that live.

    ``memory`` is written to the spool for whoever loads a rule file later. Raises `SpoolError`
    where a run on another host lives, or nothing can be locked.
    """
    mark = spool.runs / run.id
    try:
        with _alone(spool):
            others = _living(spool)
            _refuse_other_hosts(spool, run, others)
            files.write_json(spool.root / MEMORY_FILE, memory)
            files.write_json(mark.with_suffix(".json"), asdict(run))
            lock = _take(mark.with_suffix(".lock"))
    except OSError as error:
        raise SpoolError(
            f"the spool cannot be locked: {describe(error)}; it needs a file system with kernel "
            "locks and room for a file"
        ) from error
    try:
        yield others
    finally:
        try:
            _forget(mark)
        finally:
            lock.release()


def living_runs(spool: Spool) -> list[Run]:
    """The runs that live, for whoever only looks: nothing is locked for that, and nothing removed.

    One that begins or ends in this instant may be missing.
    """
    marks = sorted(spool.runs.glob("*.lock"))
    return [_read(mark.with_suffix(".json")) for mark in marks if is_held(mark)]


def is_alive(spool: Spool, run_id: str) -> bool:
    """Whether the run of that id still lives."""
    path = spool.runs / f"{run_id}.lock"
    if not path.exists():
        return False
    lock = try_lock(path)
    if lock is None:
        return True
    lock.release()
    return False


def spare_folder(spool: Spool, run_id: str) -> Path:
    """Where the folder of a claim that has ended waits for the next claim of that run."""
    return spool.runs / f"{run_id}.spare"


def _take(path: Path) -> Lock:
    """The lock at ``path``, which nobody else wants, but whoever looks (`is_held`) has a moment."""
    for _ in range(_ATTEMPTS):
        lock = try_lock(path)
        if lock is not None:
            return lock
        time.sleep(_PAUSE)
    raise OSError(errno.EWOULDBLOCK, "somebody else holds it", str(path))


@contextmanager
def _alone(spool: Spool) -> Iterator[None]:
    """Be the only one that looks at the runs; that takes no longer than looking."""
    path = spool.locks / "runs.lock"
    with FileLock(path, fallback_to_soft=False, is_singleton=False, thread_local=False):
        yield


def _living(spool: Spool) -> list[Run]:
    """The runs whose locks are held; those of runs that died are removed."""
    living = []
    for path in sorted(spool.runs.glob("*.lock")):
        lock = try_lock(path)
        if lock is None:
            living.append(_read(path.with_suffix(".json")))
        else:
            try:
                _forget(path)
            finally:
                lock.release()
    for path in spool.runs.glob("*.json"):
        if not path.with_suffix(".lock").exists():  # the disk was full when it began
            path.unlink(missing_ok=True)
    return living


def _read(path: Path) -> Run:
    try:
        return Run(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):  # it lives, and nobody knows where
        return Run(path.stem, "unknown", "", 0, "", "unknown")


def _refuse_other_hosts(spool: Spool, run: Run, others: list[Run]) -> None:
    for other in others:
        if other.boot_id != run.boot_id:
            raise SpoolError(
                f"the spool '{spool.root}' is in use by 'mroute run' on host '{other.host}', "
                f"process {other.pid}, since {other.started_at}; several runs share a spool on "
                "one host only: stop that one first, or give this one a spool of its own"
            )


def _forget(mark: Path) -> None:
    with suppress(FileNotFoundError):
        mark.with_suffix(".spare").rmdir()
    mark.with_suffix(".json").unlink(missing_ok=True)
    mark.with_suffix(".lock").unlink(missing_ok=True)
