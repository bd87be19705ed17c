"""Writes, links, copies and moves files so that no half of one is ever seen.

Knows how to make a change last (a loss of power, or only the end of the process) and which of link
and copy is possible. Does not know what the files are.

Every operation is a plain call of a function of `os`, so that a test can make each of them fail.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mroute.models import Durability
from mroute.spool.copying import copy_content, verify, write_all
from mroute.spool.layout import COPIED_PREFIX, PARTIAL_SUFFIX

CANNOT_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})

_NEW = os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Files:
    """File operations of the given durability."""

    durability: Durability = Durability.POWER

    def write(self, path: Path, content: bytes) -> None:
        """Write a whole file atomically: it has the old content or the new one."""
        self.write_unflushed(path, content)
        self.flush_folder(path.parent)

    def write_unflushed(self, path: Path, content: bytes) -> None:
        """As `write`, but its name lasts only when its folder is flushed."""
        partial = path.with_name(f".{path.name}{PARTIAL_SUFFIX}")
        descriptor = os.open(partial, os.O_WRONLY | _NEW, 0o666)
        try:
            write_all(descriptor, content)
            self._flush(descriptor)
        finally:
            os.close(descriptor)
        os.replace(partial, path)

    def write_json(self, path: Path, value: Any) -> None:
        """Write a value as JSON, atomically; lone surrogates survive as escapes."""
        self.write(path, as_json(value))

    def link(self, source: Path, destination: Path) -> None:
        """Give a file a second name, or a copy where the file system cannot.

        Raises `FileExistsError` where the name is taken.
        """
        try:
            os.link(source, destination)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in CANNOT_LINK:
                raise
            self.copy(source, destination)

    def copy(self, source: Path, destination: Path) -> None:
        """Copy a file with its times; a destination that exists is replaced, never half.

        Raises `OSError` where the copy on another file system differs from the source.
        """
        partial = destination.with_name(f".{destination.name}{PARTIAL_SUFFIX}")
        # Not blocking: a pipe would wait for somebody who writes into it.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        reading = os.open(source, flags)
        try:
            writing = os.open(partial, os.O_RDWR | _NEW, 0o666)
            try:
                self._copy_open(reading, writing)
            finally:
                os.close(writing)
        finally:
            os.close(reading)
        os.replace(partial, destination)

    def _copy_open(self, reading: int, writing: int) -> None:
        copy_content(reading, writing)
        status = os.fstat(reading)
        os.fchmod(writing, status.st_mode & 0o777)
        os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        self._flush(writing)
        if status.st_dev != os.fstat(writing).st_dev:
            verify(reading, writing)

    def take(self, source: Path, destination: Path, *, copying: bool) -> None:
        """Give ``destination`` what is at ``source``: a file, a link, or a folder with all in it.

        Files get a second name, or are copied where ``copying`` says so; a link stays a link.
        """
        if source.is_symlink():
            destination.symlink_to(source.readlink())
        elif source.is_dir():
            destination.mkdir()
            for path in sorted(source.iterdir()):
                self.take(path, destination / path.name, copying=copying)
            self.flush_folder(destination)
        elif copying:
            self.copy(source, destination)
        else:
            self.link(source, destination)

    def take_all(
        self, source: Path, destination: Path, names: Iterable[tuple[str, str]], copying: bool
    ) -> None:
        """Give folder ``destination`` what is in folder ``source``, as `take` does.

        ``names`` are pairs: the name in the one, and the name in the other.
        """
        here, there = f"{source}/", f"{destination}/"
        for name, new in names:
            if not copying:
                try:  # nearly all are plain files, and a series may have thousands of them
                    os.link(here + name, there + new)
                    continue
                except OSError as error:
                    if error.errno not in CANNOT_LINK:
                        raise
            self.take(source / name, destination / new, copying=copying)

    def place(self, source: Path, destination: Path) -> None:
        """Give a file a second name, also where that name is taken: it is taken over at once."""
        try:
            self.link(source, destination)
        except FileExistsError:
            if not source.samefile(destination):
                partial = destination.with_name(f".{destination.name}{PARTIAL_SUFFIX}")
                partial.unlink(missing_ok=True)
                self.link(source, partial)
                os.replace(partial, destination)

    def move_folder(self, source: Path, destination: Path) -> None:
        """Move a folder to a name that is free; its parent is made where it is missing.

        Does nothing where ``source`` is gone: it was moved before. Across file systems a copy is
        completed beside the destination first; ``source`` turns into a marker of that, so that a
        repetition neither loses nor repeats the folder. Raises `OSError` where the name is taken.
        """
        self.move_folder_unflushed(source, destination)
        self.flush_folders((destination.parent, source.parent))

    def move_folder_unflushed(self, source: Path, destination: Path) -> None:
        """As `move_folder`, but it lasts only when both parents are flushed."""
        try:
            os.rename(source, destination)
            return
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EXDEV):
                raise
        self._move_slowly(source, destination)

    def _move_slowly(self, source: Path, destination: Path) -> None:
        """Move where a rename was not enough, from wherever an earlier attempt has come to."""
        marker = source.with_name(COPIED_PREFIX + source.name)
        partial = destination.with_name(f".{destination.name}{PARTIAL_SUFFIX}")
        destination.parent.mkdir(parents=True, exist_ok=True)
        if not marker.exists():
            if not source.exists():
                return
            if destination.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
            try:
                os.rename(source, destination)
                return
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
            self._copy_folder(source, partial)
            self.flush_folder(partial.parent)
            os.rename(source, marker)
            self.flush_folder(marker.parent)
        if partial.exists():
            self._copy_late(marker, partial)
            os.rename(partial, destination)
        self.flush_folder(destination.parent)
        remove_folder(marker)

    def flush_folders(self, folders: Iterable[Path]) -> None:
        """Make the names in some folders last, each once, where the durability asks for it.

        A folder that is gone has been moved on by somebody, who makes that last.
        """
        for folder in dict.fromkeys(folders):
            with suppress(FileNotFoundError):
                self.flush_folder(folder)

    def flush_file(self, path: Path) -> None:
        """Make the content of a file that somebody else wrote last, as `flush_folder` does."""
        if self.durability is Durability.POWER:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def flush_folder(self, folder: Path) -> None:
        """Make the names in a folder last, where the durability asks for it."""
        if self.durability is Durability.POWER:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _copy_folder(self, source: Path, destination: Path) -> None:
        remove_folder(destination)
        destination.mkdir()
        for path in source.iterdir():
            if path.is_symlink():
                destination.joinpath(path.name).symlink_to(path.readlink())
            elif path.is_dir():
                self._copy_folder(path, destination / path.name)
            else:
                self.copy(path, destination / path.name)
        self.flush_folder(destination)

    def _copy_late(self, source: Path, copy: Path) -> None:
        """Copy what slipped into a folder while it was copied: it would be deleted with that."""
        late = [path for path in source.iterdir() if not os.path.lexists(copy / path.name)]
        for path in sorted(late):
            self.take(path, copy / path.name, copying=True)
        if late:
            self.flush_folder(copy)

    def _flush(self, descriptor: int) -> None:
        if self.durability is Durability.POWER:
            os.fsync(descriptor)


_TO_JSON = json.JSONEncoder(allow_nan=False).encode


def as_json(value: Any) -> bytes:
    """A value as JSON for people, in ASCII; lone surrogates survive as escapes.

    Each key of an object has a line, and so has each entry of a list of objects, such as a journal:
    a line for every value would take five times as long. Raises `ValueError` for a number that is
    not finite: JSON has none.
    """
    if not isinstance(value, dict) or not value:
        return f"{_TO_JSON(value)}\n".encode("ascii")
    lines = (f"  {_TO_JSON(str(key))}: {_on_lines(item)}" for key, item in value.items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


def _on_lines(value: Any) -> str:
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return "[\n    " + ",\n    ".join(_TO_JSON(each) for each in value) + "\n  ]"
    return _TO_JSON(value)


def delete(path: Path) -> None:
    """Delete a file, a link, or a folder with all in it; one that is gone is no error."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.EPERM):
            raise
        remove_folder(path)


def remove_folder(folder: str | Path) -> None:
    """Delete a folder with all in it; what somebody else has deleted meanwhile is no error."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            remove_folder(entry.path)
        else:
            with suppress(FileNotFoundError):
                os.unlink(entry.path)
    with suppress(FileNotFoundError):
        os.rmdir(folder)
