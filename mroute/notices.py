"""Delivers the notifications that wait in the outbox, through the channels of plugins.

Knows retry, giving up, and that a destination which fails delays nobody else's. Does not know any
channel. A delivery that is interrupted is made again: at least once, never not at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from mroute.errors import DeliveryError, describe, is_shortage
from mroute.events import DeliverySettled, seconds_since
from mroute.site import Site
from mroute.spool import outbox
from mroute.spool.outbox import Resting, Waiting
from mroute.spool.waiting import is_due

AT_ONCE = 8
"""Destinations that are delivered to at once."""

_SHORTEST = timedelta(seconds=1)
"""The shortest rest, whatever is configured: a destination that fails is not tried without end."""

_DOUBLED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class _Rest:
    """A destination that failed is left alone ``until`` then, ``length`` after it failed.

    ``strict``: also by what waits too long, because this machine cannot even put that aside.
    """

    until: datetime
    length: timedelta
    strict: bool = False


class Notices:
    """Delivers what is due, the deliveries of one destination one after the other.

    Each destination has a thread of its own, and rests where it fails: for ``timing.probe_after``,
    and twice as long each time, up to ``timing.retry_after``. What is for it waits meanwhile, but
    for what waits too long: that has its last attempt. ``current`` returns the site as it is
    configured now; it is asked once for each delivery. ``bell`` is set when a destination is done.
    """

    def __init__(
        self,
        current: Callable[[], Site],
        stop: threading.Event,
        bell: threading.Event | None = None,
    ) -> None:
        self._current, self._stop = current, stop
        self._bell = bell or threading.Event()
        self._resting = Resting()
        self._rests: dict[str, _Rest] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "notices")
        self._in_hand: dict[str, Future[int]] = {}

    def deliver_due(self) -> int:
        """Deliver what is due; returns how many deliveries were made or given up."""
        self.begin_due()
        futures.wait(self._in_hand.values())
        return self._put_down()

    def begin_due(self) -> int:
        """Begin to deliver what is due, without waiting for its end; returns what has ended."""
        settled = self._put_down()
        site = self._current()
        due: dict[str, list[Waiting]] = {}
        for waiting in outbox.due(
            site.spool, site.files, site.clock(), _longest(site), self._resting
        ):
            if waiting.destination not in self._in_hand and self._may_go(site, waiting):
                due.setdefault(waiting.destination, []).append(waiting)
        for destination, each in due.items():
            in_hand = self._in_hand[destination] = self._pool.submit(self._deliver_all, each)
            in_hand.add_done_callback(lambda _: self._bell.set())
        return settled

    def close(self) -> None:
        """Wait for the deliveries in hand; none can be begun afterwards."""
        self._pool.shutdown()

    def _put_down(self) -> int:
        """Forget the destinations that are done; returns how many deliveries were settled."""
        done = {name: each for name, each in self._in_hand.items() if each.done()}
        for name in done:
            del self._in_hand[name]
        return sum(each.result() for each in done.values())

    def _may_go(self, site: Site, waiting: Waiting) -> bool:
        """Whether its destination does not rest, or it has waited too long for that."""
        rest = self._rests.get(waiting.destination)
        if rest is None or is_due(rest.until, site.clock(), _longest(site)):
            return True
        return not rest.strict and _is_over(site, waiting)

    def _deliver_all(self, due: Sequence[Waiting]) -> int:
        """Deliver to one destination; returns how many deliveries were made or given up."""
        settled = 0
        for each in due:
            site, started = self._current(), time.perf_counter()
            if self._stop.is_set():
                break
            if self._may_go(site, each):
                try:
                    settled += self._deliver(site, each, started)
                except OSError as error:  # it stays in the outbox as it is: the disk is full, say
                    self._let_rest(site, each, site.clock(), strict=True)
                    self._tell(site, each, started, "retry", describe(error))
        return settled

    def _deliver(self, site: Site, found: Waiting, started: float) -> bool:
        """Whether it is settled for good."""
        now = site.clock()
        with outbox.held(site.spool, site.files, found.path, now) as waiting:
            # Another process may have been here since it was found to be due.
            if waiting is None or not is_due(waiting.not_before, now, _longest(site)):
                return False
            detail, final = self._attempt(site, waiting)
            now = site.clock()
            if not detail:
                waiting.delivered()
                self._rests.pop(waiting.destination, None)
                self._tell(site, waiting, started, "done", "")
                return True
            if not final:
                rests_until = self._let_rest(site, waiting, now)
                if _is_over(site, waiting):
                    limit = site.configuration.timing.give_up_notices_after
                    detail, final = f"given up after {limit}: {detail}", True
                else:
                    waiting.retry_at(site.files, rests_until)
            if final:
                waiting.give_up(site.spool, site.files, detail, now)
            self._tell(site, waiting, started, "failed" if final else "retry", detail)
            return final

    def _attempt(self, site: Site, waiting: Waiting) -> tuple[str, bool]:
        """What went wrong, and whether that is final; an empty text where nothing did."""
        delivery = waiting.delivery
        channel = site.registry.channels.get(delivery.channel)
        if channel is None:
            return f"no installed plugin has the channel '{delivery.channel}'", True
        plugin = site.registry.contributed_by.get(("channel", delivery.channel), "unknown")
        try:
            channel.deliver(delivery, site.configuration.settings)
        except DeliveryError as error:
            return str(error) or "it was not delivered", False
        # The edge of a plugin call: whatever else a channel raises will not go away by itself,
        # but for a shortage of this machine.
        except Exception as error:  # noqa: BLE001
            final = not (isinstance(error, OSError) and is_shortage(error))
            return f"plugin '{plugin}' raised {type(error).__name__}: {error}", final
        return "", False

    def _let_rest(
        self, site: Site, waiting: Waiting, now: datetime, *, strict: bool = False
    ) -> datetime:
        """Let the destination rest; returns when the delivery is due again."""
        timing = site.configuration.timing
        length = timing.probe_after * (1 << min(waiting.attempts, _DOUBLED_AT_MOST))
        before = self._rests.get(waiting.destination)
        if before is not None:
            length = max(length, 2 * before.length)
        length = max(_SHORTEST, min(length, timing.retry_after))
        self._rests[waiting.destination] = _Rest(now + length, length, strict)
        return min(now + length, waiting.since + timing.give_up_notices_after)

    def _tell(
        self, site: Site, waiting: Waiting, started: float, settlement: str, detail: str
    ) -> None:
        delivery, seconds = waiting.delivery, seconds_since(started)
        site.hooks.event(
            DeliverySettled(
                waiting.id, delivery.channel, delivery.rule_name, settlement, detail, seconds
            )
        )


def _longest(site: Site) -> timedelta:
    """How long anything may rest."""
    return max(_SHORTEST, site.configuration.timing.retry_after)


def _is_over(site: Site, waiting: Waiting) -> bool:
    """Whether it has waited so long that no attempt comes after the next."""
    limit = site.configuration.timing.give_up_notices_after
    return site.clock() - waiting.since >= limit
