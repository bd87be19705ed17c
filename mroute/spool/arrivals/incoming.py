"""The folder ``incoming/``: which series have come to rest there, and which are still arriving.

Knows when a series is complete: when nothing was added to its folder for a while, which may be
another one for some senders. Does not know how images get there or what happens to a series.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mroute.errors import TagsError
from mroute.spool.arrivals.errorfiles import ERROR_SUFFIX
from mroute.spool.layout import PROBE_PREFIX, SOURCE_PREFIX, TAGS_SUFFIX, Spool
from mroute.spool.tags import read_tags

LONGEST = 200
"""Bytes of the longest name in ``incoming/`` that is taken: mroute makes longer ones of it."""

_TRIES = 3
"""Tags files of a series that are tried until one can be read."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Names in ``incoming/``, sorted: complete series, pending ones, and what is no series at all.

    ``due`` is when the next of the pending ones can be complete; None where there is none.
    """

    complete: tuple[str, ...]
    pending: tuple[str, ...]
    loose: tuple[str, ...]
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the tags of a series say, found in the folder ``inode`` when it was ``changed``."""

    inode: int
    changed: float
    sender: str = ""
    study: str = ""
    found: bool = False


class Incoming:
    """Looks at ``incoming/`` again and again.

    It remembers what the tags of a waiting series say, so that they are read once for each and not
    once for each look; what waits no longer is forgotten.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._known: dict[str, _Known] = {}

    def scan(
        self, now: datetime, quiet: timedelta, by_sender: Mapping[str, timedelta] | None = None
    ) -> Arrivals:
        """Look at ``incoming/`` at the time ``now``.

        A series is complete when its folder was quiet for longer than ``quiet``, or than
        ``by_sender`` says for the AE title of its sender. A folder that is dated into the future by
        more than that (the clock was set back) is dated now: it waits once more, and not until the
        clock catches up.
        """
        waits = {aet: wait.total_seconds() for aet, wait in (by_sender or {}).items()}
        usual, at = quiet.total_seconds(), now.timestamp()
        least, most = min([usual, *waits.values()]), max([usual, *waits.values()])
        complete: list[str] = []
        pending: list[str] = []
        loose: list[str] = []
        due = float("inf")
        with os.scandir(self._spool.incoming) as entries:
            for entry in entries:
                if _is_no_series(entry):
                    if not entry.name.startswith(PROBE_PREFIX):
                        loose.append(entry.name)
                    continue
                try:
                    changed = entry.stat(follow_symlinks=False).st_mtime
                    if changed - at > most:
                        changed = _dated_now(entry, at)
                except FileNotFoundError:  # another router was here since the scan began
                    continue
                wait = least
                if least < at - changed <= most:  # it depends on who has sent it
                    known = self._known.get(entry.name)
                    if known is None or not known.found or known.inode != entry.inode():
                        folder = Path(entry.path)
                        known = self._look_up(entry.name, folder, entry.inode(), changed)
                    wait = waits.get(known.sender, usual)
                if at - changed > wait:
                    complete.append(entry.name)
                else:
                    pending.append(entry.name)
                    due = min(due, changed + wait)
        self._forget_all_but(complete, pending)
        return Arrivals(
            tuple(sorted(complete)),
            tuple(sorted(pending)),
            tuple(sorted(loose)),
            datetime.fromtimestamp(due, UTC) if pending else None,
        )

    def pending_by_study(self, pending: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """StudyInstanceUID to the series of it that are on their way: still arriving, or claimed.

        A series whose tags cannot be read yet belongs to no study and holds none up.
        """
        found: dict[str, list[str]] = {}
        for name in pending:
            known = self._known.get(name)
            if known is None or not known.found:
                path = self._spool.incoming / name
                with suppress(FileNotFoundError):
                    status = path.stat()
                    known = self._look_up(name, path, status.st_ino, status.st_mtime)
            if known is not None and known.study:
                found.setdefault(known.study, []).append(name)
        for path in self._spool.staging.glob(f"series-*/{SOURCE_PREFIX}*"):
            if path.is_dir() and (study := _facts(path)[1]):
                found.setdefault(study, []).append(path.name.removeprefix(SOURCE_PREFIX))
        return {study: tuple(names) for study, names in found.items()}

    def _look_up(self, name: str, folder: Path, inode: int, changed: float) -> _Known:
        """What the tags of a series say; read again only where nothing was found and more came."""
        known = self._known.get(name)
        if known is None or known.inode != inode or not (known.found or known.changed == changed):
            sender, study, found, final = _facts(folder)
            known = _Known(inode, changed if final else float("nan"), sender, study, found)
            self._known[name] = known
        return known

    def _forget_all_but(self, *waiting: list[str]) -> None:
        if self._known:
            for name in self._known.keys() - set().union(*waiting):
                del self._known[name]


def _dated_now(entry: os.DirEntry[str], now: float) -> float:
    """Give a folder from the future the time ``now``; returns the time that it has then.

    Where that is not permitted, it is as if nothing had been added for ever.
    """
    try:
        os.utime(entry.path, (now, now), follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:
        return 0.0
    return now


def _is_no_series(entry: os.DirEntry[str]) -> bool:
    """What a receiver could not parse is no series, nor is what hides or has no safe length."""
    name = entry.name
    return (
        name == "error"
        or name[0] == "."
        or name.endswith(ERROR_SUFFIX)
        or is_too_long(name)
        or not entry.is_dir(follow_symlinks=False)
    )


def is_too_long(name: str) -> bool:
    """Whether a name is left alone because mroute would have to make longer ones of it."""
    return len(name) > LONGEST // 4 and len(os.fsencode(name)) > LONGEST  # at most 4 bytes each


def _facts(folder: Path) -> tuple[str, str, bool, bool]:
    """SenderAET and StudyInstanceUID of a series, whether tags were found, and for good.

    Tags that are there and cannot be read may still be on their way: these are looked at again.
    """
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if each.name.endswith(TAGS_SUFFIX)]
    except OSError:
        return "", "", False, False
    for name in sorted(names)[:_TRIES]:
        with suppress(TagsError):
            tags, _ = read_tags(folder / name)
            return tags.get("SenderAET", "").strip(), tags.get("StudyInstanceUID", ""), True, True
    return "", "", False, not names
