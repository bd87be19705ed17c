"""Writes, links, copies and moves files so that no half of one is ever seen.

Knows how to make a change last (a loss of power, or only the end of the process) and which of link
and copy is possible. Does not know what the files are.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mroute.models import Durability
from mroute.spool.layout import PARTIAL_SUFFIX

CANNOT_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})


@dataclass(frozen=True, slots=True)
class Files:
    """File operations of the given durability."""

    durability: Durability = Durability.POWER

    def write(self, path: Path, content: bytes) -> None:
        """Write a whole file atomically: it has the old content or the new one."""
        partial = path.with_name(f".{path.name}{PARTIAL_SUFFIX}")
        with partial.open("wb") as stream:
            stream.write(content)
            self._flush(stream.fileno())
        partial.replace(path)
        self.flush_folder(path.parent)

    def write_json(self, path: Path, value: Any) -> None:
        """Write a value as JSON, atomically; lone surrogates survive as escapes."""
        self.write(path, (json.dumps(value, indent=2) + "\n").encode("ascii"))

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
        """Copy a file with its times; a destination that exists is replaced, never half."""
        partial = destination.with_name(f".{destination.name}{PARTIAL_SUFFIX}")
        shutil.copy2(source, partial)
        with partial.open("rb") as stream:
            self._flush(stream.fileno())
        partial.replace(destination)

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

    def move_folder(self, source: Path, destination: Path) -> None:
        """Move a folder to a name that is free; its parent is made where it is missing.

        Does nothing where ``source`` is gone: it was moved before. Across file systems a copy is
        completed beside the destination first; ``source`` turns into a marker of that, so that a
        repetition neither loses nor repeats the folder. Raises `FileExistsError` where the name
        is taken.
        """
        marker = source.with_name(source.name + ".copied")
        partial = destination.with_name(f".{destination.name}{PARTIAL_SUFFIX}")
        destination.parent.mkdir(parents=True, exist_ok=True)
        if not marker.exists():
            if not source.exists():
                return
            if destination.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
            try:
                source.rename(destination)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._copy_folder(source, partial)
                source.rename(marker)
                self.flush_folder(marker.parent)
        if marker.exists():
            if partial.exists():
                partial.rename(destination)
            self.flush_folder(destination.parent)
            shutil.rmtree(marker)
        self.flush_folder(destination.parent)
        self.flush_folder(source.parent)

    def flush_folder(self, folder: Path) -> None:
        """Make the names in a folder last, where the durability asks for it."""
        if self.durability is Durability.POWER:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _copy_folder(self, source: Path, destination: Path) -> None:
        shutil.rmtree(destination, ignore_errors=True)
        destination.mkdir()
        for path in source.iterdir():
            if path.is_dir():
                self._copy_folder(path, destination / path.name)
            else:
                self.copy(path, destination / path.name)
        self.flush_folder(destination)

    def _flush(self, descriptor: int) -> None:
        if self.durability is Durability.POWER:
            os.fsync(descriptor)
