"""The images that are sent: files, and the SOP Instance that each one holds.

Knows how an instance is told from another. Does not decode one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mroute.api import DeliveryError, Shipment

_SOP_INSTANCE = 0x0008_0018
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Instance:
    """A DICOM file of ``size`` bytes, and the SOPInstanceUID in it."""

    path: Path
    uid: str
    size: int

    def pieces(self) -> Iterator[bytes]:
        """What is in the file, piece by piece; raises `DeliveryError` where it has become shorter.

        What has been added to it meanwhile is left out: how long it is was said already.
        """
        left = self.size
        with self.path.open("rb") as file:
            while left:
                piece = file.read(min(left, _PIECE))
                if not piece:
                    raise DeliveryError("an image became shorter while it was sent")
                left -= len(piece)
                yield piece


def sendable(shipment: Shipment) -> Iterator[Instance]:
    """The images of a shipment; a file that is none is refused here."""
    for image in shipment.images:
        try:
            yield read_instance(image)
        except ValueError as error:
            shipment.refused(image, "", str(error))


def read_instance(path: Path) -> Instance:
    """What the file at ``path`` holds; raises `OSError`, or `ValueError` with a sentence."""
    from pydicom.filereader import read_partial

    with path.open("rb") as file:
        try:
            dataset = read_partial(
                file, stop_when=lambda tag, vr, length: tag > _SOP_INSTANCE, force=True
            )
            meta = dataset.file_meta.get("MediaStorageSOPInstanceUID", "")
            uid = str(dataset.get("SOPInstanceUID", "") or meta)
        except OSError:
            raise
        # The parser raises whatever comes up in a file of any bytes.
        except Exception as error:
            raise ValueError(f"it is no DICOM file: {type(error).__name__}") from error
        if not (uid and len(uid) <= 64 and set(uid) <= set("0123456789.")):
            raise ValueError("it has no SOPInstanceUID")
        return Instance(path, uid, file.seek(0, 2))
