"""Faults injected into file operations: one that fails, a process that dies, power that goes.

Knows every call of `os`, `open` and `fcntl.flock` on what is below a folder, by its path or by a
descriptor, counts those that it was told to, and lets one of them, or all, go wrong. Does not know
what the calls are for. While it is in force it stands in for these functions as attributes of their
modules, so that pathlib, shutil and filelock are seen through.

A process that was killed does nothing more: each further call raises `Killed` as well, and nothing
that cleans up gets to work. Its descriptors are closed in the end, and with them its locks go.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

CHANGES = frozenset(
    [
        "create",
        "write",
        "copy_file_range",
        "sendfile",
        "truncate",
        "ftruncate",
        "mkdir",
        "link",
        "symlink",
        "rename",
        "replace",
        "unlink",
        "remove",
        "rmdir",
        "utime",
        "chmod",
        "fchmod",
    ],
)
"""Calls that change what is seen; a process that dies between two leaves something half done.

To ``create`` is to open for writing.
"""

EVERYTHING = CHANGES | frozenset(
    [
        "open",
        "read",
        "scandir",
        "listdir",
        "stat",
        "lstat",
        "readlink",
        "access",
        "fsync",
        "fdatasync",
        "close",
        "fstat",
        "flock",
        "listxattr",
        "getxattr",
        "setxattr",
    ],
)
"""All calls."""

At = int | Callable[[int], bool]
"""The number of the call that goes wrong, or says of each number whether it does."""

_SOURCES = {"link": "src_dir_fd", "rename": "src_dir_fd", "replace": "src_dir_fd"}
_DESTINATIONS = {**dict.fromkeys(_SOURCES, "dst_dir_fd"), "symlink": "dir_fd"}
_DESCRIPTORS = frozenset({"copy_file_range", "sendfile"})
_FILLS = frozenset({"write", "truncate", "ftruncate", *_DESCRIPTORS})
_ENDS = frozenset({"close", "unlock"})
"""What the kernel does for a process that died."""

_NAMES = EVERYTHING - _FILLS - {"read", "fsync", "fdatasync", "close", "fstat", "fchmod", "flock"}
_NEW = frozenset(["create", "mkdir", "link", "symlink", "rename", "replace"])
_CAN_FAIL = {
    errno.EIO: EVERYTHING,
    errno.EACCES: _NAMES,
    errno.EROFS: CHANGES - {"write"},
    errno.ENOSPC: _NEW | _FILLS | {"fsync", "fdatasync"},
    errno.EXDEV: frozenset(["link", "rename", "replace", "copy_file_range"]),
    errno.EMFILE: frozenset(["open", "create", "scandir", "listdir"]),
}

_OF_OS = EVERYTHING - {"create", "flock"}


class Killed(BaseException):
    """Stands for the end of the process: nothing that handles errors may stop it."""


class Short(BaseException):
    """In place of an error: what is written is half of what was asked for, and nothing raised."""


def failing(code: int) -> Callable[[], OSError]:
    """Makes the error of the operating system that has the number ``code``."""
    return lambda: OSError(code, os.strerror(code), "injected")


def every(call: int) -> bool:
    """In place of the number of a call: all of them go wrong."""
    return call >= 0


LATE = (errno.EIO, errno.ENOSPC)
"""Errors that are told of calls which took effect: by a network file system, say."""


def reaching(code: int) -> frozenset[str]:
    """The kinds of calls that can fail with the error number ``code``."""
    return _CAN_FAIL[code]


@contextmanager
def fault(
    root: os.PathLike[str],
    at: At,
    error: Callable[[], BaseException] = Killed,
    *,
    of: Collection[str] = CHANGES,
    after: bool = False,
) -> Iterator[Trap]:
    """Raise ``error()`` in place of call number ``at`` of those ``of`` a kind below ``root``.

    The first has the number 0.
    With ``after`` the call takes effect, and raises all the same. A descriptor that cannot be
    closed is closed in any case, as Linux does it.
    """
    trap = Trap(_absolute(root), at, error, of, after)
    with pytest.MonkeyPatch.context() as patch:
        for name in _OF_OS:  # over what another test has put there
            patch.setattr(os, name, partial(trap.call, name, getattr(os, name)))
        patch.setattr(fcntl, "flock", partial(trap.call, "flock", fcntl.flock))
        for module in (io, builtins):
            patch.setattr(module, "open", partial(_open, trap))
        try:
            yield trap
        finally:
            trap.bury()


class Trap:
    """Counts calls; ``calls`` are those that were counted, ``hit`` is the last that went wrong."""

    def __init__(
        self,
        root: str,
        at: At,
        error: Callable[[], BaseException],
        of: Collection[str],
        after: bool,
    ) -> None:
        self.calls: list[str] = []
        self.hit = ""
        self._root, self._at, self._error, self._of, self._after = root, at, error, of, after
        self._dead = False
        self._paths: dict[int, str] = {}
        self._unflushed: set[tuple[int, int]] = set()
        self._lock = threading.Lock()

    @property
    def seen(self) -> int:
        """How many calls were counted."""
        return len(self.calls)

    def call(self, name: str, real: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        """Stands in for ``real``."""
        paths = self._paths_of(name, args, keywords)
        if not any(map(self.is_below, paths)):
            return real(*args, **keywords)
        if name == "open" and args[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            name = "create"
        elif name == "flock" and args[1] & fcntl.LOCK_UN:
            name = "unlock"
        elif name == "close":
            self._paths.pop(args[0], None)
        elif name in _FILLS and isinstance(args[0], int):
            self.fill(args[1] if name == "copy_file_range" else args[0])
        result = self.carry_out(name, " -> ".join(paths), real, *args, **keywords)
        if name in ("open", "create"):
            self._paths[result] = paths[0]
        elif name in ("fsync", "fdatasync"):
            self._unflushed.discard(_inode(args[0]))
        return result

    def carry_out(
        self, name: str, where: str, real: Callable[..., Any], *args: Any, **keywords: Any
    ) -> Any:
        """Count the call, and do what was asked or what goes wrong."""
        goes_wrong = self._count(name, where)
        if goes_wrong and self._error is Short:
            goes_wrong, args = False, _halved(name, args)
        if goes_wrong and not self._after and name != "close":
            self._raise()
        result = real(*args, **keywords)
        if goes_wrong:
            if name in ("open", "create") and isinstance(result, int):
                _REAL_CLOSE(result)
            elif name == "scandir":
                result.close()
            self._raise()
        return result

    def lose_unflushed(self) -> None:
        """Lose what a loss of power does: the content of files that was not flushed.

        Names are kept, as by a file system that journals them in their order.
        """
        for path in Path(self._root).rglob("*"):
            status = path.lstat()
            if (status.st_dev, status.st_ino) in self._unflushed:
                os.truncate(path, 0)

    def bury(self) -> None:
        """Close what a process that died had open; whoever closes it again does no harm."""
        if self._dead:
            null = os.open(os.devnull, os.O_RDONLY)
            for descriptor in self._paths:
                os.dup2(null, descriptor)
            os.close(null)

    def is_below(self, path: str) -> bool:
        """Whether ``path``, an absolute one, is below the root."""
        return path == self._root or path.startswith(self._root + "/")

    def fill(self, descriptor: int) -> None:
        """Note that a file has content that is not flushed."""
        self._unflushed.add(_inode(descriptor))

    def lead(self, descriptor: int, path: str) -> None:
        """Note where a descriptor leads; to nothing, where ``path`` is empty."""
        self._paths[descriptor] = path

    def _count(self, name: str, where: str) -> bool:
        with self._lock:
            if self._dead:
                if name in _ENDS:
                    return False
                raise Killed
            if name not in self._of:
                return False
            self.calls.append(f"{name} {where.replace(self._root, '')}")
            number = len(self.calls) - 1
            if not (self._at(number) if callable(self._at) else self._at == number):
                return False
            self.hit = self.calls[-1] + (" (took effect)" if self._after else "")
            return True

    def _raise(self) -> None:
        error = self._error()
        self._dead = self._dead or isinstance(error, Killed)
        raise error

    def _paths_of(self, name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> list[str]:
        """What the call is about: one path or two."""
        if name in _DESCRIPTORS:
            return [self._paths.get(each, "") for each in args[:2]]
        found = []
        if name != "symlink":
            folder = keywords.get(_SOURCES.get(name, "dir_fd"))
            found.append(self._path(args[0] if args else ".", folder))
        if name in _DESTINATIONS:
            found.append(self._path(args[1], keywords.get(_DESTINATIONS[name])))
        return found

    def _path(self, given: Any, folder: int | None) -> str:
        if isinstance(given, io.IOBase):
            given = given.fileno()
        if isinstance(given, int):
            return self._paths.get(given, "")
        if folder is not None and not os.fsdecode(given).startswith("/"):
            return f"{self._paths.get(folder, '')}/{os.fsdecode(given)}"
        return _absolute(given)


class _Stream(io.FileIO):
    """A file that was opened by name; what is done with it is counted."""

    def __init__(self, trap: Trap, path: str, mode: str) -> None:
        self._trap, self._path = trap, path
        try:
            self._do("open" if mode == "r" else "create", super().__init__, path, mode)
        except BaseException:
            super().close()
            raise
        trap.lead(self.fileno(), path)

    def read(self, size: int | None = -1) -> bytes | None:  # type: ignore[override]
        return self._do("read", super().read, size)  # type: ignore[no-any-return]

    def readall(self) -> bytes:
        return self._do("read", super().readall)  # type: ignore[no-any-return]

    def readinto(self, buffer: Any) -> int:
        return self._do("read", super().readinto, buffer)  # type: ignore[no-any-return]

    def write(self, content: Any) -> int:
        self._trap.fill(self.fileno())
        return self._do("write", super().write, content)  # type: ignore[no-any-return]

    def close(self) -> None:
        if not self.closed:
            self._trap.lead(self.fileno(), "")
            self._do("close", super().close)

    def _do(self, name: str, real: Callable[..., Any], *args: Any) -> Any:
        return self._trap.carry_out(name, self._path, real, *args)


def _open(
    trap: Trap,
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """Stands in for `open`."""
    path = "" if isinstance(file, int) else _absolute(file)
    if not trap.is_below(path):
        return _REAL_OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)
    raw = _Stream(trap, path, mode.replace("b", "").replace("t", ""))
    if "b" in mode and buffering == 0:
        return raw
    stream: Any
    if "+" in mode:
        stream = io.BufferedRandom(raw)
    else:
        stream = io.BufferedReader(raw) if "r" in mode else io.BufferedWriter(raw)
    return stream if "b" in mode else io.TextIOWrapper(stream, encoding, errors, newline)


_REAL_OPEN, _REAL_CLOSE, _REAL_FSTAT = io.open, os.close, os.fstat


def _absolute(path: Any) -> str:
    text = os.fsdecode(path)
    return text if text.startswith("/") else f"{Path.cwd()}/{text}"


def _inode(descriptor: int) -> tuple[int, int]:
    status = _REAL_FSTAT(descriptor)
    return status.st_dev, status.st_ino


def _halved(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a call that takes half of what it is given, and a byte at least."""
    if name == "write":
        *before, content = args
        return (*before, bytes(content)[: (len(content) + 1) // 2])
    if name == "copy_file_range":
        source, destination, count, *more = args
        return (source, destination, (count + 1) // 2, *more)
    return args
