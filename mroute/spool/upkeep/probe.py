"""Whether a folder of the spool takes a file: found out by writing one.

Knows how that leaves nothing behind. Does not know what follows from the answer.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from mroute.models import Durability
from mroute.spool.copying import write_all
from mroute.spool.files import Files
from mroute.spool.layout import PROBE_PREFIX

_CONTENT = b"mroute doctor\n" * 512
"""Some blocks: a file of a few bytes needs none on some file systems."""


def try_writing(folder: Path) -> None:
    """Make a file in ``folder``, write and flush it; raises `OSError` where that cannot be done.

    It has a name for an instant only, by which whoever works on the spool leaves it alone: a
    process that is killed leaves nothing behind.
    """
    path = folder / f"{PROBE_PREFIX}{uuid.uuid4()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        path.unlink()
        write_all(descriptor, _CONTENT)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    Files(Durability.POWER).flush_folder(folder)
