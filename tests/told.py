"""What a target says of the images that it is sent, and what a folder holds after that.

Knows shipments. Does not know a type of target.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mroute.api import Shipment, Task


@dataclass
class Told:
    """What was said of each image, by its name: status and warning, or why it was refused."""

    stored: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def shipment(self, task: Task, images: Iterable[Path] | None = None) -> Shipment:
        """Images, or those of the task of which it was not said yet that they are stored."""
        missing = (each for each in task.images() if each.name not in self.stored)
        return Shipment(
            task,
            "archive",
            tuple(missing if images is None else images),
            partial(_keep, self.stored),
            partial(_keep, self.refused),
        )


def contents(folder: Path) -> dict[str, bytes]:
    """Each file below a folder, by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _keep(said: dict[str, str], image: Path, status: str, text: str) -> None:
    said[image.name] = f"{status} {text}".strip()
