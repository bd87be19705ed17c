"""What lies in ``incoming/`` and ``incoming/error/`` and is no series folder.

Knows which of it is an image, which is about an image that a receiver could not parse, and which
must stay where it is. Does not know what is done with any of it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mroute.spool.arrivals.errorfiles import ERROR_SUFFIX, LOCK_SUFFIX, image_of, message_of
from mroute.spool.arrivals.incoming import is_too_long
from mroute.spool.arrivals.lots import Found
from mroute.spool.layout import TAGS_SUFFIX, Spool, tags_file

ERROR_FOLDER = "error"
"""Below ``incoming/``: where a receiver may put what it could not parse."""


@dataclass(frozen=True, slots=True)
class Loose:
    """Loose files that have come to rest, by their paths below ``incoming/``, and what must stay.

    ``images`` are loose images, the tags beside some of them.
    """

    images: tuple[str, ...]
    failed: tuple[Found, ...]
    strange: tuple[str, ...]


def loose_files(spool: Spool, names: Iterable[str], now: datetime, quiet: timedelta) -> Loose:
    """Sort what is loose: ``names`` in ``incoming/`` that are no series, and ``incoming/error/``.

    What was changed within ``quiet`` before ``now`` is still being written, and left out; so is an
    image of which a receiver says by a ``.error.lock`` that it has not done with it.
    """
    images: list[str] = []
    failed: list[Found] = []
    strange: list[str] = []
    inside: list[str] = []
    names = list(names)
    if ERROR_FOLDER in names and _is_folder(spool.incoming / ERROR_FOLDER):
        names.remove(ERROR_FOLDER)
        with suppress(FileNotFoundError):
            inside = [path.name for path in (spool.incoming / ERROR_FOLDER).iterdir()]
    for prefix, here in (("", names), (f"{ERROR_FOLDER}/", inside)):
        found = _Looking(spool.incoming / prefix, prefix, now.timestamp(), quiet.total_seconds())
        found.look(here)
        images += found.images
        failed += found.failed
        strange += found.strange
    return Loose(tuple(images), tuple(failed), tuple(strange))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


class _Looking:
    """The loose files of one folder on their way to being sorted."""

    def __init__(self, folder: Path, prefix: str, now: float, quiet: float) -> None:
        self._folder = folder
        self._prefix = prefix
        self._now = now
        self._quiet = quiet
        self.images: list[str] = []
        self.failed: list[Found] = []
        self.strange: list[str] = []

    def look(self, names: Iterable[str]) -> None:
        """Sort the ``names`` of the folder."""
        times: dict[str, float] = {}
        for name in sorted(names):
            with suppress(FileNotFoundError):
                status = (self._folder / name).lstat()
                plain = stat.S_ISREG(status.st_mode) and name[0] != "." and not is_too_long(name)
                if plain:
                    times[name] = status.st_mtime
                else:
                    self.strange.append(self._prefix + name)
        grouped = self._failed(times)
        single = [name for name in times if name not in grouped]
        for name in single:
            beside = tags_file(Path(name)).name
            if name.endswith(TAGS_SUFFIX):
                if not any(tags_file(Path(each)).name == name for each in self._images(single)):
                    self._fail([name], "tags without an image beside them", times)
            elif name.endswith(ERROR_SUFFIX + LOCK_SUFFIX):
                if self._rests(times[name]):
                    self.strange.append(self._prefix + name)
            elif self._prefix:
                group = [name, beside] if beside in single else [name]
                self._fail(group, "a receiver put it there and did not say why", times)
            elif self._rests(times[name]) and self._rests(times.get(beside, 0.0)):
                self.images.append(name)

    def _failed(self, times: dict[str, float]) -> set[str]:
        """Find what receivers could not parse; returns all files that belong to such."""
        grouped = set[str]()
        for name in [each for each in times if each.endswith(ERROR_SUFFIX)]:
            image = image_of(name, times.keys() - grouped)
            tags = tags_file(Path(image or name.removesuffix(ERROR_SUFFIX))).name
            group = [*([image] if image else []), name, *([tags] if tags in times else [])]
            group = [each for each in group if each not in grouped]
            grouped.update(group)
            if name + LOCK_SUFFIX in times:
                grouped.add(name + LOCK_SUFFIX)
            elif name in group:
                self._fail(group, message_of(self._folder / name), times)
        return grouped

    def _images(self, names: Iterable[str]) -> list[str]:
        return [each for each in names if not each.endswith((TAGS_SUFFIX, LOCK_SUFFIX))]

    def _fail(self, names: list[str], reason: str, times: dict[str, float]) -> None:
        if all(self._rests(times[name]) for name in names):
            self.failed.append(Found(tuple(self._prefix + name for name in names), reason))

    def _rests(self, changed: float) -> bool:
        """Also from the future: there the clock was set back."""
        return abs(self._now - changed) > self._quiet
