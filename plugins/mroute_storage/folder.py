"""The target type ``folder``: a folder, local or mounted, that gets a folder for each task.

Knows how a task gets there whole and once, whatever interrupts it. Does not know which tasks come.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from mroute.api import FilePath, Shipment, TargetBase, TargetDownError, WorkContext

TASK_FILE = "task.json"


class FolderTarget(TargetBase):
    """A folder that gets a folder for each task, with its images, their tags and ``task.json``."""

    type: Literal["folder"]
    path: FilePath = Field(
        description="The folder, relative to this file. Where it is missing it is made, if the "
        "folder above it is there.",
        examples=["/data/archive"],
    )


def send_to_folder(shipment: Shipment, target: FolderTarget, context: WorkContext) -> None:
    """Copy the task under another name, then rename it: no half of it is ever seen.

    A task that is there already was delivered before and is left alone. Raises
    `TargetDownError` where the folder is not there or does not take it, and `ValueError` for a task
    whose id is no name of a folder.
    """
    task = shipment.task
    if not task.id or task.id.startswith(".") or Path(task.id).name != task.id:
        raise ValueError(f"the id of the task, {task.id!a}, cannot be the name of a folder")
    delivered = target.path / task.id
    partial = target.path / f".{task.id}.part"
    try:
        if delivered.exists():
            return
        target.path.mkdir(exist_ok=True)
        if partial.exists():  # of a process that died
            shutil.rmtree(partial)
        partial.mkdir()
        for file in (*task.files(), task.folder / TASK_FILE):
            _copy(file, partial / file.name)
        _flush(partial)
        partial.rename(delivered)
        _flush(target.path)
    except OSError as error:
        raise TargetDownError(f"'{target.path}': {error.strerror or error}") from error


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


def _copy(source: Path, destination: Path) -> None:
    shutil.copy2(source, destination)
    _flush(destination)


def _flush(path: Path) -> None:
    """Make the content of a file, or the names in a folder, last through a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
