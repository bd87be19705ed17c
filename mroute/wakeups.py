"""Wakes the parts of a run when a folder that they look at has changed.

Knows folders and the events that the kernel has of them, and that these may be lost, late or not to
be had at all: whoever is woken looks for itself, and looks from time to time in any case. Does not
know what any part does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from mroute.errors import describe

_TOGETHER = 50
"""Milliseconds within which events are one."""

_GLANCE = 1000
"""Milliseconds after which it is checked, without any event, that the folders are still the same.

Events of a folder that was deleted and made again would go unheard.
"""

_AGAIN = 60.0
"""Seconds until watching is tried again where it was impossible."""


class Wakeups:
    """Rings bells until ``stop`` is set, and all of them then.

    ``tell(where, why)`` is called once where folders cannot be watched.
    """

    def __init__(self, stop: threading.Event, tell: Callable[[str, str], None]) -> None:
        self._stop = stop
        self._tell = tell
        self._told = False
        self._bells: dict[Path, list[threading.Event]] = {}

    def bell(self, *folders: Path) -> threading.Event:
        """An event that is set when something was added to one of the folders, or taken away."""
        bell = threading.Event()
        for folder in folders:
            self._bells.setdefault(folder, []).append(bell)
        return bell

    def run(self) -> None:
        """Watch the folders; returns soon after ``stop`` is set."""
        try:
            while not self._stop.is_set():
                try:
                    self._watch()
                # No watches left, say, or a path that the library cannot take.
                except (OSError, RuntimeError, ValueError) as error:
                    if not self._told:
                        self._told = True
                        why = f"folders cannot be watched: {describe(error)}"
                        self._tell("wake-ups", f"{why}; they are looked at every second instead")
                    self._stop.wait(_AGAIN)
        finally:
            self._ring(self._bells)

    def _watch(self) -> None:
        """Watch the folders that there are until they are other ones."""
        from watchfiles import watch  # brings an event loop with it

        with _held(self._bells) as held:
            if not held:
                self._stop.wait(_GLANCE / 1000)
                return
            found = watch(
                *held,
                watch_filter=None,
                debounce=_TOGETHER,
                step=_TOGETHER,
                stop_event=self._stop,
                rust_timeout=_GLANCE,
                yield_on_timeout=True,
                recursive=False,
            )
            changed: Iterable[Path] = self._bells  # before it began, anything may have changed
            with closing(found) as rounds:
                for changes in rounds:
                    self._ring(changed)
                    paths = [Path(path) for _, path in changes]
                    changed = {each for path in paths for each in (path, path.parent)}
                    self._ring(changed)
                    if self._are_others(held):
                        return

    def _ring(self, folders: Iterable[Path]) -> None:
        for folder in folders:
            for bell in self._bells.get(folder, ()):
                bell.set()

    def _are_others(self, held: dict[Path, int]) -> bool:
        """Whether a folder was deleted, made or exchanged since it is watched."""
        return any(_identity(folder) != _identity(held.get(folder)) for folder in self._bells)


@contextmanager
def _held(folders: Iterable[Path]) -> Iterator[dict[Path, int]]:
    """Open descriptors of those folders that there are.

    While one is held, no other folder can come to have the same number.
    """
    with ExitStack() as stack:
        held: dict[Path, int] = {}
        for folder in folders:
            with suppress(FileNotFoundError, NotADirectoryError):
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                stack.callback(os.close, descriptor)
                held[folder] = descriptor
        yield held


def _identity(folder: Path | int | None) -> tuple[int, int] | None:
    with suppress(OSError):
        if folder is not None:
            status = folder.stat() if isinstance(folder, Path) else os.fstat(folder)
            return status.st_dev, status.st_ino
    return None
