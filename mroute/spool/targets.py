"""Which targets may be sent to now: not one that is halted, down, or busy enough.

Knows what the routers of a spool tell each other about targets, in a file for each. Does not know
what is sent to them, or how.

A target is down when nothing at all could be sent to it. Then one task is sent after a while, which
doubles each time that is in vain; when one came through, all others go.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mroute.models import TargetBase
from mroute.spool.files import Files
from mroute.spool.layout import HALTED_SUFFIX, Spool
from mroute.spool.locks import Lock, try_lock
from mroute.spool.taskfile import aware_time
from mroute.spool.waiting import is_due

_HEALTH = ".json"
_LONGEST_DOUBLING = 30
"""Failures after which the time until the next is not computed any more: it is the longest."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a target is; ``of`` is the digest of how it was configured then.

    ``down_since`` and ``probe_at``, when it is tried next, are there while it is down. ``up_since``
    is when it was up again last.
    """

    of: str = ""
    failures: int = 0
    because: str = ""
    down_since: datetime | None = None
    probe_at: datetime | None = None
    up_since: datetime | None = None


@dataclass(slots=True)
class Admission:
    """What a task may be sent to now: each pending target with the one that takes its images.

    It is held while the task is worked on.
    """

    takes: Mapping[str, str] = field(default_factory=dict)
    locks: list[Lock] = field(default_factory=list)

    def release(self) -> None:
        """Let others send to the targets."""
        for lock in self.locks:
            lock.release()


class Targets:
    """The targets as the workers of one router see them."""

    def __init__(self, spool: Spool, files: Files, jitter: random.Random | None = None) -> None:
        self._spool, self._files = spool, files
        self._jitter = jitter or random.Random()  # noqa: S311 - it spreads, and hides nothing
        self._not_before: dict[str, datetime] = {}
        self._mutex = threading.Lock()

    def admit(
        self,
        pending: tuple[str, ...],
        targets: Mapping[str, TargetBase],
        now: datetime,
        longest: timedelta,
    ) -> Admission | None:
        """Where a task may be sent now; None where all of its targets must wait.

        A target that is not configured is not waited for. ``now`` is aware; ``longest`` is how long
        one that is down may have to wait until it is tried.
        """
        admission = Admission()
        with _released_on_error(admission.locks):
            for name in pending:
                to = self._instead(name, targets, now)
                if to not in admission.takes.values():
                    locks = self._enter(to, targets.get(to), now, longest)
                    if locks is None:
                        continue
                    admission.locks += locks
                admission.takes = {**admission.takes, name: to}
        return admission if admission.takes or not pending else None

    def spend(self, name: str, target: TargetBase, images: int, now: datetime) -> None:
        """Count images that are sent, for a target that takes so many a minute."""
        if target.images_per_minute is not None:
            with self._mutex:
                begin = max(now, self._not_before.get(name, now))
                took = timedelta(minutes=images / target.images_per_minute)
                self._not_before[name] = begin + took

    def went_down(
        self,
        name: str,
        target: TargetBase,
        because: str,
        now: datetime,
        least: timedelta,
        longest: timedelta,
    ) -> bool:
        """Note that nothing could be sent; whether the target was up before.

        ``least`` is the time until it is tried for the first time, ``longest`` for the last.
        """
        with self._mutex:
            before = self.health(name, target)
            failures = before.failures + 1
            doubled = least * 2 ** min(before.failures, _LONGEST_DOUBLING)
            wait = min(doubled, longest) * self._jitter.uniform(0.5, 1.0)
            after = replace(
                before,
                of=_digest(target),
                failures=failures,
                because=because,
                down_since=before.down_since or now,
                probe_at=now + wait,
            )
            self._write(name, after)
        return before.down_since is None

    def came_up(self, name: str, target: TargetBase, now: datetime) -> timedelta | None:
        """Note that the target was reached; how long it was down, or None where it was not."""
        if self.health(name, target).down_since is None:
            return None
        with self._mutex:
            before = self.health(name, target)
            if before.down_since is None:
                return None
            self._write(name, Health(of=_digest(target), up_since=now))
        return now - before.down_since

    def health(self, name: str, target: TargetBase) -> Health:
        """How a target is; one that was configured otherwise then is as if it were never seen."""
        health = read_health(self._spool, name)
        return health if health.of == _digest(target) else Health(up_since=health.up_since)

    def _instead(self, name: str, targets: Mapping[str, TargetBase], now: datetime) -> str:
        """The target itself, or its alternate where it has been down for long enough."""
        target = targets.get(name)
        if target is None or target.alternate is None or target.alternate not in targets:
            return name
        down_since = self.health(name, target).down_since
        if down_since is None or now - down_since < target.alternate_after:
            return name
        return target.alternate

    def _enter(
        self, name: str, target: TargetBase | None, now: datetime, longest: timedelta
    ) -> list[Lock] | None:
        """A place among those that send to a target; None where there is none now."""
        if target is None:
            return []
        if is_target_halted(self._spool, name) or now < self._not_before.get(name, now):
            return None
        locks: list[Lock] = []
        health = self.health(name, target)
        if health.down_since is not None:
            if not is_due(health.probe_at, now, longest):
                return None
            probe = self._lock(name, ".probe")
            if probe is None:
                return None
            locks.append(probe)
        with _released_on_error(locks):
            for number in range(target.concurrency):
                slot = self._lock(name, f".{number}")
                if slot is not None:
                    return [*locks, slot]
        for lock in locks:
            lock.release()
        return None

    def _lock(self, name: str, suffix: str) -> Lock | None:
        self._spool.targets.mkdir(parents=True, exist_ok=True)
        return try_lock(self._spool.target_file(name, suffix))

    def _write(self, name: str, health: Health) -> None:
        content = {
            "of": health.of,
            "failures": health.failures,
            "because": health.because,
            **{
                key: None if when is None else when.isoformat()
                for key, when in (
                    ("down_since", health.down_since),
                    ("probe_at", health.probe_at),
                    ("up_since", health.up_since),
                )
            },
        }
        # What is written here is only a memory: without it, a target is tried once more.
        with suppress(OSError):
            self._spool.targets.mkdir(parents=True, exist_ok=True)
            self._files.write_json(self._spool.target_file(name, _HEALTH), content)


@contextmanager
def _released_on_error(locks: list[Lock]) -> Iterator[None]:
    """Release locks where an error comes up: whoever keeps the error would keep them too."""
    try:
        yield
    except BaseException:
        for lock in locks:
            lock.release()
        raise


def read_health(spool: Spool, name: str) -> Health:
    """How a target is as its file says; as if it were never seen where that cannot be read."""
    try:
        content: Any = json.loads(spool.target_file(name, _HEALTH).read_bytes())
        times = {
            key: None if content[key] is None else aware_time(content[key])
            for key in ("down_since", "probe_at", "up_since")
        }
        return Health(
            str(content["of"]), int(content["failures"]), str(content["because"]), **times
        )
    except (OSError, ValueError, TypeError, KeyError):
        return Health()


def try_target_now(spool: Spool, name: str) -> None:
    """Let a target that is down be tried at once: an administrator asks for it."""
    spool.target_file(name, _HEALTH).unlink(missing_ok=True)


def is_target_halted(spool: Spool, name: str) -> bool:
    """Whether an administrator has halted a target: nothing is sent to it."""
    return spool.target_file(name, HALTED_SUFFIX).exists()


def _digest(target: TargetBase) -> str:
    return hashlib.sha256(repr(target).encode("utf-8", "surrogatepass")).hexdigest()[:16]
