"""Places images one by one in folders below a folder, local or mounted.

Knows that an image is under its name whole or not at all, and that no file of others is touched.
Does not know layouts.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from mroute.api import Shipment, TargetDownError, is_exhaustion
from mroute_storage.folder.files import copy, flush, is_same, rename_new
from mroute_storage.placement import NameTakenError, Part, Placement

_OF_ONE_IMAGE = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EEXIST,
        errno.EFBIG,
        errno.EILSEQ,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
    }
)
"""What is wrong with a name, or with a folder below the target: another image may go through."""


class Folder:
    """The folder of a target while it gets images of one task.

    Raises `TargetDownError` where it is not there, and cannot be made or written.
    """

    def __init__(self, path: Path, task_id: str) -> None:
        self._path, self._part = path, f".{task_id}.part"
        self._entered: set[Path] = set()
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise _down(path, error) from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise TargetDownError(f"'{path}' cannot be written by this user")

    def take(self, placement: Placement, shipment: Shipment) -> None:
        """Store an image, or refuse it; raises `TargetDownError` where none can be stored.

        Raises `OSError` where the image cannot be read, or this machine is short of something.
        """
        try:
            number = self._store(placement)
        except NameTakenError as error:
            shipment.refused(placement.image, "", str(error))
        except OSError as error:
            if is_exhaustion(error) or _is_of(error, placement.image.parent):
                raise
            if error.errno not in _OF_ONE_IMAGE:
                raise _down(self._path, error) from error
            why = f"its name, or a folder for it below '{self._path}': {error.strerror}"
            shipment.refused(placement.image, "", why)
        else:
            shipment.stored(placement.image, "", placement.warning(number))

    def _store(self, placement: Placement) -> int:
        """The number of the name under which the image is there now."""
        folder = self._path / placement.folder
        self._enter(folder)
        numbers = [0]  # the tags of an image that has its second name get theirs
        for part in placement.parts:
            numbers.append(self._place(part, folder, numbers[-1]))
        flush(folder)
        return numbers[1]

    def _enter(self, folder: Path) -> None:
        """Make a folder, and remove what a process that died has left in it."""
        if folder in self._entered:
            return
        above = [each for each in folder.parents if each.is_relative_to(self._path)]
        for outer, inner in pairwise([*reversed(above), folder]):
            inner.mkdir(exist_ok=True)
            flush(outer)  # whoever made the inner one may have died before that
        (folder / self._part).unlink(missing_ok=True)
        self._entered.add(folder)

    def _place(self, part: Part, folder: Path, first: int) -> int:
        """The number of the name under which a part is there now, of those from ``first`` on."""
        for number, name in enumerate(part.names[first:], first):
            destination = folder / name
            if self._is_new(part.path, destination) or is_same(part.path, destination):
                return number
        raise part.no_name()

    def _is_new(self, source: Path, destination: Path) -> bool:
        """Copy a file to a name that nothing has; returns whether that was so."""
        if os.path.lexists(destination):
            return False
        hidden = destination.with_name(self._part)
        try:
            copy(source, hidden)
            is_new = rename_new(hidden, destination)
            if not is_new:
                hidden.unlink()
        except OSError:
            with suppress(OSError):
                hidden.unlink(missing_ok=True)
            raise
        return is_new


def _is_of(error: OSError, folder: Path) -> bool:
    """Whether an error is about a file of the task; one of a copy names both of its files."""
    return error.filename2 is None and str(error.filename).startswith(f"{folder}{os.sep}")


def _down(path: Path, error: OSError) -> TargetDownError:
    return TargetDownError(f"'{path}': {error.strerror or error}")
