"""The command that is run when all images of a task are at the target.

Knows what its arguments may name, and how they get to another machine whole. Does not know what it
does.
"""

from __future__ import annotations

import re
import shlex
from os.path import commonpath
from pathlib import PurePosixPath

from mroute.api import DeliveryError, Shipment, WorkContext
from mroute_storage.placement import placements
from mroute_storage.rsync.commands import ssh_command
from mroute_storage.rsync.running import run
from mroute_storage.rsync.target import RsyncTarget

_PLACEHOLDER = re.compile(r"\{(folder|task_id)\}")


def run_after(shipment: Shipment, target: RsyncTarget, context: WorkContext) -> None:
    """Run the command; raises `DeliveryError` where it fails, so that it is run again later."""
    values = {"folder": _folder(shipment, target, context), "task_id": shipment.task.id}
    command = filled(target.after, values)
    if target.host is not None and not target.after_here:
        command = [*ssh_command(target), target.host, shlex.join(command)]
    within = target.after_timeout.total_seconds()
    ended = run(command, context.stop, within=within, listens=False)
    if ended.code:
        raise DeliveryError(
            f"{target.place}: the images are there, but '{target.after[0]}', which is run after "
            f"that, ended with {ended.code}"
        )


def filled(command: tuple[str, ...], values: dict[str, str]) -> list[str]:
    """A command with values in it; whatever they are, each stays within its argument."""
    return [_PLACEHOLDER.sub(lambda found: values[found[1]], part) for part in command]


def _folder(shipment: Shipment, target: RsyncTarget, context: WorkContext) -> str:
    """The folder at the target that all images of the task are in, be they sent now or before."""
    task = shipment.task
    everything = Shipment(task, shipment.target_name, task.images())
    coming = placements(everything, target.layout, target.exclude, context, with_tags=False)
    return str(PurePosixPath(target.path, commonpath([each.folder for each in coming])))
