"""The tag reader ``pydicom``: the tag list of a DICOM file.

Knows which files are DICOM images and which tags one must have. Does not know what is done with
them. pydicom is loaded with the first file.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mroute.api import TagsError

if TYPE_CHECKING:
    from pydicom import FileDataset

_REQUIRED = ("SeriesInstanceUID", "SOPInstanceUID")
_reading = threading.Lock()


def read_tags(path: Path) -> dict[str, str]:
    """Keyword to text of all elements before the pixel data, with some facts about the file.

    Raises `TagsError` for a file that is no DICOM image or has no UIDs.
    """
    from mroute_dicom.elements import element_texts
    from mroute_dicom.plain import plain_tags

    try:
        plain = plain_tags(path)
    except (OSError, ValueError):  # what is wrong with the file, the parser says
        plain = None
    if plain is not None and all(plain.get(keyword) for keyword in _REQUIRED):
        return {**plain, "Filename": path.name}
    with _without_warnings():
        dataset = _parse(path)
        tags: dict[str, str] = {}
        for keyword, text in element_texts(dataset):
            tags.setdefault(keyword, text)
        tags |= _file_facts(dataset, path)
    for keyword in _REQUIRED:
        if not tags.get(keyword):
            raise TagsError(f"'{path.name}' has no {keyword}; expected an image with its UIDs")
    return tags


def _parse(path: Path) -> FileDataset:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    from mroute_dicom.elements import LONGEST

    try:
        try:
            return dcmread(path, stop_before_pixels=True, defer_size=LONGEST)
        except InvalidDicomError as error:
            dataset = _parse_without_preamble(path)
            if dataset is None:
                said, _, _ = str(error).partition(" Use force")  # it is in vain: see above
                raise TagsError(f"'{path.name}' is no DICOM file: {said}") from error
            return dataset
    except TagsError:
        raise
    except OSError as error:
        raise TagsError(f"'{path.name}' cannot be read: {error.strerror or error}") from error
    # The parser raises whatever comes up in a file of any bytes.
    except Exception as error:
        raise TagsError(
            f"'{path.name}' is no DICOM file that can be read: {type(error).__name__}: {error}"
        ) from error


def _parse_without_preamble(path: Path) -> FileDataset | None:
    """A file that begins with its first element; None where it makes no sense."""
    from pydicom import dcmread

    from mroute_dicom.elements import LONGEST

    try:
        dataset = dcmread(path, stop_before_pixels=True, defer_size=LONGEST, force=True)
        return dataset if "SOPClassUID" in dataset and "SOPInstanceUID" in dataset else None
    # Bytes that are no DICOM can be taken for anything.
    except Exception:  # noqa: BLE001
        return None


def _file_facts(dataset: FileDataset, path: Path) -> dict[str, str]:
    meta = dataset.file_meta
    syntax = meta.get("TransferSyntaxUID") or _guessed_syntax(dataset)
    sop_class = meta.get("MediaStorageSOPClassUID") or dataset.get("SOPClassUID", "")
    return {
        "TransferSyntaxUID": str(syntax),
        "MediaStorageSOPClassUID": str(sop_class),
        "Filename": path.name,
    }


def _guessed_syntax(dataset: FileDataset) -> str:
    from pydicom import uid

    if dataset.original_encoding[0]:
        return uid.ImplicitVRLittleEndian
    little = dataset.original_encoding[1]
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence pydicom, whose warnings quote the values of patients on standard error.

    Filters belong to the whole process, so one file is read at a time.
    """
    with _reading, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
