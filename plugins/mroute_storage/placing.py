"""Which images of a shipment go into which folder of a target.

Knows layouts, and patterns of names that are left out. Does not know how an image gets there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Annotated

from pydantic import Field

from mroute.api import Shipment, TagsError, WorkContext
from mroute_storage.layout import folder_for

Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...], Field(examples=[["*.sr.dcm", "preview-*"]])
]
"""Patterns of names of files, as a shell has them."""


def placed(
    shipment: Shipment, layout: str, exclude: Sequence[str], context: WorkContext
) -> Iterator[tuple[Path, str]]:
    """Each image that is to be sent, with its folder below the target.

    One that is left out counts as stored, with a warning that says so: else the task would never be
    done. One without tags is refused, whatever the layout: it belongs nowhere.
    """
    for image in shipment.images:
        if any(fnmatchcase(image.name, pattern) for pattern in exclude):
            shipment.stored(image, "", "left out: 'exclude' has a pattern of its name")
            continue
        try:
            tags = context.tags(image)
        except TagsError as error:
            shipment.refused(image, "", f"it has no tags, so it has no place: {error}")
            continue
        yield image, folder_for(layout, tags, shipment.task.id)


def name_beside(name: str, task_id: str) -> str:
    """Another name for an image whose own has something else in it at the target."""
    path = PurePath(name)
    return f"{path.stem}#{task_id}{path.suffix}"


BESIDE = "its name is taken there by something else; stored beside it, with the task id in its name"
"""The warning of an image that has such a name."""

TAKEN = "its name is taken there by something else, and so is the one with the task id"
"""Why an image is refused that cannot even have that name."""
