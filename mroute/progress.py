"""Progress for people: of what takes long, and not too often.

Knows when it is worth a word. Does not know what is being done, or how it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mroute.types import Progress

EVERY = 1.0
"""Seconds before the first word, and between two."""


def paced(tell: Progress, seconds: Callable[[], float] = time.monotonic) -> Progress:
    """A progress that tells ``tell`` nothing in the first second, and then once a second at most.

    The end of a step is told at once, and only where something was told of the step before.
    ``seconds`` is a clock that never goes back.
    """
    due, told = seconds() + EVERY, ""

    def progress(step: str, done: int, total: int) -> None:
        nonlocal due, told
        now = seconds()
        if step == told if done >= total else now >= due:
            due, told = now + EVERY, step
            tell(step, done, total)

    return progress
