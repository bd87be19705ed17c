"""Locks that the kernel holds: they vanish with the process that took them.

Knows how a lock is taken without waiting, and when one was taken on a file that is gone. Does not
know what is locked.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mroute.spool.layout import Spool

_STUDY_LOCKS = 64
"""Studies share this many lock files, so that the locks of finished studies do not pile up."""


def try_lock(path: Path) -> FileLock | None:
    """Take the lock at ``path``, or return None where another holder has it or its folder is gone.

    A file system without kernel locks raises `OSError`: a lock that outlives its process would
    strand images.
    """
    lock = FileLock(path, fallback_to_soft=False, is_singleton=False, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except (Timeout, FileNotFoundError):
        return None
    return lock


@contextmanager
def locked_content(path: Path) -> Iterator[bytes | None]:
    """Hold the lock on a file itself, and give what is in it.

    None where another holder has it or it is gone. It may be replaced or removed by the holder:
    whoever waited for the file that was there before does not get it.
    """
    try:
        stream = path.open("r+b")
    except FileNotFoundError:
        yield None
        return
    with stream:  # closing it ends the lock
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            current = os.path.samestat(os.fstat(stream.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):
            current = False
        yield stream.read() if current else None


@contextmanager
def study_lock(spool: Spool, folder_name: str) -> Iterator[None]:
    """Hold the lock under which a collecting study is joined or taken away; waits for it."""
    number = zlib.crc32(folder_name.encode("utf-8", "surrogatepass")) % _STUDY_LOCKS
    path = spool.locks / f"study-{number:02}.lock"
    with FileLock(path, fallback_to_soft=False, is_singleton=False, thread_local=False):
        yield
