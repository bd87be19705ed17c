"""Faults injected into file operations: a process that dies, or an operation that fails.

Knows every operation that Python audits (open for writing, rename, link, mkdir, remove, rmdir), and
stops at the one it was told. Does not know what the operations are for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AUDITED = frozenset({"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "open"})


class Killed(BaseException):
    """Stands for the end of the process: nothing that handles errors may stop it."""


class _Trap:
    """Counts the operations below ``root`` and raises at number ``at``, counted from 0."""

    def __init__(self) -> None:
        self.root = ""
        self.at = -1
        self.seen = 0
        self.error: Callable[[], BaseException] = Killed

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.root or event not in _AUDITED:
            return
        path, flags = arguments[0], arguments[2] if event == "open" else os.O_WRONLY
        if not isinstance(path, str) or not path.startswith(self.root):
            return
        if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            return
        self.seen += 1
        if self.seen - 1 == self.at:
            raise self.error()


_trap = _Trap()
sys.addaudithook(_trap.audit)


@contextmanager
def fault(
    root: os.PathLike[str], at: int, error: Callable[[], BaseException] = Killed
) -> Iterator[_Trap]:
    """Raise ``error()`` instead of operation number ``at`` on the files below ``root``."""
    _trap.root, _trap.at, _trap.seen, _trap.error = os.fspath(root), at, 0, error
    try:
        yield _trap
    finally:
        _trap.root = ""
