"""Takes a series or a collecting study for routing, by renaming it away.

Knows that a claim belongs to one run at a time and outlives it: the claims of a run that died are
taken over by another. Does not know what is done with what was claimed.

A claim is a folder ``.staging/<kind>-<run>-<claim id>`` with the claimed folder in it, and what
`mroute.spool.commit` writes beside that. Whose it is says its name, so taking it over is a rename,
and only one can win that.
"""

from __future__ import annotations

import errno
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mroute.models import ForcedCompletion
from mroute.spool.files import Files, delete
from mroute.spool.goneon import forget, remember
from mroute.spool.layout import (
    COPIED_PREFIX,
    FORCE_RULE_FILE,
    MANIFEST_FILE,
    PARTIAL_SUFFIX,
    SOURCE_PREFIX,
    STAGED_PREFIXES,
    UNWANTED_MARK,
    Spool,
)
from mroute.spool.locks import study_lock
from mroute.spool.places import joining
from mroute.spool.runs import is_alive, spare_folder
from mroute.types import GoneOn, StudyEnd, UidType, Verdict

DEFERRED_FILE = "deferred.json"
"""In a claim: why it could not be carried out (``because``), and when that is tried again."""

_OUTCOMES: dict[ForcedCompletion | None, StudyEnd] = {
    ForcedCompletion.DISCARD: StudyEnd.DISCARD,
    ForcedCompletion.ERROR: StudyEnd.ERROR,
}

_GONE = "-"
"""Stands for the name of a claimed folder that its only taker has already."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed folder; ``name`` is the name that it had.

    ``spare`` is where the folder of a claim that has ended waits for the next one of the same run.
    """

    kind: UidType
    id: str
    folder: Path
    name: str
    spare: Path

    @property
    def source(self) -> Path:
        """The claimed folder where it is now; gone once its only taker has it."""
        return self.folder / f"{SOURCE_PREFIX}{self.name}"

    @property
    def unwanted(self) -> bool:
        """Whether it was claimed to be discarded, whoever carries it on."""
        return (self.folder / UNWANTED_MARK).exists()

    def release(self) -> None:
        """End the claim, with what mroute itself has put into it: there must be nothing else.

        Raises `OSError` where anything is in the claimed folder, or beside it: it stays.
        """
        with suppress(FileNotFoundError):
            (self.source / FORCE_RULE_FILE).unlink(missing_ok=True)
            self.source.rmdir()
        strange = self.clear()
        if strange:  # images, say, of a version that kept them elsewhere
            said = "it holds what no commit has put there; move it back to where it came from"
            raise OSError(errno.ENOTEMPTY, said, str(self.folder / strange[0]))
        (self.folder / UNWANTED_MARK).unlink(missing_ok=True)
        # Making a folder costs a commit as much as all else in it: the next claim takes this one.
        try:
            self.folder.rename(self.spare)
        except OSError:
            self.folder.rmdir()

    def clear(self) -> list[str]:
        """Delete what mroute itself has put beside the claimed folder; returns what else is there.

        The manifest goes last: until then it says that all that is left has been committed. Where
        there is anything else, it stays as well.
        """
        names = [path.name for path in self.folder.iterdir()]
        own = [name for name in names if _is_of_commit(name)]
        known = {*own, self.source.name, UNWANTED_MARK}
        strange = [name for name in names if name not in known]
        for name in sorted(own, key=MANIFEST_FILE.__eq__):
            if not strange or name != MANIFEST_FILE:
                delete(self.folder / name)
        return strange


def claim_series(spool: Spool, run: str, name: str, *, unwanted: bool = False) -> Claim | None:
    """Take the series folder ``incoming/<name>`` for ``run``; None where another was first.

    ``unwanted`` says in the claim that it is to be discarded. Raises `OSError` where it cannot be
    moved; it stays where it is.
    """
    folder, claim_id = spool.incoming / name, str(uuid.uuid4())
    return _claim(spool, run, UidType.SERIES, folder, claim_id, unwanted=unwanted)


def claim_study(
    spool: Spool,
    files: Files,
    run: str,
    name: str,
    judge: Callable[[bool], Verdict],
    now: datetime,
    *,
    unwanted: bool = False,
) -> Claim | None:
    """Take the collecting study ``studies/<name>`` for ``run`` where it is complete.

    ``judge`` is asked while no series can join, and told whether one has a place there. That and
    why the study has gone on is remembered from here on. None where it is not complete, or gone.
    ``unwanted`` says in the claim that it is to be discarded. Raises `OSError` where it cannot be
    moved; it stays where it is.
    """
    folder = spool.studies / name
    with study_lock(spool, name):
        verdict = judge(bool(joining(folder))) if folder.exists() else None
        if verdict is None or not verdict.complete:
            return None
        claim_id = str(uuid.uuid4())
        outcome = _OUTCOMES.get(verdict.forced, StudyEnd.ACTION)
        gone = GoneOn(claim_id, now, verdict.because, verdict.forced, outcome=outcome)
        remember(spool, files, name, gone)
        claim = _claim(spool, run, UidType.STUDY, folder, claim_id, unwanted=unwanted)
        if claim is None:  # somebody has deleted it in this instant
            forget(spool, name)
        return claim


def open_claims(spool: Spool, run: str) -> Iterator[Claim]:
    """The claims that ``run`` has to carry on, one after the other.

    Those of its own that could not be carried out, and those of runs that died, which become its
    own. Must not be called while ``run`` works on a claim.
    """
    alive = {run: True}
    for folder in sorted(spool.staging.iterdir()):
        kind, _, rest = folder.name.partition("-")
        owner, _, claim_id = rest.partition("-")
        if kind not in frozenset(UidType) or not claim_id:
            continue
        if owner not in alive:
            alive[owner] = is_alive(spool, owner)
        if owner != run:
            if alive[owner]:
                continue
            mine = folder.with_name(_claim_name(UidType(kind), run, claim_id))
            try:
                folder.rename(mine)
            except FileNotFoundError:  # another run was first
                continue
        else:
            mine = folder
        yield Claim(UidType(kind), claim_id, mine, _source_name(mine), spare_folder(spool, run))


def defer(claim: Claim, files: Files, because: str, until: datetime) -> None:
    """Write into the claim why it waits, for whoever looks; where that fails, it waits as well."""
    with suppress(OSError):
        content = {"because": because, "until": until.isoformat()}
        files.write_json(claim.folder / DEFERRED_FILE, content)


def _is_of_commit(name: str) -> bool:
    hidden = name.startswith(".") and name.endswith(PARTIAL_SUFFIX)
    return hidden or name in (MANIFEST_FILE, DEFERRED_FILE) or name.startswith(STAGED_PREFIXES)


def _source_name(folder: Path) -> str:
    for marked in ("", COPIED_PREFIX):
        for path in folder.glob(f"{marked}{SOURCE_PREFIX}*"):
            return path.name.removeprefix(marked + SOURCE_PREFIX)
    return _GONE


def _claim(
    spool: Spool, run: str, kind: UidType, folder: Path, claim_id: str, *, unwanted: bool
) -> Claim | None:
    name, spare = _claim_name(kind, run, claim_id), spare_folder(spool, run)
    claim = Claim(kind, claim_id, spool.staging / name, folder.name, spare)
    try:
        spare.rename(claim.folder)
    except OSError:  # there is none
        claim.folder.mkdir()
    if unwanted:
        (claim.folder / UNWANTED_MARK).touch()
    try:
        folder.rename(claim.source)
    except FileNotFoundError:
        claim.release()
        return None
    except OSError:
        claim.release()
        raise
    return claim


def _claim_name(kind: UidType, run: str, claim_id: str) -> str:
    return f"{kind}-{run}-{claim_id}"
