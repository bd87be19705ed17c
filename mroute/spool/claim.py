"""Takes a series or a collecting study for routing, by renaming it away.

Knows that a claim belongs to one run at a time and outlives it: the claims of a run that died are
taken over by another. Does not know what is done with what was claimed.

A claim is a folder ``.staging/<kind>-<run>-<claim id>`` with the claimed folder in it, and what
`mroute.spool.commit` writes beside that. Whose it is says its name, so taking it over is a rename,
and only one can win that.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mroute.spool.files import Files, remove_folder
from mroute.spool.layout import (
    COPIED_PREFIX,
    FORCE_RULE_FILE,
    MANIFEST_FILE,
    PARTIAL_SUFFIX,
    SOURCE_PREFIX,
    Spool,
)
from mroute.spool.locks import study_lock
from mroute.spool.runs import is_alive
from mroute.types import UidType

JOINING_PREFIX = ".joining-"
"""In a collecting study: a series is joining it, so it must not be taken away now."""

DEFERRED_FILE = "deferred.json"
"""In a claim: why it could not be carried out (``because``), and when that is tried again."""

STAGED = ("task-", "study-", "delivery-")
"""In a claim: what names begin with that are of what is staged there."""

_GONE = "-"
"""Stands for the name of a claimed folder that its only taker has already."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed folder; ``name`` is the name that it had."""

    kind: UidType
    id: str
    folder: Path
    name: str

    @property
    def source(self) -> Path:
        """The claimed folder where it is now; gone once its only taker has it."""
        return self.folder / f"{SOURCE_PREFIX}{self.name}"

    def release(self) -> None:
        """End the claim and delete what is left of it but images: there must be none any more.

        Raises `OSError` where something is in the claimed folder, or beside it what is not of a
        commit: it stays.
        """
        manifest = self.folder / MANIFEST_FILE
        with suppress(FileNotFoundError):
            (self.source / FORCE_RULE_FILE).unlink(missing_ok=True)
            self.source.rmdir()
        # The manifest goes last: until then it says that all that is left has been committed.
        with os.scandir(self.folder) as entries:
            rest = [entry for entry in entries if entry.name != MANIFEST_FILE]
        for entry in rest:
            if not _is_of_commit(entry.name):  # images, say, of a version that kept them elsewhere
                said = "it holds what no commit has put there; move it back to where it came from"
                raise OSError(errno.ENOTEMPTY, said, entry.path)
        for entry in rest:
            if entry.is_dir(follow_symlinks=False):
                remove_folder(entry.path)
            else:
                Path(entry.path).unlink()
        manifest.unlink(missing_ok=True)
        self.folder.rmdir()


def claim_series(spool: Spool, run: str, name: str) -> Claim | None:
    """Take the series folder ``incoming/<name>`` for ``run``; None where another was first.

    Raises `OSError` where it cannot be moved; it stays where it is.
    """
    return _claim(spool, run, UidType.SERIES, spool.incoming / name)


def claim_study(spool: Spool, run: str, name: str, is_complete: Callable[[], bool]) -> Claim | None:
    """Take the collecting study ``studies/<name>`` for ``run`` where it is complete.

    ``is_complete`` is asked while no series can join. None where the study is not complete, gone,
    or being joined. Raises `OSError` where it cannot be moved; it stays where it is.
    """
    folder = spool.studies / name
    with study_lock(spool, name):
        if any(folder.glob(f"{JOINING_PREFIX}*")) or not folder.exists() or not is_complete():
            return None
        return _claim(spool, run, UidType.STUDY, folder)


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
        yield Claim(UidType(kind), claim_id, mine, _source_name(mine))


def defer(claim: Claim, files: Files, because: str, until: datetime) -> None:
    """Write into the claim why it waits, for whoever looks; where that fails, it waits as well."""
    with suppress(OSError):
        content = {"because": because, "until": until.isoformat()}
        files.write_json(claim.folder / DEFERRED_FILE, content)


def _is_of_commit(name: str) -> bool:
    hidden = name.startswith(".") and name.endswith(PARTIAL_SUFFIX)
    return hidden or name == DEFERRED_FILE or name.startswith(STAGED)


def _source_name(folder: Path) -> str:
    for marked in ("", COPIED_PREFIX):
        for path in folder.glob(f"{marked}{SOURCE_PREFIX}*"):
            return path.name.removeprefix(marked + SOURCE_PREFIX)
    return _GONE


def _claim(spool: Spool, run: str, kind: UidType, folder: Path) -> Claim | None:
    claim_id = str(uuid.uuid4())
    claim = Claim(kind, claim_id, spool.staging / _claim_name(kind, run, claim_id), folder.name)
    claim.folder.mkdir()
    try:
        folder.rename(claim.source)
    except FileNotFoundError:
        claim.folder.rmdir()
        return None
    except OSError:
        claim.folder.rmdir()
        raise
    return claim


def _claim_name(kind: UidType, run: str, claim_id: str) -> str:
    return f"{kind}-{run}-{claim_id}"
