"""Works a queue: leases the tasks that are due and may be begun, several at once. For every queue.

Knows which tasks must wait for the targets that they are for, and for those in hand. Does not know
what becomes of a task (settling), or what the work is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from mroute.contributions import QueueType
from mroute.errors import describe
from mroute.events import TaskSettled
from mroute.settling import Settling
from mroute.site import Site
from mroute.spool.queue import Lease, is_halted, lease_due
from mroute.spool.targets import Admission, Targets
from mroute.spool.waiting import Due, Waiting, is_due

RESTS_FOR = timedelta(seconds=30)
"""How long a task that could not even be settled is left alone."""


class Worker:
    """Works on the tasks of one queue that are due, as many at once as the queue allows.

    ``current`` returns the site as it is configured now; it is asked once for each task. ``bell``
    is set whenever a task was left: its targets may be free for another.
    """

    def __init__(
        self,
        current: Callable[[], Site],
        queue: QueueType,
        stop: threading.Event,
        bell: threading.Event | None = None,
    ) -> None:
        self._current, self._queue, self._stop = current, queue, stop
        self._bell = bell or threading.Event()
        self._waiting = Waiting(queue.section, queue.pending)
        self._resting: dict[str, datetime] = {}
        self._targets = Targets(current().spool, current().files)
        self._pool = ThreadPoolExecutor(queue.concurrency, f"queue {queue.name}")
        self._in_hand: set[Future[bool]] = set()

    def work_due(self) -> int:
        """Work on all that is due; returns how many tasks left the queue.

        Ends after the tasks in hand once ``stop`` is set. Does nothing while the queue is halted.
        """
        left = 0
        try:
            for _ in self._begin_due(waits=True):
                left += self._put_down()
        finally:
            futures.wait(self._in_hand)
            left += self._put_down()
        return left

    def begin_due(self) -> int:
        """Begin what is due and may be begun, without waiting for its end; returns how much."""
        self._put_down()
        return sum(1 for _ in self._begin_due(waits=False))

    def close(self) -> None:
        """Wait for the tasks in hand; none can be begun afterwards."""
        self._pool.shutdown()

    def _put_down(self) -> int:
        """Forget the tasks that are settled; returns how many of them left the queue."""
        settled = {each for each in self._in_hand if each.done()}
        self._in_hand -= settled
        return sum(each.result() for each in settled)

    def _begin_due(self, *, waits: bool) -> Iterator[None]:
        """Begin tasks until none is due; where all hands are full, end or wait for one."""
        site, queue = self._current(), self._queue
        leases = self._leases(site)
        while not (self._stop.is_set() or is_halted(site.spool, queue.name)):
            if sum(not each.done() for each in self._in_hand) >= queue.concurrency:
                if not waits:
                    return
                futures.wait(self._in_hand, return_when=futures.FIRST_COMPLETED)
            lease = next(leases, None)
            self._tell_buried(site)
            if lease is None:
                return
            until = self._resting.pop(lease.folder.name, None)
            if until is not None and not is_due(until, site.clock(), RESTS_FOR):
                self._resting[lease.folder.name] = until
                lease.let_go()
                continue
            self._in_hand.add(self._pool.submit(self._work, lease))
            yield

    def _leases(self, site: Site) -> Iterator[Lease]:
        """The tasks that may be begun now, leased one after the other."""
        timing, now = site.configuration.timing, site.clock()
        targets = site.configuration.targets

        @cache
        def up_since(name: str) -> datetime | None:
            target = targets.get(name)
            return None if target is None else self._targets.health(name, target).up_since

        def admit(each: Due) -> Admission | None:
            return self._targets.admit(each.pending, targets, site.clock(), timing.retry_after)

        offpeak = timing.offpeak is None or now.astimezone().time() in timing.offpeak
        queue = site.spool.queue(self._queue.name)
        due = self._waiting.due(queue, now, timing.retry_after, up_since, offpeak)
        for lease in lease_due(
            site.spool, self._queue.name, self._waiting, due, now, site.files, admit
        ):
            self._spend(site, lease)
            yield lease

    def _spend(self, site: Site, lease: Lease) -> None:
        """Count the images of a task for its targets that take only so many a minute."""
        limited = {
            name: target
            for name in set(lease.admission.takes.values())
            if (target := site.configuration.targets.get(name)) and target.images_per_minute
        }
        if limited:
            images = 0
            with suppress(OSError):  # the work will find out, and say so
                images = len(lease.task.images())
            for name, target in limited.items():
                self._targets.spend(name, target, images, site.clock())

    def _work(self, lease: Lease) -> bool:
        """Work on one task, in a thread of its own; whether it left the queue."""
        site = self._current()
        lease = replace(lease, files=site.files)
        try:
            return Settling(site, self._queue, lease, self._targets, self._stop).settle()
        # The disk is full, say, or a plugin returned nonsense: the task is as it was, and stays.
        except Exception as error:  # noqa: BLE001
            lease.let_go()
            self._resting[lease.folder.name] = site.clock() + RESTS_FOR
            task_id = str(lease.content["id"])
            because = describe(error)
            site.hooks.event(TaskSettled(task_id, self._queue.name, "retry", because, 0.0))
            return False
        # A library in another language may raise it: whoever runs this part tells of it.
        except BaseException:
            self._resting[lease.folder.name] = site.clock() + RESTS_FOR
            lease.let_go()
            raise
        finally:
            self._bell.set()

    def _tell_buried(self, site: Site) -> None:
        """Tell observers of folders that were no tasks and went to ``error/``."""
        buried, self._waiting.buried = self._waiting.buried, []
        for name, because in buried:
            site.hooks.event(TaskSettled(name, self._queue.name, "failed", because, 0.0))
