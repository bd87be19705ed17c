"""Sends a shipment to a folder: the task as a whole, or image by image where there is a layout.

Knows that half a task is under no real name. Does not know how one image is stored (images).
"""

from __future__ import annotations

import shutil

from mroute.api import (
    Shipment,
    TargetDownError,
    WorkContext,
    raise_exhaustion,
)
from mroute_storage.folder.files import copy, flush
from mroute_storage.folder.images import Folder
from mroute_storage.folder.target import FolderTarget
from mroute_storage.placement import is_excluded, named_task, placements

TASK_FILE = "task.json"


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
    coming = placements(shipment, target.layout, target.exclude, context, with_tags=True)
    for placement in coming:
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
