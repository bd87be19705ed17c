"""The folder ``incoming/``: how images get in, and which series have come to rest.

Knows when a series is complete: when nothing was added to its folder for a while. Does not know
how images reach this machine or what happens to a series.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mroute.errors import TagsError
from mroute.names import safe_name
from mroute.spool.files import Files
from mroute.spool.layout import TAGS_SUFFIX, Spool, tags_file
from mroute.spool.tags import read_tags, write_tags
from mroute.types import Tags

_ATTEMPTS = 10
"""How often a series folder may be claimed between making it and moving an image into it."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Names in ``incoming/``: complete series, pending ones, and what is no series at all."""

    complete: tuple[str, ...]
    pending: tuple[str, ...]
    loose: tuple[str, ...]


def scan(spool: Spool, now: datetime, quiet: timedelta) -> Arrivals:
    """Look at ``incoming/``; a series is complete when its folder was quiet for longer than
    ``quiet``. Names are sorted. ``error`` and what ends in ``.error`` is a receiver's, not a
    series.
    """
    complete: list[str] = []
    pending: list[str] = []
    loose: list[str] = []
    with os.scandir(spool.incoming) as entries:
        for entry in entries:
            if entry.name == "error" or entry.name.endswith(".error"):
                continue
            if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
                loose.append(entry.name)
                continue
            with suppress(FileNotFoundError):  # another router was here since the scan began
                changed = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
                (complete if now - changed > quiet else pending).append(entry.name)
    return Arrivals(tuple(sorted(complete)), tuple(sorted(pending)), tuple(sorted(loose)))


def pending_by_study(spool: Spool, pending: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """StudyInstanceUID to the series of it that are on their way: still arriving, or claimed.

    A series whose tags cannot be read yet belongs to no study and holds none up.
    """
    folders = [spool.incoming / name for name in pending]
    folders += [path for path in spool.staging.glob("series-*/source/*") if path.is_dir()]
    found: dict[str, tuple[str, ...]] = {}
    for folder in folders:
        study_uid = _study_uid(folder)
        if study_uid:
            found[study_uid] = (*found.get(study_uid, ()), folder.name)
    return found


def _study_uid(folder: Path) -> str:
    for path in folder.glob(f"*{TAGS_SUFFIX}"):
        try:
            return read_tags(path)[0].get("StudyInstanceUID", "")
        except TagsError:
            continue
    return ""


def receive(spool: Spool, files: Files, image: Path, tags: Tags) -> Path:
    """Move the file ``image`` into its series folder with its ``tags``; returns its path there.

    No half file is ever seen. An image that is there already is not stored twice; one of the same
    SOPInstanceUID and other content is kept beside it. Raises `TagsError` where the UIDs are
    missing, and `UnsafeNameError` where they cannot be names.
    """
    uids = [tags.get(keyword, "") for keyword in ("SeriesInstanceUID", "SOPInstanceUID")]
    if not all(uids):
        raise TagsError(f"'{image.name}' has no SeriesInstanceUID or no SOPInstanceUID")
    series_uid = safe_name(uids[0], "SeriesInstanceUID")
    name = f"{series_uid}#{safe_name(uids[1], 'SOPInstanceUID')}"
    staged = spool.staging / f"receive-{uuid.uuid4()}"
    staged.mkdir()
    try:
        files.copy(image, staged / f"{name}.dcm")
        write_tags(files, staged / f"{name}.dcm", tags)
        stored = _publish(files, spool.incoming / series_uid, staged / f"{name}.dcm")
        files.flush_folder(stored.parent)
        image.unlink()
        return stored
    finally:
        shutil.rmtree(staged)


def _publish(files: Files, folder: Path, staged: Path) -> Path:
    for _ in range(_ATTEMPTS):
        folder.mkdir(exist_ok=True)
        destination = folder / staged.name
        if destination.exists():
            if filecmp.cmp(staged, destination, shallow=False):
                return destination
            destination = folder / f"{staged.stem}#{uuid.uuid4()}.dcm"
        try:
            # The image comes last: with it, the pair is there.
            files.copy(tags_file(staged), tags_file(destination))
            staged.rename(destination)
        except FileNotFoundError:  # the folder was claimed meanwhile: a new round begins
            continue
        return destination
    raise TimeoutError(f"'{folder}' was taken away {_ATTEMPTS} times in a row")
