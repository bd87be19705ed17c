"""Locks that the kernel holds: they vanish with the process that took them.

Knows how a lock is taken without waiting, and when one was taken on a file that is gone. Does not
know what is locked.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, lock_descriptor, unlock_descriptor

from mroute.spool.layout import Spool

_STUDY_LOCKS = 64
"""Studies share this many lock files, so that the locks of finished studies do not pile up."""

_RELEASED = -1


class Lock:
    """A lock that this process holds until it is released or nobody refers to it any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock; does nothing where that was done before."""
        descriptor, self._descriptor = self._descriptor, _RELEASED
        if descriptor != _RELEASED:
            # Closing alone does not do: a program that is being started has the descriptor too.
            try:
                unlock_descriptor(descriptor)
            finally:
                os.close(descriptor)

    def __del__(self) -> None:
        self.release()


def try_lock(path: Path) -> Lock | None:
    """Take the lock at ``path``, or return None where another holder has it or its folder is gone.

    A folder that is gone is not made again, as `FileLock` would: a task that was taken away would
    come back as a folder with nothing but a lock in it. A file system without kernel locks raises
    `OSError`: a lock that outlives its process would strand images.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        return None
    try:
        # A lock on a file that was deleted since it was opened keeps nobody out.
        if lock_descriptor(descriptor, blocking=False) and os.fstat(descriptor).st_nlink:
            return Lock(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


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
    with stream:
        if not lock_descriptor(stream.fileno(), blocking=False):
            yield None
            return
        try:
            yield stream.read() if _is_still_at(path, stream.fileno()) else None
        finally:  # as in `Lock.release`
            unlock_descriptor(stream.fileno())


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def study_lock(spool: Spool, folder_name: str) -> Iterator[None]:
    """Hold the lock under which a collecting study is joined or taken away; waits for it."""
    number = zlib.crc32(folder_name.encode("utf-8", "surrogatepass")) % _STUDY_LOCKS
    path = spool.locks / f"study-{number:02}.lock"
    with FileLock(path, fallback_to_soft=False, is_singleton=False, thread_local=False):
        yield
