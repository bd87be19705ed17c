"""Series as a CT has them, for what moves images: 64 images of 0.5 MB.

An image has 2 kB of tags, as those of facts.md: without the private elements of its vendor, which
would be three quarters of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

IMAGES = 64
PIXELS = 528_000
"""Bytes of the pixel data of an image."""


def write_series(folder: Path, images: int = IMAGES) -> Path:
    """Write a new series of CT images, each with other pixels."""
    dataset = dcmread(str(get_testdata_file("CT_small.dcm")))
    dataset.remove_private_tags()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.StudyInstanceUID = generate_uid()
    folder.mkdir()
    for number in range(images):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber = number + 1
        dataset.PixelData = os.urandom(PIXELS)
        dataset.save_as(folder / f"{number}.dcm")
    return folder
