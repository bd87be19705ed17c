"""The work of the queue ``anonymizing``: removes DICOM elements from the images of a task.

Knows how a task is changed so that a repetition ends at the same. Does not know which rule asked
for it or who gets the images afterwards.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, JsonValue
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from mroute.api import Failed, HandOver, Model, Settlement, Task, WorkContext

QUEUE = "anonymizing"
SECTION = "anonymize"

FACTS = {"PatientName": "patient_name", "PatientID": "mrn", "AccessionNumber": "acc"}
"""Elements that ``task.json`` repeats in its section ``info``, and under which key."""


class RemovalSection(Model):
    """The section of ``task.json`` that belongs to the queue."""

    remove: tuple[str, ...] = Field(
        description="Keywords of the elements to remove.", examples=[["PatientName", "PatientID"]]
    )


def remove_elements(task: Task, context: WorkContext) -> Settlement:
    """Remove the elements from every image, and with them what mroute noted from them."""
    section = RemovalSection.model_validate(task.content[SECTION])
    images = task.images()
    for image in images:
        try:
            _rewrite(image, section.remove)
        except InvalidDicomError as error:
            return Failed(f"'{image.name}' is no DICOM file: {error}", stage=QUEUE)
    for tags in set(task.files()) - set(images):
        tags.unlink()
    context.save("info", _without(task.content["info"], section.remove))
    removed = ", ".join(section.remove)
    return HandOver("outgoing", f"removed {removed} from {len(images)} images")


def _rewrite(image: Path, keywords: tuple[str, ...]) -> None:
    dataset = dcmread(image)
    _remove(dataset, keywords)
    # A hidden name is no image of the task: a process killed here leaves none half written.
    rewritten = image.with_name(f".{image.name}")
    dataset.save_as(rewritten)
    rewritten.replace(image)


def _remove(dataset: Dataset, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        if keyword in dataset:
            delattr(dataset, keyword)
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _remove(item, keywords)


def _without(info: JsonValue, keywords: tuple[str, ...]) -> JsonValue:
    assert isinstance(info, dict)
    return {**info, **{FACTS[each]: "REMOVED" for each in keywords if each in FACTS}}
