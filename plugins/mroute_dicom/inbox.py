"""The service ``inbox``: takes DICOM files out of a folder as a receiver would take them.

Knows which files are ready, and that none of the others is lost. Does not know what becomes of an
image that was taken.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from mroute.api import MrouteError, ServiceContext, Tags
from mroute_dicom.settings import settings_in

REJECTED = ".rejected"
"""The folder in the inbox for files that are no images, each with its reason beside it."""

_PAUSE = 1.0
"""Seconds between two looks into the folder."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one look into the folder came to.

    ``received`` counts the images that were taken. ``rejected`` maps the files that are none, and
    ``kept`` those that could not be taken now, to the reason.
    """

    received: int
    rejected: Mapping[Path, str]
    kept: Mapping[Path, str]


def is_wanted(settings: Mapping[str, BaseModel]) -> bool:
    """Whether the settings name a folder."""
    return settings_in(settings).inbox is not None


def run_inbox(context: ServiceContext) -> None:
    """Look into the folder again and again; tell of every file that could not be taken once."""
    settings = settings_in(context.settings)
    assert settings.inbox is not None
    told: set[Path] = set()
    while not context.stop.is_set():
        found = sweep(settings.inbox, settings.settle, context.clock(), context.receive)
        for path, reason in {**found.kept, **found.rejected}.items():
            if path not in told:
                context.notice(f"inbox file '{path.name}'", reason)
        told = set(found.kept)
        context.stop.wait(_PAUSE)


def sweep(
    inbox: Path, settle: timedelta, now: datetime, receive: Callable[[Path, Tags], Path]
) -> Sweep:
    """Take every file that did not change for longer than ``settle``; ``now`` is aware.

    What is no image is moved to ``.rejected/``. A file that cannot be taken now, because the disk
    is full say, is left for the next time.
    """
    received = 0
    rejected: dict[Path, str] = {}
    kept: dict[Path, str] = {}
    try:
        next(inbox.iterdir(), None)
    except OSError as error:
        return Sweep(0, {}, {inbox: f"the inbox cannot be looked into: {error}"})
    for path in _settled(inbox, now - settle):
        try:
            reason = _take(path, receive)
            if reason:
                _reject(inbox, path, reason)
                rejected[path] = reason
            else:
                received += 1
        except OSError as error:
            if os.path.lexists(path):  # else another run that shares the inbox was first
                kept[path] = f"cannot be taken now: {error}"
    return Sweep(received, rejected, kept)


def _take(path: Path, receive: Callable[[Path, Tags], Path]) -> str:
    """Take one file; returns why it is no image, or nothing."""
    path.lstat()
    if path.is_symlink() or not path.is_file():
        return f"'{path.name}' is a link or no regular file, expected a DICOM file"
    try:
        receive(path, {})
    except MrouteError as error:
        path.lstat()  # raises where it is gone: then that is why it cannot be read
        return str(error)
    return ""


def _settled(inbox: Path, until: datetime) -> Iterator[Path]:
    """The files below ``inbox`` that were changed before ``until``, in the order of their names."""
    for folder, folders, names in os.walk(inbox):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or path.suffix == ".partial":
                continue
            try:
                changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            except FileNotFoundError:  # whoever put it there has taken it back
                continue
            if changed < until:
                yield path


def _reject(inbox: Path, path: Path, reason: str) -> None:
    folder = inbox / REJECTED
    folder.mkdir(exist_ok=True)
    name = "_".join(path.relative_to(inbox).parts)
    number = 0
    while (destination := folder / (f"{name}.{number}" if number else name)).exists():
        number += 1
    destination.with_name(f"{destination.name}.reason").write_text(f"{reason}\n", "utf-8")
    path.rename(destination)
