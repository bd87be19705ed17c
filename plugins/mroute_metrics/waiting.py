"""What waits in the spool and which targets are down, as metrics of the moment of a scrape.

Knows that a look at the spool costs, and how seldom is often enough. Does not know how it is looked
at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mroute.api import ServiceContext
from mroute_metrics.names import OTHER, Names

LEAST = 5.0
"""Seconds that what was found is good for."""

SHARE = 0.1
"""Of the time that is spent with looking, at most."""

_PLACES = (
    ("incoming", "arriving"),
    ("studies", "collecting"),
    ("outbox", "waiting"),
    ("error", "dead"),
)
"""Queues and states that are told of before anything was there."""

K = TypeVar("K", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look found: how many by queue and state, tasks by queue and target, and since when.

    What was there once is there with 0: what is not there cannot be seen to grow. ``oldest`` is by
    queue, and by queue and target.
    """

    items: dict[tuple[str, str], int] = field(default_factory=lambda: dict.fromkeys(_PLACES, 0))
    tasks: dict[tuple[str, str], int] = field(default_factory=dict)
    oldest: dict[tuple[str, ...], datetime] = field(default_factory=dict)
    up: dict[tuple[str], bool] = field(default_factory=dict)
    readable: bool = False
    seconds: float = 0.0


class WaitingMetrics(Collector):
    """Looks when it is asked, but not more often than `LEAST` and `SHARE` allow.

    Any thread may ask; one looks, and the others wait for what it finds. ``targets`` limits the
    names of targets, ``clock`` counts seconds.
    """

    def __init__(
        self, context: ServiceContext, targets: Names, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._context, self._targets, self._clock = context, targets, clock
        self._plugins = Names()
        self._looking = threading.Lock()
        self._found = _Found()
        self._good_until = float("-inf")

    def describe(self) -> list[Metric]:
        """Nothing, so that being registered does not cost a look."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics now: counts as of the last look, ages as of this moment."""
        found, now = self._current(), self._context.clock()

        def ages(keys: Iterable[K]) -> dict[K, float]:
            waited = {key: now - found.oldest.get(key, now) for key in keys}
            return {key: max(0.0, age.total_seconds()) for key, age in waited.items()}

        readable, seconds = {(): found.readable}, {(): found.seconds}
        yield _gauge("spool_readable", "Whether the spool could be looked at.", readable)
        yield _gauge("spool_look_seconds", "Time of the last look at the spool.", seconds)
        if found.readable:
            by_queue, by_target = ages((name,) for name, _ in found.items), ages(found.tasks)
            labels = "queue", "target"
            yield _gauge("waiting_items", "What is in the spool.", found.items, "queue", "state")
            yield _gauge("waiting_oldest_seconds", "Age of the oldest.", by_queue, "queue")
            yield _gauge("target_waiting_tasks", "Tasks to be sent.", found.tasks, *labels)
            yield _gauge("target_oldest_seconds", "Age of the oldest.", by_target, *labels)
            yield _gauge("target_up", "Whether it can be sent to.", found.up, "target")
        errors = CounterMetricFamily(
            "mroute_plugin_errors", "Times that a plugin raised as an observer.", labels=["plugin"]
        )
        for plugin, failures in dict(self._context.failures).items():
            errors.add_metric([self._plugins(plugin)], failures)
        yield errors

    def _current(self) -> _Found:
        with self._looking:
            began = self._clock()
            if began >= self._good_until:
                try:
                    found = self._look()
                # The disk, or a plugin that is asked for the targets of its tasks: what events
                # have counted is told all the same.
                except Exception:  # noqa: BLE001
                    found = replace(self._found, readable=False)
                ended = self._clock()
                self._found = replace(found, seconds=ended - began)
                self._good_until = ended + max(LEAST, (ended - began) / SHARE)
            return self._found

    def _look(self) -> _Found:
        down = self._context.targets()
        items, tasks = dict.fromkeys(self._found.items, 0), dict.fromkeys(self._found.tasks, 0)
        oldest: dict[tuple[str, ...], datetime] = {}
        for item in self._context.waiting():
            kind = item.queue, item.state
            items[kind] = items.get(kind, 0) + 1
            # A task file may say anything: a name is one where the rule file has it.
            names = {self._targets(each) if each in down else OTHER for each in item.targets}
            keys = [(item.queue, name) for name in names]
            for key in keys:
                tasks[key] = tasks.get(key, 0) + 1
            for each in ((item.queue,), *keys):
                oldest[each] = min(oldest.get(each, item.since), item.since)
        up = {(self._targets(name),): since is None for name, since in down.items()}
        return _Found(items, tasks, oldest, up, readable=True)


def _gauge(name: str, what: str, values: Mapping[K, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"mroute_{name}", what, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family
