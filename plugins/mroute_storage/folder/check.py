"""What keeps a folder from taking files, found out without leaving anything there.

Knows what to look at. Does not know who asks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mroute_storage.folder.target import FolderTarget


def check_folder(name: str, target: FolderTarget, files: Sequence[Path]) -> list[str]:
    """What keeps the folder from taking tasks, a sentence each."""
    path = target.path
    if path.exists() and not path.is_dir():
        return [f"'{path}' is not a folder"]
    nearest = path if path.exists() else path.parent
    if not nearest.is_dir():
        return [f"neither '{path}' nor the folder above it is there; make it, or mount it"]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [f"'{nearest}' cannot be written by this user"]
    return []
