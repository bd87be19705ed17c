"""Sends a shipment to a folder by rsync, and has a command run when a task is complete there.

Knows what is reported of each image, and when. Does not know how rsync is run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mroute.api import Shipment, WorkContext
from mroute_storage.placement import NAMES, Placement, placements
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
    coming = placements(watched, target.layout, target.exclude, context, with_tags=False)
    left = places = tuple(coming)
    for number in range(NAMES):
        if left:
            wanted = {each.at(each.parts[0].names[number]): each for each in left}
            left = transfer(
                shipment.task.folder, target, wanted, partial(report.arrived, number), context.stop
            )
    for each in left:
        report.refused(each.image, "", str(each.parts[0].no_name()))
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
    _held: tuple[int, Placement] | None = None

    def arrived(self, number: int, placement: Placement) -> None:
        """An image is there by the name of this number."""
        if self.holds and self._held is None:
            self._held = (number, placement)
        else:
            self._stored(number, placement)

    def refused(self, image: Path, status: str, reason: str) -> None:
        self.is_complete = False
        self.shipment.refused(image, status, reason)

    def release(self) -> None:
        if self._held is not None:
            self._stored(*self._held)

    def _stored(self, number: int, placement: Placement) -> None:
        self.shipment.stored(placement.image, "", placement.warning(number))
