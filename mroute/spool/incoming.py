"""The folder ``incoming/``: which series have come to rest there, and which are still arriving.

Knows when a series is complete: when nothing was added to its folder for a while. Does not know
how images get there or what happens to a series.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mroute.errors import TagsError
from mroute.spool.layout import SOURCE_PREFIX, TAGS_SUFFIX, Spool
from mroute.spool.tags import read_tags

_LONGEST = 200
"""Bytes of the longest name of a series folder: mroute makes longer ones of it."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Names in ``incoming/``: complete series, pending ones, and what is no series at all."""

    complete: tuple[str, ...]
    pending: tuple[str, ...]
    loose: tuple[str, ...]


def scan(spool: Spool, now: datetime, quiet: timedelta) -> Arrivals:
    """Look at ``incoming/``; names are sorted.

    A series is complete when its folder was quiet for longer than ``quiet``. One that is dated
    further into the future than that is, too: the clock was set back, and it would wait for long.
    """
    complete: list[str] = []
    pending: list[str] = []
    loose: list[str] = []
    with os.scandir(spool.incoming) as entries:
        for entry in entries:
            if _is_no_series(entry):
                loose.append(entry.name)
                continue
            with suppress(FileNotFoundError):  # another router was here since the scan began
                changed = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
                (complete if abs(now - changed) > quiet else pending).append(entry.name)
    return Arrivals(tuple(sorted(complete)), tuple(sorted(pending)), tuple(sorted(loose)))


def _is_no_series(entry: os.DirEntry[str]) -> bool:
    """What a receiver could not parse is no series, nor is what hides or has no safe length."""
    return (
        entry.name == "error"
        or entry.name.endswith(".error")
        or entry.name.startswith(".")
        or len(os.fsencode(entry.name)) > _LONGEST
        or not entry.is_dir(follow_symlinks=False)
    )


def pending_by_study(spool: Spool, pending: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """StudyInstanceUID to the series of it that are on their way: still arriving, or claimed.

    A series whose tags cannot be read yet belongs to no study and holds none up.
    """
    folders = [spool.incoming / name for name in pending]
    folders += [path for path in spool.staging.glob(f"series-*/{SOURCE_PREFIX}*") if path.is_dir()]
    found: dict[str, tuple[str, ...]] = {}
    for folder in folders:
        study_uid = _study_uid(folder)
        if study_uid:
            name = folder.name.removeprefix(SOURCE_PREFIX)
            found[study_uid] = (*found.get(study_uid, ()), name)
    return found


def _study_uid(folder: Path) -> str:
    for path in folder.glob(f"*{TAGS_SUFFIX}"):
        try:
            return read_tags(path)[0].get("StudyInstanceUID", "")
        except TagsError:
            continue
    return ""
