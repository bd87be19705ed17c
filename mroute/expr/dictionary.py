"""The names of tags: DICOM's keywords, and what mroute itself says about a series.

Knows how a name is spelled, and which value representation it has, in pydicom's dictionary, which
is read on first use, and only by those who check or compile. Does not know the values of tags.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, TypeAlias

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

Entry: TypeAlias = tuple[str, str, str, str, str]
"""A line of pydicom's dictionary: representation, multiplicity, name, whether retired, keyword."""

_KEYWORD: Final = 4
"""Where the keyword of an entry is."""

_NUMERIC = re.compile(r"[0-9a-fA-F]{4},[0-9a-fA-F]{4}")


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """The DICOM keyword or fact that ``name`` is in some case, or None where there is none."""
    entry = _entries_by_name().get(name.lower())
    return None if entry is None else entry[_KEYWORD]


def representation(name: str) -> tuple[str, str, str] | None:
    """Keyword, value representation and multiplicity of the tag that is ``name`` in some case.

    As in PS3.6: ``("ImageType", "CS", "2-n")``; a fact that is no DICOM tag has empty texts. None
    where there is no such tag.
    """
    entry = _entries_by_name().get(name.lower())
    return None if entry is None else (entry[_KEYWORD], entry[0], entry[1])


def keyword_of(tag: Tag) -> str:
    """What ``tag`` is called: as in the dictionary, where that knows it in some case."""
    return tag.name if tag.exact else canonical(tag.name) or tag.name


def is_numeric(name: str) -> bool:
    """Whether ``name`` is a tag by number, as private ones are: ``0019,100c``."""
    return _NUMERIC.fullmatch(name) is not None


def suggestion(name: str) -> str:
    """The tag that ``name`` was probably meant to be, or an empty text."""
    return nearest(name, [entry[_KEYWORD] for entry in _entries_by_name().values()])


@cache
def _entries_by_name() -> Mapping[str, Entry]:
    # Some facts are DICOM tags as well, and then have what the dictionary says of them.
    entries = [*(("", "", "", "", fact) for fact in FACTS), *_entries()]
    return {entry[_KEYWORD].lower(): entry for entry in entries if entry[_KEYWORD]}


def _entries() -> list[Entry]:
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
