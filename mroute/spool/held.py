"""Whether a lock is held, for whoever only looks.

Knows how to find that out without taking or making the lock. Does not know what is locked.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock at ``path``; it is neither made nor taken for that.

    A lock that cannot be looked at counts as free.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look do not see each other; a worker that wants the lock in this
        # instant comes again.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
