"""The folder ``studies/``, looked at again and again.

Knows which studies are as they were at the last look, so that nothing of them is read again, nor
asked for where the answer still holds. Does not know what is asked about a study.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from mroute.spool.layout import TASK_FILE, Spool
from mroute.types import Study, Verdict

Identity: TypeAlias = tuple[int, ...]
"""What of a study's folder and of its task file is different once anything in them changed."""

_SET_BACK = timedelta(seconds=1)
"""By how much the clock goes back before all that was answered by it is asked again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A collecting study, by the name of its folder, as it was at a look."""

    name: str
    identity: Identity

    @property
    def study_uid(self) -> str:
        """Its StudyInstanceUID."""
        return self.name.partition("#")[0]


@dataclass(frozen=True, slots=True)
class _Answer:
    identity: Identity
    pending: tuple[str, ...]
    verdict: Verdict
    study: Study | None


class Collecting:
    """Looks at ``studies/``, and remembers the verdict on each study for as long as it holds."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._answers: dict[str, _Answer] = {}
        self._latest: datetime | None = None

    @property
    def due(self) -> datetime | None:
        """When time alone can change one of the verdicts next, of those that say so."""
        times = [
            each.verdict.valid_until
            for each in self._answers.values()
            if each.verdict.valid_until is not None
        ]
        return min(times, default=None)

    def scan(self, now: datetime) -> list[Seen]:
        """The collecting studies in the order of their names; what is gone is forgotten.

        So is everything where the clock was set back: no verdict holds until a time that is past.
        """
        if self._latest is not None and self._latest - now > _SET_BACK:
            self._answers.clear()
        self._latest = now
        found = sorted(self._look(), key=lambda each: each.name)
        there = {each.name for each in found}
        for name in self._answers.keys() - there:
            del self._answers[name]
        return found

    def verdict(self, seen: Seen, pending: Sequence[str], now: datetime) -> Verdict | None:
        """The verdict that was remembered, where it still holds; None where it is to be asked."""
        known = self._answers.get(seen.name)
        if known is None or known.identity != seen.identity or known.pending != tuple(pending):
            return None
        until = known.verdict.valid_until
        return known.verdict if until is not None and now <= until else None

    def study(self, seen: Seen) -> Study | None:
        """A study that was remembered and has not changed; None where it is to be read."""
        known = self._answers.get(seen.name)
        return known.study if known is not None and known.identity == seen.identity else None

    def remember(
        self, seen: Seen, pending: Sequence[str], verdict: Verdict, study: Study | None
    ) -> None:
        """Remember a verdict on the study as it was seen before it was read.

        The ``study`` itself is remembered where the verdict is asked for at every look.
        """
        kept = study if verdict.valid_until is None else None
        self._answers[seen.name] = _Answer(seen.identity, tuple(pending), verdict, kept)

    def forget(self) -> None:
        """Forget all verdicts: what they were given for has changed."""
        self._answers.clear()

    def _look(self) -> Iterator[Seen]:
        with os.scandir(self._spool.studies) as entries:
            for entry in entries:
                if entry.name[0] == "." or not entry.is_dir(follow_symlinks=False):
                    continue
                try:
                    yield Seen(entry.name, _identity(entry))
                except FileNotFoundError:  # another router was here since the scan began
                    continue


def _identity(entry: os.DirEntry[str]) -> Identity:
    """Of the folder, for what is put into it; of the task file, for who writes into that."""
    folder = entry.stat(follow_symlinks=False)
    own = folder.st_ino, folder.st_mtime_ns
    try:
        task = Path(entry.path, TASK_FILE).lstat()
    except FileNotFoundError:
        return own
    return *own, task.st_ino, task.st_mtime_ns, task.st_size
