"""Calls that are made at the same time, each in a thread, for as long as there is patience.

Knows that one which hangs or raises holds up no other. Does not know what is called.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A call that came to nothing, and why."""

    because: str


def at_once(
    calls: Mapping[str, Callable[[], Iterable[T]]], patience: float = threading.TIMEOUT_MAX
) -> dict[str, list[T] | Unanswered]:
    """What each of the calls gives, in their order.

    They have ``patience`` seconds together, as long as they take unless given. One that takes
    longer is left alone, and ends with the process at the latest.
    """
    given: dict[str, list[T] | Unanswered] = {}
    threads = [
        threading.Thread(target=_answer, args=(given, name, call), name=name, daemon=True)
        for name, call in calls.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = Unanswered(f"there was no answer within {patience:g} s")
    return {name: given.get(name, late) for name in calls}


def _answer(
    given: dict[str, list[T] | Unanswered], name: str, call: Callable[[], Iterable[T]]
) -> None:
    try:
        given[name] = list(call())
    # The edge of foreign code: what it raises, even to end the process, is its answer.
    except BaseException as error:  # noqa: BLE001
        given[name] = Unanswered(f"it raised {_told(error)}")


def _told(error: BaseException) -> str:
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # noqa: BLE001 - its own text may raise as well
        return name
