"""Whether the spool can be used where it is: written, renamed in, locked, and with room for more.

Knows what to do about a folder that cannot be written. Does not know what is in it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mroute.doctor.finding import Finding, complaint, counted, ok, problem, remark
from mroute.errors import ExitCode
from mroute.spool.layout import Spool
from mroute.spool.mounts import mount_of, mounted
from mroute.spool.upkeep.probe import try_writing

_SCARCE = 0.1
"""The part of a file system that is worth a word when no more is free."""

_GIGABYTE = 1_000_000_000
_NAMED = 3
"""Folders that a sentence names."""

_FULL = "make room: empty 'success' and 'discard' of what is not needed any more"
_FORBIDDEN = "give this user the permission to write there, or be the user whose spool it is"
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "mount it for writing; if it was, the system's log says which fault made it so",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOTDIR: "move away what has the name of a folder",
    errno.ENOENT: "mount what the link leads to, or remove the link",
}


def check_folders(spool: Spool, queues: Iterable[str]) -> Iterator[Finding]:
    """Whether each folder of the spool can be written, found out by writing a file there."""
    if not os.path.lexists(spool.root):
        yield _to_be_made(spool.root)
        return
    folders = [spool.root, *spool.folders(queues)]
    missing = [folder for folder in folders if not os.path.lexists(folder)]
    there = [folder for folder in folders if folder not in missing]
    failures: dict[int, list[Path]] = {}
    for folder in there:
        try:
            try_writing(folder)
        except OSError as error:
            failures.setdefault(error.errno or 0, []).append(folder)
    for code, several in failures.items():
        said = f"{_named(several)} cannot be written: {os.strerror(code)}"
        yield problem(said, _ADVICE.get(code, "see to the disk"), ExitCode.SPOOL)
    if missing:
        yield remark(f"{_named(missing)} are not there yet", "'mroute run' makes them")
    if not failures:
        yield ok(f"a file was written, flushed and removed in {counted(len(there), 'folder')}")


def check_file_system(spool: Spool, queues: Iterable[str]) -> Iterator[Finding]:
    """Whether the folders are on file systems that are safe, and on one where they have to be."""
    complaints = list(spool.misplaced(queues))
    for sentence in complaints:
        yield complaint(sentence, code=ExitCode.SPOOL)
    if not complaints:
        mount = mount_of(spool.root.resolve(), mounted())
        kind = f"'{mount.type}', mounted at '{mount.point}'" if mount else "of an unknown type"
        yield ok(f"it is {kind}, and nothing is known against it")


def check_space(spool: Spool, queues: Iterable[str]) -> Iterator[Finding]:
    """Whether there is room for more images on each of the file systems."""
    places: dict[int, Path] = {}
    for folder in (spool.root, *spool.folders(queues)):
        there = _nearest(folder)
        places.setdefault(there.stat().st_dev, there)
    for place in places.values():
        yield from _room(place)


def _room(place: Path) -> Iterator[Finding]:
    status = os.statvfs(place)
    size = status.f_bavail + status.f_blocks - status.f_bfree
    free = status.f_bavail * status.f_frsize / _GIGABYTE
    scarce = False
    for what, part, whole in (
        ("space", status.f_bavail, size),
        ("inodes", status.f_favail, status.f_files),
    ):
        if whole and part / whole < _SCARCE:
            scarce = True
            yield remark(f"{part / whole:.1%} of the {what} of '{place}' is free", _FULL)
    if not scarce:
        yield ok(f"{free:,.1f} GB are free at '{place}'")


def _to_be_made(root: Path) -> Finding:
    """What is to be said of a spool that is not there: whether it can be made."""
    parent = _nearest(root)
    said = f"the spool '{root}' is not there yet"
    try:
        try_writing(parent)
    except OSError as error:
        return problem(
            f"{said}, and cannot be made: '{parent}': {error.strerror}",
            _ADVICE.get(error.errno or 0, "check the path under 'spool'"),
            ExitCode.SPOOL,
        )
    return remark(f"{said}; '{parent}' can be written", "'mroute run' makes it")


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest one above it that is there."""
    while not path.exists():
        path = path.parent
    return path


def _named(folders: Sequence[Path]) -> str:
    names = ", ".join(f"'{folder}'" for folder in folders[:_NAMED])
    more = len(folders) - _NAMED
    return f"{names} and {more} more" if more > 0 else names
