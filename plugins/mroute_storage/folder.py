"""The target type ``folder``: a folder, local or mounted, for whole tasks or image by image.

Knows how a task gets there whole and once, whatever interrupts it. Does not know which tasks come,
or how one image is placed (images).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from mroute.api import (
    FilePath,
    Shipment,
    TargetBase,
    TargetDownError,
    WorkContext,
    raise_exhaustion,
)
from mroute_storage.files import copy, flush
from mroute_storage.images import Folder
from mroute_storage.layout import Layout
from mroute_storage.placement import Exclude, is_excluded, named_task, placements

TASK_FILE = "task.json"


class FolderTarget(TargetBase):
    """A folder that gets tasks as folders, or images in folders that their tags name."""

    type: Literal["folder"]
    path: FilePath = Field(
        description="The folder, relative to this file. Where it is missing it is made, if the "
        "folder above it is there.",
        examples=["/data/archive"],
    )
    layout: Layout = Field(
        "",
        description="Folders below it that images go to, with tags by keyword, and `task_id`, in "
        "braces. If not given, each task gets a folder of its own, with its `task.json`, which "
        "appears when it is whole.",
    )
    exclude: Exclude = ()


def send_to_folder(shipment: Shipment, target: FolderTarget, context: WorkContext) -> None:
    """Copy the task, or image by image where there is a layout: no half is seen under a real name.

    What is there already was delivered before and is left alone. Raises `TargetDownError` where the
    folder is not there or does not take anything, and `ValueError` for a task whose id is no name
    of a folder.
    """
    task_id = named_task(shipment.task)
    if not target.layout:
        _send_whole(shipment, target)
        return
    folder = Folder(target.path, task_id)
    for placement in placements(shipment, target.layout, target.exclude, context):
        folder.take(placement, shipment)


def _send_whole(shipment: Shipment, target: FolderTarget) -> None:
    """Copy the task under another name, then rename it."""
    task = shipment.task
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
            if not is_excluded(file.name, target.exclude):
                copy(file, partial / file.name)
        flush(partial)
        partial.rename(delivered)
        flush(target.path)
    except OSError as error:
        raise_exhaustion(error)
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
