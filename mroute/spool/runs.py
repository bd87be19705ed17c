"""The processes that work on a spool: each holds a kernel lock as long as it lives.

Knows which of them are alive. Does not know what they do.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mroute.spool.layout import Spool
from mroute.spool.locks import try_lock


@contextmanager
def registered(spool: Spool) -> Iterator[str]:
    """Count as alive; yields the id by which claims name their owner."""
    run = uuid.uuid4().hex
    path = _lock_file(spool, run)
    path.parent.mkdir(exist_ok=True)
    lock = try_lock(path)
    assert lock is not None, "nobody else knows the id"
    try:
        yield run
    finally:
        lock.release()
        path.unlink(missing_ok=True)


def is_alive(spool: Spool, run: str) -> bool:
    """Whether the process that was registered as ``run`` still lives."""
    path = _lock_file(spool, run)
    if not path.exists():
        return False
    lock = try_lock(path)
    if lock is None:
        return True
    lock.release()
    return False


def _lock_file(spool: Spool, run: str) -> Path:
    return spool.staging / "runs" / run
