"""Runs the parts of mroute, each in a thread of its own, and begins again what fails.

Knows when a part was seen at work last. Does not know what a part does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import Thread

PAUSE = 1.0
"""Seconds until a part that failed is begun again."""

HEALTHY = 60.0
"""Seconds after which a part that fails has been well in between: the same is told again then."""

ENDED = "ended by itself and is started again"

Notice = Callable[[str, str], None]
"""Tells an administrator: where, and what."""


class Supervisor:
    """The parts that run, until ``stop`` is set."""

    def __init__(
        self,
        stop: threading.Event,
        notice: Notice,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stop, self._notice, self._monotonic = stop, notice, monotonic
        self._threads: list[Thread] = []
        self._seen: dict[str, float] = {}

    def begin(self, name: str, loop: Callable[[], None], *, waited_for: bool = True) -> Thread:
        """Run ``loop`` in the thread that is returned, again and again until mroute stops.

        One that is not ``waited_for`` does not hold up the end of mroute.
        """
        thread = Thread(
            target=self._keep_running, args=(name, loop), name=name, daemon=not waited_for
        )
        if waited_for:
            self._threads.append(thread)
        thread.start()
        return thread

    def at_work(self, name: str) -> None:
        """Note that a part goes on: from its first note on it is expected to."""
        self._seen[name] = self._monotonic()

    def stalled(self, seconds: float) -> list[str]:
        """The parts that have not gone on for so many seconds."""
        now = self._monotonic()
        return sorted(name for name, at in self._seen.copy().items() if now - at > seconds)

    def wait(self, meanwhile: Callable[[], None]) -> None:
        """Wait until every part has ended; ``meanwhile`` is called every second.

        Not by waiting for ``stop``: a signal handler that sets the event which its own thread waits
        for can wait for ever.
        """
        for thread in self._threads:
            while thread.is_alive():
                thread.join(PAUSE)
                meanwhile()

    def _keep_running(self, name: str, loop: Callable[[], None]) -> None:
        told = ""
        while not self._stop.is_set():
            began = self._monotonic()
            # A part that fails must not take the others with it: it is told, and begun again. The
            # same again is told once: a folder that is gone is gone in every pass.
            detail = _end_of(loop)
            if self._monotonic() - began > HEALTHY:
                told = ""
            if detail != told and not (self._stop.is_set() and detail == ENDED):
                self._notice(name, detail)
            told = detail
            self._stop.wait(PAUSE)


def _end_of(loop: Callable[[], None]) -> str:
    """Run a loop to its end; returns how that came, in a sentence."""
    try:
        loop()
    # Whatever it is: a library in another language may raise what is no `Exception`.
    except BaseException as error:  # noqa: BLE001
        return f"failed and is started again: {type(error).__name__}: {error}"
    return ENDED
