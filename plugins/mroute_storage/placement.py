"""Where the files of a task go, image by image, and under which names: for every type alike.

Knows layouts, what is left out, and that a name may be taken. Does not know what is at a target.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mroute.api import DeliveryError, Shipment, TagsError, Task, WorkContext
from mroute_storage.layout import folder_for, needs_tags

Exclude = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(
        description="Names of files that are left out, with `*`, `?` and `[...]` as in a shell; "
        "capital and small letters differ.",
        examples=[["*.tags"], ["*.sr.dcm", "preview-*"]],
    ),
]
"""Patterns for names of files of a task that a target does not get."""

LEFT_OUT = "left out: 'exclude' has a pattern of its name"
"""The warning of an image that is not sent, and counts as stored: else no task would be done."""

BESIDE = "its name is taken there by something else; stored beside it, with the task id in its name"
"""The warning of an image that has its second name."""

NAMES = 2
"""Names that a file may have at a target: its own, and one with the id of the task."""

_DICOM, _TAGS = ".dcm", ".tags"


class NameTakenError(Exception):
    """Files with other content have all the names that a file could get; the text says so."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that goes to a target: by the first of its names that no other content has."""

    path: Path
    names: tuple[str, ...]

    def no_name(self) -> NameTakenError:
        """The error where other content has every name."""
        names = " and ".join(f"'{name}'" for name in self.names)
        return NameTakenError(f"{names} are there with other content; move one of them away")


@dataclass(frozen=True, slots=True)
class Placement:
    """An image and the file of its tags, without what is left out, and the folder they go to.

    The folder is relative, with slashes, and may have patient data in it.
    """

    image: Path
    folder: str
    parts: tuple[Part, ...]

    def at(self, name: str) -> str:
        """The path of a name in the folder."""
        return f"{self.folder}/{name}" if self.folder else name

    def warning(self, number: int) -> str:
        """What is said of an image that is there by its name of this number, counted from 0."""
        if all(part.path != self.image for part in self.parts):
            return LEFT_OUT
        return BESIDE if number else ""


def placements(
    shipment: Shipment,
    layout: str,
    exclude: tuple[str, ...],
    context: WorkContext,
    *,
    with_tags: bool,
) -> Generator[Placement, None, None]:
    """Where each image of a shipment goes, and the file of its tags where that goes ``with_tags``.

    An image of which nothing is to be sent is reported as stored here, and one whose tags are
    needed for its folder and not there as refused. Raises `DeliveryError` between two images when
    mroute is to stop, and `ValueError` for a task whose id is no name.
    """
    task_id = named_task(shipment.task)
    for image in shipment.images:
        if context.stop.is_set():
            raise DeliveryError("mroute was asked to stop")
        names = image.name, f"{image.stem}#{task_id}{image.suffix}"
        parts = [Part(image, names)]
        if with_tags:
            # Beside 'a.dcm' is 'a.tags', and beside any other 'b' is 'b.tags'.
            beside = tuple(name.removesuffix(_DICOM) + _TAGS for name in names)
            parts.append(Part(image.with_name(beside[0]), beside))
        wanted = tuple(
            part
            for part in parts
            if not is_excluded(part.path.name, exclude)
            and (part.path == image or part.path.exists())
        )
        if not wanted:
            shipment.stored(image, "", LEFT_OUT)
            continue
        try:
            tags = context.tags(image) if needs_tags(layout) else {}
        except TagsError as error:
            shipment.refused(image, "", f"it has no tags, so it has no place: {error}")
            continue
        yield Placement(image, folder_for(layout, tags, task_id), wanted)


def named_task(task: Task) -> str:
    """The id of a task; raises `ValueError` for one that cannot be a part of a name."""
    if not task.id or task.id.startswith(".") or Path(task.id).name != task.id:
        raise ValueError(f"the id of the task, {task.id!a}, cannot be the name of a folder")
    return task.id


def is_excluded(name: str, exclude: tuple[str, ...]) -> bool:
    """Whether a file of this name is left out."""
    return any(fnmatchcase(name, pattern) for pattern in exclude)
