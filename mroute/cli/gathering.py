"""The series in a folder and the folders below it, each with the image that decides.

Knows that a series is decided by its first image, and that nothing is written. Does not know how
the tags of a file are read. A folder in ``incoming/`` is one series, sorted as the router sorts it;
in any other, images are put together by their SeriesInstanceUID.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mroute.errors import MrouteError, describe
from mroute.spool.arrivals.survey import forced_rule, preview
from mroute.spool.layout import FORCE_RULE_FILE, REASON_FILE, TAGS_SUFFIX, TASK_FILE, tags_file
from mroute.spool.tags import ReadTags
from mroute.types import Rejected, Tags

Tell = Callable[[str], None]

_NO_IMAGES = frozenset({TASK_FILE, REASON_FILE, FORCE_RULE_FILE})
"""What lies beside images in the spool."""


@dataclass(slots=True)
class Gathered:
    """A series: its first image with the tags of it, and the names of all its images."""

    first: Path
    tags: Tags
    images: list[str]
    rejected: tuple[Rejected, ...] = ()
    arrived: bool = False
    """Whether this is a folder in ``incoming/``, with all that is in it."""

    @property
    def force_rule(self) -> str | None:
        """The only rule to apply, where the folder of the first image names one."""
        return forced_rule(self.first.parent)


def gather(
    folder: Path, read: Callable[[Path], Tags], peek: ReadTags, tell: Tell
) -> list[Gathered]:
    """The series below ``folder``, in the order of their first images.

    ``read`` makes the tags of an image or reads a tags file. Tags without an image stand for one,
    unless their series has images. ``peek`` does it for an image in ``incoming/``, where
    what is odd about the tags is told once. ``tell`` is told of
    what cannot be read, and is left out.
    """
    found: dict[str, Gathered] = {}
    alone: list[Path] = []
    for parent, names in _folders(folder, tell):
        if _is_arrived(parent):
            _take(found, parent, peek, tell)
            continue
        there = set(names)
        with_image = {
            tags_file(parent / name).name for name in there if not name.endswith(TAGS_SUFFIX)
        }
        for name in names:
            if not name.endswith(TAGS_SUFFIX):
                _add(found, parent / name, read, tell)
            elif name not in with_image:
                alone.append(parent / name)
    with_images = set(found)
    for path in alone:
        _add(found, path, read, tell, but=with_images)
    return list(found.values())


def _is_arrived(folder: Path) -> bool:
    path = folder.absolute()
    ignored = path.name == "error" or path.name.endswith(".error")
    return path.parent.name == "incoming" and not ignored


def _take(found: dict[str, Gathered], folder: Path, peek: ReadTags, tell: Tell) -> None:
    """Add the series that the router would make of a folder in ``incoming/``."""
    try:
        contents = preview(folder, peek)
    except (MrouteError, OSError) as error:
        tell(f"{str(folder)!r} is left out: {describe(error)}")
        return
    for each in contents.trouble:
        tell(each)
    for rejected in contents.rejected:
        tell(f"{str(folder / rejected.name)!r} is left out: {rejected.reason}")
    if contents.images or contents.rejected:
        names = [*contents.images, *(each.name for each in contents.rejected)]
        first, images = folder / names[0], list(contents.images)
        found[f"{folder}/"] = Gathered(first, contents.tags, images, contents.rejected, True)


def _add(
    found: dict[str, Gathered],
    path: Path,
    read: Callable[[Path], Tags],
    tell: Tell,
    but: set[str] | frozenset[str] = frozenset(),
) -> None:
    # A receiver names images ``<SeriesInstanceUID>#...``: one look at the tags of each is saved.
    uid, separator, _ = path.name.partition("#")
    tags: Tags = {}
    if not separator or uid not in found:
        try:
            tags = read(path)
        except (MrouteError, OSError) as error:
            tell(f"{str(path)!r} is left out: {describe(error)}")
            return
        # Without a UID, what lies in one folder is one series.
        uid = tags.get("SeriesInstanceUID") or f"{path.parent}/"
    if uid in but:
        return
    if uid in found:
        found[uid].images.append(path.name)
    else:
        found[uid] = Gathered(path, tags, [path.name])


def _folders(folder: Path, tell: Tell) -> Iterator[tuple[Path, list[str]]]:
    """Each folder with the names of its files that may be images, sorted."""

    def refuse(error: OSError) -> None:
        tell(f"{describe(error)}; it is left out")

    for parent, below, names in os.walk(folder, onerror=refuse):
        here = Path(parent)
        if _is_arrived(here):
            below.clear()
            yield here, []
            continue
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in below:
            if (here / name).is_symlink():
                tell(f"{str(here / name)!r} is left out: it is a link to a folder")
        yield here, [name for name in sorted(names) if _may_be_image(here / name, tell)]


def _may_be_image(path: Path, tell: Tell) -> bool:
    if path.name in _NO_IMAGES or path.name.startswith("."):
        return False
    if path.is_symlink() or not path.is_file():
        tell(f"{str(path)!r} is left out: it is no file")
        return False
    return True
