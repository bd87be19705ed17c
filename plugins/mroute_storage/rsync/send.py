"""Sends a shipment to a folder by rsync, and has a command run when a task is complete there.

Knows what is reported of each image, and when. Does not know how rsync is run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mroute.api import Shipment, WorkContext
from mroute_storage.placing import BESIDE, TAKEN, name_beside, placed
from mroute_storage.rsync.after import run_after
from mroute_storage.rsync.target import RsyncTarget
from mroute_storage.rsync.transfer import transfer


def send_to_rsync(shipment: Shipment, target: RsyncTarget, context: WorkContext) -> None:
    """Have every image below the folder; what is there already with this content is left alone.

    Raises `DeliveryError` and `TargetDownError`: images whose storing was not reported then are
    found there by the next attempt.
    """
    report = _Report(shipment, holds=bool(target.after))
    watched = replace(shipment, refused=report.refused)
    places = dict(placed(watched, target.layout, target.exclude, context))
    left = {_name(folder, image.name): image for image, folder in places.items()}
    for warning in ("", BESIDE):
        if warning:
            task_id = shipment.task.id
            left = {
                _name(places[image], name_beside(image.name, task_id)): image
                for image in left.values()
            }
        if left:
            arrived = partial(report.stored, warning=warning)
            left = transfer(target, left, arrived, context.stop)
    for image in left.values():
        report.refused(image, "", TAKEN)
    if target.after and places and report.is_complete:
        run_after(shipment, target, context)
    report.release()


@dataclass(slots=True)
class _Report:
    """Reports images; holds one back until the command has run, so that it is run again else.

    A task of which every image is stored would never come back.
    """

    shipment: Shipment
    holds: bool
    is_complete: bool = True
    _held: tuple[Path, str] | None = None

    def stored(self, image: Path, warning: str) -> None:
        if self.holds and self._held is None:
            self._held = (image, warning)
        else:
            self.shipment.stored(image, "", warning)

    def refused(self, image: Path, status: str, reason: str) -> None:
        self.is_complete = False
        self.shipment.refused(image, status, reason)

    def release(self) -> None:
        if self._held is not None:
            image, warning = self._held
            self.shipment.stored(image, "", warning)


def _name(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
