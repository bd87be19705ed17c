"""The names of tags: DICOM's keywords, and what mroute itself says about a series.

Knows how a name is spelled in pydicom's dictionary, which is read on first use, and only by those
who check or compile. Does not know the values of tags.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from mroute.expr.errors import nearest
from mroute.expr.nodes import Tag

FACTS: Final = (
    "SenderAddress",
    "SenderAET",
    "ReceiverAET",
    "Filename",
    "MediaStorageSOPClassUID",
    "SpecificCharacterSet",
)
"""What tag lists hold beyond the data set: how a series arrived, and in which file."""

_NUMERIC = re.compile(r"[0-9a-fA-F]{4},[0-9a-fA-F]{4}")


def canonical(name: str) -> str | None:
    """The DICOM keyword or fact that ``name`` is in some case, or None where there is none."""
    return _spellings().get(name.lower())


def keyword_of(tag: Tag) -> str:
    """What ``tag`` is called: as in the dictionary, where that knows it in some case."""
    return tag.name if tag.exact else canonical(tag.name) or tag.name


def is_numeric(name: str) -> bool:
    """Whether ``name`` is a tag by number, as private ones are: ``0019,100c``."""
    return _NUMERIC.fullmatch(name) is not None


def suggestion(name: str) -> str:
    """The tag that ``name`` was probably meant to be, or an empty text."""
    return nearest(name, list(_spellings().values()))


@cache
def _spellings() -> Mapping[str, str]:
    keywords = (entry[4] for entry in _entries() if entry[4])
    return {keyword.lower(): keyword for keyword in (*keywords, *FACTS)}


def _entries() -> list[Any]:
    # Reading pydicom's table alone takes 5 ms, importing pydicom 200.
    package = importlib.util.find_spec("pydicom")
    if package is not None and package.origin is not None:
        path = Path(package.origin).with_name("_dicom_dict.py")
        spec = importlib.util.spec_from_file_location("mroute_dicom_dictionary", path)
        if path.is_file() and spec is not None and spec.loader is not None:
            table = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(table)
            return [*table.DicomDictionary.values(), *table.RepeatersDictionary.values()]
    from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

    return [*DicomDictionary.values(), *RepeatersDictionary.values()]
