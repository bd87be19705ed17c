"""Copies of files that last, and new names for them, in a folder that others write to as well.

Knows file systems. Does not know what the files are.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems without hard links say: of memory cards, and of some servers."""

_CHUNK = 1024 * 1024


def copy(source: Path, destination: Path) -> None:
    """Copy a file, so that the copy lasts through a loss of power."""
    shutil.copy2(source, destination)
    flush(destination)


def flush(path: Path) -> None:
    """Make the content of a file, or the names in a folder, last through a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_new(path: Path, name: Path) -> bool:
    """Rename a file, unless something has the name already; returns whether it was renamed."""
    try:
        os.link(path, name)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # There, what another makes under this name between these two lines is lost.
        if os.path.lexists(name):
            return False
        path.rename(name)
        return True
    path.unlink()
    return True


def is_same(file: Path, other: Path) -> bool:
    """Whether a file has the content of another; what is no file has not."""
    if not other.is_file() or other.stat().st_size != file.stat().st_size:
        return False
    with file.open("rb") as ours, other.open("rb") as theirs:
        while chunk := ours.read(_CHUNK):
            if chunk != theirs.read(_CHUNK):
                return False
    return True
