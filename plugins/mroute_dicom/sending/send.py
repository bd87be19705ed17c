"""Sends a shipment to a DICOM target, by the back end that its configuration asks for.

Knows what must be known of the images, and which back end is chosen. Does not know how they send.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mroute.api import Shipment, WorkContext
from mroute_dicom.sending.dcmtk import is_installed, send_by_dcmtk
from mroute_dicom.sending.direct import send_directly
from mroute_dicom.sending.instances import Instance, NotSendableError, read_instance
from mroute_dicom.sending.peer import peer_for
from mroute_dicom.sending.proposals import rounds
from mroute_dicom.sending.target import Backend, DicomTarget, TransferSyntaxes


def send_to_dicom(shipment: Shipment, target: DicomTarget, context: WorkContext) -> None:
    """Send the images of a shipment over as few associations as they need; report each.

    Raises `DeliveryError` where not all could be, `TargetDownError` where none can be, and
    `ValueError` where the images go back to a sender that is not known.
    """
    peer = peer_for(target, shipment.task)
    instances = list(_sendable(shipment))
    if not instances:
        return
    decompressed = target.transfer_syntaxes is TransferSyntaxes.DECOMPRESS_IF_REFUSED
    if _chosen(target, instances) is Backend.DCMTK:
        send_by_dcmtk(shipment, peer, instances, context, decompressed=decompressed)
    else:
        send_directly(shipment, peer, rounds(instances, decompressed=decompressed), context)


def _chosen(target: DicomTarget, instances: Sequence[Instance]) -> Backend:
    """The back end; left to mroute, the one that leaves data sets as they are where it can.

    Only a compressed image that the target may not take is better off with DCMTK, which brings its
    decoders with it.
    """
    if target.backend is not Backend.AUTO:
        return target.backend
    may_decompress = (
        target.transfer_syntaxes is TransferSyntaxes.DECOMPRESS_IF_REFUSED
        and target.tls is None
        and any(each.is_compressed for each in instances)
    )
    return Backend.DCMTK if may_decompress and is_installed() else Backend.PYNETDICOM


def _sendable(shipment: Shipment) -> Iterator[Instance]:
    """What the files hold; one that holds no instance is refused here."""
    for image in shipment.images:
        try:
            yield read_instance(image)
        except NotSendableError as error:
            shipment.refused(image, "", str(error))
