"""The target type ``dicomweb``: stores images by STOW-RS (PS3.18, section 10.5).

Knows how many images go with a request, and what becomes of each. Does not know HTTP (service), nor
how an answer is read (results).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPMethod
from typing import Literal

from pydantic import Field

from mroute.api import DeliveryError, Shipment, TargetDownError, WorkContext
from mroute_web.instances import Instance, sendable
from mroute_web.multipart import Related
from mroute_web.results import Results, code, meaning, results_in
from mroute_web.service import Service, connected
from mroute_web.statuses import Patience, judge, name, words
from mroute_web.target import Authentication, WebTarget

JSON = "application/dicom+json"
STUDIES = "/studies"


class DicomwebTarget(WebTarget):
    """A DICOMweb service, which stores images by STOW-RS."""

    type: Literal["dicomweb"]
    authentication: Authentication | None = Field(
        None, description="As whom mroute shows itself; as nobody if not given."
    )
    batch: int = Field(
        10,
        ge=1,
        le=1000,
        description="How many images are sent with a request. They are read while they are sent.",
        examples=[10, 1],
    )

    def headers(self) -> dict[str, str]:
        """The headers of each request; raises `TargetDownError` where a secret is not there."""
        if self.authentication is None:
            return {"Accept": JSON}
        return {"Accept": JSON, "Authorization": self.authentication.header()}


def send_to_dicomweb(shipment: Shipment, target: DicomwebTarget, context: WorkContext) -> None:
    """Send the images of a shipment, some with each request; report each.

    Raises `DeliveryError` where not all could be, or the service said nothing of one, and
    `TargetDownError` where none can be.
    """
    with connected(target, target.headers(), context.stop) as service:
        store = _Store(shipment, service)
        silent = sum(map(store.put, _batches(sendable(shipment), target.batch)))
    if silent:
        raise DeliveryError(f"{target.place} did not say what became of {silent} images")


class _Store:
    """Puts images into a service, and reports what it says of them."""

    def __init__(self, shipment: Shipment, service: Service) -> None:
        self._shipment = shipment
        self._service = service
        self._patience = Patience(str(service))

    def put(self, instances: Sequence[Instance]) -> int:
        """Send some images; returns of how many of them the service said nothing.

        Where it refuses them as a whole, each is sent alone: one that it cannot take keeps no other
        from being stored.
        """
        body = Related(instances)
        answer = self._service.ask(HTTPMethod.POST, STUDIES, headers=body.headers, body=body)
        judge(answer, str(self._service))
        results = results_in(answer.body)
        silent = [each for each in instances if not self._report(each, results or Results())]
        if answer.is_success:
            if results is None:
                raise TargetDownError(
                    f"{self._service} answered {words(answer.status)}, but not as STOW-RS does: is "
                    "'url' the root of a DICOMweb service?"
                )
            return len(silent)
        if len(instances) > 1:
            return sum(self.put([each]) for each in silent)
        for each in silent:
            self._shipment.refused(each.path, str(answer.status), name(answer.status))
            self._patience.note(answer.status)
        return 0

    def _report(self, instance: Instance, results: Results) -> bool:
        """Tell what became of an image; returns whether that was said."""
        if instance.uid in results.failed:
            reason = results.failed[instance.uid]
            why = "it did not say why" if reason is None else meaning(reason)
            self._shipment.refused(instance.path, code(reason), why)
        elif instance.uid in results.stored:
            reason = results.stored[instance.uid]
            warning = meaning(reason) if reason else ""
            self._shipment.stored(instance.path, code(reason or 0), warning)
        else:
            return False
        self._patience.note(0)
        return True


def _batches(instances: Iterable[Instance], size: int) -> Iterator[list[Instance]]:
    """So many at a time, and none twice: an answer knows an image by its UID alone."""
    batch: dict[str, Instance] = {}
    for each in instances:
        if len(batch) == size or each.uid in batch:
            yield list(batch.values())
            batch = {}
        batch[each.uid] = each
    if batch:
        yield list(batch.values())
