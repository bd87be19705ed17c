"""Keeps what happened until it is known whether anybody wants it counted.

Knows that events come before the service is begun, and that the library which counts costs a tenth
of a second to import. Does not know what is counted.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from mroute.api import Event

if TYPE_CHECKING:
    from mroute_metrics.counting import Counting

_EARLY = 1_000
"""Events that are kept until the service has begun; it begins a moment after the router."""


class Recorder:
    """Hands events on to what counts them, from the first one on. Any thread may call it."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._early: deque[Event] = deque(maxlen=_EARLY)
        self._counting: Counting | None = None

    def note(self, event: Event) -> None:
        """Count the event, or keep it."""
        counting = self._counting
        if counting is None:
            with self._changing:
                counting = self._counting
                if counting is None:
                    self._early.append(event)
                    return
        counting.note(event)

    def begin(self) -> Counting:
        """Count from here on, and what was kept; what counts already goes on."""
        from mroute_metrics.counting import Counting

        with self._changing:
            if self._counting is None:
                counting = Counting()
                while self._early:
                    counting.note(self._early.popleft())
                self._counting = counting
            return self._counting

    def end(self) -> None:
        """Forget what was counted."""
        with self._changing:
            self._counting = None


RECORDER = Recorder()
"""That of the process: events come to a function of the plugin, the service is another."""
