"""Keeps the place of a series in its collecting study, from before it is planned until it joined.

Knows the marks in a study's folder by which it is not taken away meanwhile, and how one is found
that was left behind. Does not know how a series joins, or when a study is complete.

Whether a study has gone on is thereby settled under its lock: a series either has a place in it, or
comes too late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mroute.spool.goneon import recall_recent
from mroute.spool.layout import JOINING_PREFIX, Spool
from mroute.spool.locks import study_lock
from mroute.types import GoneOn


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a series has in the study of a rule, where ``kept``.

    ``gone`` is what is remembered of that study where one has gone on, and it would begin another.
    """

    kept: bool
    gone: GoneOn | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """For how long before ``now`` it counts that a study has gone on."""

    now: datetime
    within: timedelta


def keep_place(
    spool: Spool,
    claim_id: str,
    study: tuple[str, str],
    memory: Memory,
    begins_anew: Callable[[GoneOn], bool],
) -> Place:
    """Keep a place in a ``study``, its UID and rule, for the series of a claim; may be repeated.

    A study that has gone on is begun anew where ``begins_anew`` says so; otherwise there is no
    place. Raises `UnsafeNameError` for a UID that must not become a path.
    """
    folder = spool.study(*study)
    with study_lock(spool, folder.name):
        gone = None
        if not folder.exists():
            gone = recall_recent(spool, folder.name, memory.now, memory.within)
            if gone is not None and not begins_anew(gone):
                return Place(False, gone)
            folder.mkdir()
        # Nothing of this has to outlast a loss of power: then it is done again.
        mark_of(folder, claim_id).touch()
    return Place(True, gone)


def give_up_places(spool: Spool, claim_id: str, studies: Iterable[tuple[str, str]]) -> None:
    """Give up the places of a claim whose series does not join."""
    for study in studies:
        folder = spool.study(*study)
        with study_lock(spool, folder.name):
            _take_off(folder, claim_id)


def mark_of(folder: Path, claim_id: str) -> Path:
    """The mark of a claim in the folder of a collecting study."""
    return folder / f"{JOINING_PREFIX}{claim_id}"


def joining(folder: Path) -> list[str]:
    """The ids of the claims that have a place in a collecting study, sorted."""
    return sorted(path.name.removeprefix(JOINING_PREFIX) for path in folder.glob(".joining-*"))


def left_behind(spool: Spool, folder: Path) -> list[str]:
    """The marks in a collecting study that no claim has any more, by the ids of these claims."""
    found = joining(folder)
    for _ in range(2):  # one that is being taken over may be missed in one of the two
        claims = {path.name for path in spool.staging.iterdir()} if found else set()
        found = [each for each in found if not any(name.endswith(each) for name in claims)]
    return found


def take_off(spool: Spool, name: str, marks: Iterable[str]) -> None:
    """Take marks that were left behind off the study ``studies/<name>``."""
    with study_lock(spool, name):
        for claim_id in marks:
            _take_off(spool.studies / name, claim_id)


def _take_off(folder: Path, claim_id: str) -> None:
    with suppress(FileNotFoundError):
        mark_of(folder, claim_id).unlink()
    with suppress(OSError):  # there is something in it, or it is gone
        folder.rmdir()
