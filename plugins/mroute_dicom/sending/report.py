"""What the answer to a C-STORE means (PS3.4, annex B; PS3.7, annex C).

Knows statuses. Does not know who is told.
"""

from __future__ import annotations

from pathlib import Path

from mroute.api import Shipment

REFUSED_CLASS = "0122"
"""The status of an instance whose SOP class, in its transfer syntax, the peer does not take."""

_WARNINGS = frozenset({0x0001, 0x0107, 0x0116})


def report(shipment: Shipment, image: Path, status: int) -> None:
    """Tell whoever sends a shipment what the peer answered for an image."""
    code = f"{status:04X}"
    if status == 0:
        shipment.stored(image, code, "")
    elif status >> 12 == 0xB or status in _WARNINGS:
        shipment.stored(image, code, _meaning(status))
    else:
        shipment.refused(image, code, _meaning(status))


def _meaning(status: int) -> str:
    from pynetdicom.status import STORAGE_SERVICE_CLASS_STATUS

    _, meaning = STORAGE_SERVICE_CLASS_STATUS.get(status, ("", ""))
    return meaning or "a status that the standard does not have"


def not_accepted(shipment: Shipment, image: Path, sop_class: str, syntax: str) -> None:
    """Tell that the peer does not take what the image is."""
    shipment.refused(image, REFUSED_CLASS, f"it takes no {name_of(sop_class)} in {name_of(syntax)}")


def name_of(uid: str) -> str:
    """The name of a UID; the UID itself where the standard has none."""
    from pydicom.uid import UID

    return UID(uid).name
