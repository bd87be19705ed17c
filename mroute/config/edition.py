"""Which edition of a file there is on disk: whether it was edited or replaced.

Knows what the file system says of a file. Does not know what is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

Edition: TypeAlias = tuple[int, int, int, int] | None
"""Times of the last edit and the last change of its rights in nanoseconds, bytes, and inode.

None where the file is gone.
"""


def edition_of(file: Path) -> Edition:
    """The edition that is there now. It costs a look at the folder; the file is not read."""
    try:
        status = file.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
