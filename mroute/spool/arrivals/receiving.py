"""How an image gets into ``incoming/``: taken from where it was, once, and never half.

Knows how a file is taken over so that a process that dies leaves it in one place only. Does not
know how images reach this machine.
"""

from __future__ import annotations

import errno
import filecmp
import glob
import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mroute.errors import TagsError, describe
from mroute.models import Durability
from mroute.names import safe_name
from mroute.spool.files import CANNOT_LINK, Files
from mroute.spool.layout import SOURCE_PREFIX, Spool, tags_file
from mroute.spool.locks import Lock, try_lock
from mroute.spool.tags import write_tags
from mroute.types import Tags

_ATTEMPTS = 10
"""How often a series folder may be claimed between making it and moving an image into it."""

_PREFIX = "receive-"
_COPYING = ".copying"
_SOURCE = "source"
"""In the staging folder of a copy: which image it is of, and where that was."""


def receive(spool: Spool, files: Files, image: Path, tags: Tags) -> Path:
    """Move the file ``image`` into its series folder with its ``tags``; returns its path there.

    An image that is there already is not stored twice; one of the same SOPInstanceUID and other
    content is kept beside it. Raises `TagsError` where the UIDs are missing, `UnsafeNameError`
    where they cannot be names, and `OSError` where the image cannot be taken: then it stays.
    """
    uids = [tags.get(keyword, "") for keyword in ("SeriesInstanceUID", "SOPInstanceUID")]
    if not all(uids):
        raise TagsError(f"'{image.name}' has no SeriesInstanceUID or no SOPInstanceUID")
    series_uid = safe_name(uids[0], "SeriesInstanceUID")
    name = f"{series_uid}#{safe_name(uids[1], 'SOPInstanceUID')}.dcm"
    if "Filename" in tags:
        tags = {**tags, "Filename": name}
    folder, lock = _own_folder(spool)
    try:
        try:
            write_tags(files, folder / name, tags)
            copy = _take(files, image, folder / name)
        except BaseException as error:
            # Where it was moved before this was told or interrupted, it is in the folder alone.
            stays = isinstance(error, FileNotFoundError) or os.path.lexists(image)
            if stays and not (folder / name).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
        # From here on the image is in the staging folder alone: whatever fails leaves it there,
        # and `resume_received` finishes it.
        if copy is not None:
            copy.rename(folder / name)
        files.flush_file(folder / name)
        files.flush_folder(folder)
        stored = _publish(spool, files, series_uid, folder)
        shutil.rmtree(folder, ignore_errors=True)
        return stored
    finally:
        lock.release()


def resume_received(spool: Spool, files: Files, tell: Callable[[str, str], None]) -> int:
    """Finish what processes that died were receiving; returns how many images that were.

    What cannot be finished now stays for the next time, and keeps no other image waiting;
    ``tell(where, why)`` is called for it.
    """
    resumed = 0
    for folder in sorted(spool.staging.glob(f"{_PREFIX}*")):
        lock = try_lock(folder / "lock")
        if lock is None:
            continue
        try:
            resumed += _resume(spool, files, folder)
        except OSError as error:
            tell(str(folder), f"an image cannot be received: {describe(error)}")
        finally:
            lock.release()
    return resumed


def _resume(spool: Spool, files: Files, folder: Path) -> int:
    copies = list(folder.glob(f"*{_COPYING}"))
    if copies and not _is_there((folder / _SOURCE).read_bytes()):
        copies[0].rename(copies[0].with_suffix(""))
    images = list(folder.glob("*.dcm"))
    if images:
        _publish(spool, files, images[0].name.partition("#")[0], folder)
    shutil.rmtree(folder, ignore_errors=True)
    return len(images)


def _noted(image: Path) -> bytes:
    """Which file an image is, and where: another one may get its name."""
    status = image.stat()
    facts = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    return b":".join([*(b"%d" % fact for fact in facts), os.fsencode(image.absolute())])


def _is_there(noted: bytes) -> bool:
    """Whether the image that was `_noted` is still where it was."""
    *facts, path = noted.split(b":", 4)
    try:
        return len(facts) == 4 and _noted(Path(os.fsdecode(path))) == noted
    except FileNotFoundError:
        return False


def _own_folder(spool: Spool) -> tuple[Path, Lock]:
    """A new staging folder with its lock.

    `resume_received` may find a folder before its lock is taken, and clear it away as empty.
    """
    for _ in range(_ATTEMPTS):
        folder = spool.staging / f"{_PREFIX}{uuid.uuid4()}"
        folder.mkdir()
        lock = try_lock(folder / "lock")
        if lock is not None:
            return folder, lock
    raise TimeoutError(f"no folder in '{spool.staging}' could be locked {_ATTEMPTS} times in a row")


def _take(files: Files, image: Path, destination: Path) -> Path | None:
    """Move the image out of the reach of everybody else; raises with the image where it was.

    From another file system it is copied: the copy is returned, and counts once it is renamed.
    """
    try:
        image.rename(destination)
        return None
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    copy = destination.with_name(destination.name + _COPYING)
    files.write(destination.with_name(_SOURCE), _noted(image))
    files.copy(image, copy)
    files.flush_folder(copy.parent)
    image.unlink()
    return copy


def _publish(spool: Spool, files: Files, series_uid: str, staged: Path) -> Path:
    """Move the image and its tags from folder ``staged`` under a name that is free."""
    (image,) = staged.glob("*.dcm")
    series = spool.incoming / series_uid
    destination = series / image.name
    for _ in range(_ATTEMPTS):
        try:
            series.mkdir(exist_ok=True)
            if destination.exists() and filecmp.cmp(image, destination, shallow=False):
                image.unlink()
                _flush(files, series)  # whoever was first may not have come to that yet
                return destination
            if destination.exists() or not _put_tags(files, image, destination):
                destination = series / f"{image.stem}#{uuid.uuid4()}.dcm"
                continue
            # The image comes last: with it, the pair is there.
            image.rename(destination)
        except FileNotFoundError:  # the folder was claimed meanwhile: a new round begins
            continue
        except FileExistsError:  # the same, unless something else has the name of the folder
            if series.exists():
                raise
            continue
        if not tags_file(destination).exists():
            _follow(spool, files, image, destination)
        _flush(files, series)
        return destination
    raise TimeoutError(f"'{series}' was taken away {_ATTEMPTS} times in a row")


def _follow(spool: Spool, files: Files, image: Path, destination: Path) -> None:
    """Put the tags beside an image that has lost them: its series was claimed in between.

    Either another image has begun the series anew, and the tags are in the old round, or the image
    has come into the claimed folder, and the tags were deleted there for want of an image.
    """
    series = destination.parent
    claimed = spool.staging.glob(f"series-*/{SOURCE_PREFIX}{glob.escape(series.name)}")
    for folder in (series, *claimed):
        moved = folder / destination.name
        with suppress(FileNotFoundError):
            if moved.exists() and not tags_file(moved).exists():
                _put_tags(files, image, moved)


def _flush(files: Files, series: Path) -> None:
    """Make the name of an image last that is in its series folder now."""
    try:
        files.flush_folder(series)
    except FileNotFoundError:  # it was claimed already, and is wherever that took it
        if files.durability is Durability.POWER:
            os.sync()


def _put_tags(files: Files, image: Path, destination: Path) -> bool:
    """Put the tags of an image beside its ``destination``; False where somebody else has the name.

    They are whole at once, and as long as their image is on its way, they have a second name in
    the staging folder: who claims the series in between sees by that that the image will follow.
    """
    source, tags = tags_file(image), tags_file(destination)
    try:
        os.link(source, tags)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        try:
            os.close(os.open(tags, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            return False
        files.copy(source, tags)
    return True
