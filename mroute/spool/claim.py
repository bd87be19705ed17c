"""Takes a series or a collecting study for routing, by renaming it away.

Knows that a claim belongs to one process at a time and outlives it: the claim of a process that
died is taken over by the next. Does not know what is done with what was claimed.

A claim is a folder ``.staging/<kind>-<claim id>`` with the claimed folder below ``source/``, a
kernel lock, and what `mroute.spool.commit` writes beside them.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mroute.spool.layout import Spool
from mroute.spool.locks import Lock, study_lock, try_lock
from mroute.types import UidType

JOINING_PREFIX = ".joining-"
"""In a collecting study: a series is joining it, so it must not be taken away now."""

_RELEASED = "released-"

_GONE = "-"
"""Stands for the name of a claimed folder that its only taker has already."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed folder; ``name`` is the name that it had, ``lock`` is held by this process."""

    kind: UidType
    id: str
    folder: Path
    name: str
    lock: Lock

    @property
    def source(self) -> Path:
        """The claimed folder where it is now; gone once its only taker has it."""
        return self.folder / "source" / self.name

    def set_aside(self) -> None:
        """Let go of the claim as it is; it is taken up again by `abandoned`."""
        self.lock.release()

    def release(self) -> None:
        """End the claim and delete what is left of it; everything in it has been committed."""
        # The rename comes first: a claim half deleted would look like one half staged.
        released = self.folder.with_name(_RELEASED + self.folder.name)
        self.folder.rename(released)
        shutil.rmtree(released, ignore_errors=True)  # what is left is cleared away by `abandoned`
        self.lock.release()


def claim_series(spool: Spool, name: str) -> Claim | None:
    """Take the series folder ``incoming/<name>``; None where another router was first.

    Raises `OSError` where it cannot be moved; it stays where it is.
    """
    return _claim(spool, UidType.SERIES, spool.incoming / name)


def claim_study(spool: Spool, name: str, is_complete: Callable[[], bool]) -> Claim | None:
    """Take the collecting study ``studies/<name>`` where it is complete.

    ``is_complete`` is asked while no series can join. None where the study is not complete, gone,
    or being joined. Raises `OSError` where it cannot be moved; it stays where it is.
    """
    folder = spool.studies / name
    with study_lock(spool, name):
        if any(folder.glob(f"{JOINING_PREFIX}*")) or not folder.exists() or not is_complete():
            return None
        return _claim(spool, UidType.STUDY, folder)


def abandoned(spool: Spool) -> Iterator[Claim]:
    """Take over, one after the other, the claims that no living process holds."""
    for folder in sorted(spool.staging.iterdir()):
        if folder.name.startswith(_RELEASED):
            shutil.rmtree(folder, ignore_errors=True)
            continue
        kind, _, claim_id = folder.name.partition("-")
        if kind not in frozenset(UidType) or not folder.is_dir():
            continue
        lock = try_lock(folder / "lock")
        if lock is None:
            continue
        if not folder.exists():  # released by its owner while this process waited for the lock
            lock.release()
            continue
        sources = sorted((folder / "source").glob("*"))
        names = [path.name.removesuffix(".copied") for path in sources]
        yield Claim(UidType(kind), claim_id, folder, names[0] if names else _GONE, lock)


def _claim(spool: Spool, kind: UidType, folder: Path) -> Claim | None:
    claim_id = str(uuid.uuid4())
    claim_folder = spool.staging / f"{kind}-{claim_id}"
    (claim_folder / "source").mkdir(parents=True)
    lock = try_lock(claim_folder / "lock")
    if lock is None:  # another router took the empty claim for an abandoned one, and ends it
        return None
    claim = Claim(kind, claim_id, claim_folder, folder.name, lock)
    try:
        folder.rename(claim.source)
    except FileNotFoundError:
        claim.release()
        return None
    except OSError:
        claim.release()
        raise
    return claim
