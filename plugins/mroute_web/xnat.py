"""The target type ``xnat``: hands images to the image session importer of an XNAT.

Knows that each image is sent and answered by itself. Does not know what an XNAT is asked
(xnat_session), nor how a label is made of tags (labels).
"""

from __future__ import annotations

from mroute.api import Shipment, TagsError, WorkContext
from mroute_web.instances import sendable
from mroute_web.labels import NoLabelError, label_for
from mroute_web.statuses import Patience
from mroute_web.xnat_session import session
from mroute_web.xnat_target import XnatTarget


def send_to_xnat(shipment: Shipment, target: XnatTarget, context: WorkContext) -> None:
    """Send the images of a shipment, one with each request; report each.

    Raises `DeliveryError` where not all could be, and `TargetDownError` where none can be.
    """
    with session(target, context.stop) as xnat:
        patience = Patience(target.place)
        for instance in sendable(shipment):
            try:
                tags = context.tags(instance.path)
                labels = label_for(target.subject, tags), label_for(target.session, tags)
            except (TagsError, NoLabelError) as error:
                shipment.refused(instance.path, "", str(error))
                continue
            status, refusal = xnat.put(instance, *labels)
            if refusal:
                shipment.refused(instance.path, str(status), refusal)
            else:
                shipment.stored(instance.path, str(status), "")
            patience.note(status)
