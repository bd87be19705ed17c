"""The images of the demonstration: DICOM files that come with pydicom, sorted into series.

Knows which files are taken. Does not know what becomes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom

from mroute.errors import TagsError
from mroute.types import Tags

_FILES = (
    "dicomdirtests/*/*/*",
    "CT_small.dcm",
    "MR_small.dcm",
    "examples_ybr_color.dcm",
    "examples_palette.dcm",
    "rtplan.dcm",
    "reportsi.dcm",
    "waveform_ecg.dcm",
)


@dataclass(frozen=True, slots=True)
class DemoSeries:
    """A series: the tags of its first image, and its image files."""

    uid: str
    tags: Tags
    images: tuple[Path, ...]


def demo_series(read: Callable[[Path], Tags]) -> tuple[DemoSeries, ...]:
    """The series among pydicom's files, in the order of their files.

    ``read`` makes the tag list of an image. Files without the UIDs that a receiver needs are left
    out, and so is a second file of one SOPInstanceUID.
    """
    found: dict[str, dict[str, tuple[Path, Tags]]] = {}
    for path in _paths():
        try:
            tags = read(path)
        except TagsError:
            continue
        series = found.setdefault(tags["SeriesInstanceUID"], {})
        series.setdefault(tags["SOPInstanceUID"], (path, tags))
    return tuple(
        DemoSeries(uid, images[min(images)][1], tuple(path for path, _ in images.values()))
        for uid, images in found.items()
    )


def _paths() -> list[Path]:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    paths = [path for pattern in _FILES for path in sorted(folder.glob(pattern))]
    return [path for path in paths if path.is_file()]
