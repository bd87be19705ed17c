"""Counts what happened: which event moves which metric.

Knows that no value of a label may come from an image, a task or a sentence. Does not know who tells
of events, or who reads the metrics.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mroute.api import (
    ArrivalIgnored,
    ConfigurationChanged,
    DeliverySettled,
    Event,
    Finish,
    InstanceConflicted,
    LatecomerArrived,
    SeriesDecided,
    SeriesDeferred,
    SeriesReceived,
    Started,
    SubjectCommitted,
    TargetServed,
    TaskSettled,
    TroubleNoticed,
    UidType,
)
from mroute_metrics.figures import ACCEPTED, DEFERRED, DISCARDED, REFUSED, ROUTED, TO_ERROR, Figures
from mroute_metrics.names import Names

_TROUBLES: dict[type[Event], str] = {
    ArrivalIgnored: "arrival_ignored",
    InstanceConflicted: "instance_conflicted",
    LatecomerArrived: "latecomer_arrived",
    TroubleNoticed: "trouble_noticed",
}
"""Events that an administrator should look at, and that say so nowhere else, with their names."""


class Counting:
    """Moves ``figures``; any thread may call it. ``targets`` are the names of targets so far."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.figures = Figures()
        self.targets = Names()
        self._rules, self._queues, self._channels = Names(), Names(), Names()
        self._clock = clock
        self._counts: dict[type[Event], Callable[[Any], None]] = {
            SeriesReceived: self._received,
            SeriesDecided: self._decided,
            SubjectCommitted: self._committed,
            SeriesDeferred: self._deferred,
            TaskSettled: self._settled,
            TargetServed: self._served,
            DeliverySettled: self._delivered,
            Started: self._started,
            ConfigurationChanged: self._reloaded,
            **dict.fromkeys(_TROUBLES, self._noticed),
        }
        for said in _TROUBLES.values():
            self.figures.troubles.labels(said)

    def note(self, event: Event) -> None:
        """Count an event; most say nothing that another does not say too."""
        count = self._counts.get(type(event))
        if count is not None:
            count(event)

    def _received(self, event: SeriesReceived) -> None:
        self.figures.series_received.inc()
        self.figures.images_received.inc(event.images)
        self.figures.files_rejected.inc(event.rejected)

    def _decided(self, event: SeriesDecided) -> None:
        self.figures.decision.observe(event.seconds)
        for rule in event.triggered:
            self.figures.rules.labels(self._rules(rule)).inc()

    def _committed(self, event: SubjectCommitted) -> None:
        self.figures.commit.observe(event.seconds)
        outcome = _outcome(event)
        if event.kind == UidType.SERIES:
            self.figures.series.labels(outcome).inc()
            self.figures.images.labels(outcome).inc(event.images)
        elif event.kind == UidType.STUDY:
            self.figures.studies.labels(outcome).inc()

    def _deferred(self, event: SeriesDeferred) -> None:
        self.figures.series.labels(DEFERRED).inc()

    def _settled(self, event: TaskSettled) -> None:
        queue = self._queues(event.queue)
        self.figures.settled.labels(queue, event.settlement).inc()
        self.figures.work.labels(queue).observe(event.seconds)

    def _served(self, event: TargetServed) -> None:
        queue, target = self._queues(event.queue), self.targets(event.target)
        self.figures.attempts.labels(queue, target, event.settlement).inc()
        if event.settlement == "done":
            self.figures.delivery.labels(queue, target).observe(event.seconds)
        self.figures.images_sent.labels(target).inc(event.images)
        self.figures.bytes_sent.labels(target).inc(event.size)

    def _delivered(self, event: DeliverySettled) -> None:
        channel = self._channels(event.channel)
        self.figures.notifications.labels(channel, event.settlement).inc()

    def _started(self, event: Started) -> None:
        self._in_force()

    def _reloaded(self, event: ConfigurationChanged) -> None:
        self.figures.reloads.labels(ACCEPTED if event.accepted else REFUSED).inc()
        if event.accepted:
            self._in_force()
        else:
            self.figures.reload_ok.set(0)

    def _in_force(self) -> None:
        self.figures.reload_ok.set(1)
        self.figures.good_since.set(self._clock())

    def _noticed(self, event: Event) -> None:
        self.figures.troubles.labels(_TROUBLES[type(event)]).inc()


def _outcome(event: SubjectCommitted) -> str:
    """What became of a series or a study: the best of it, where files of it went elsewhere."""
    places = {task.partition("/")[0] for task in event.tasks}
    if event.studies or places - {Finish.DISCARD, Finish.ERROR}:
        return ROUTED
    return DISCARDED if Finish.DISCARD in places else TO_ERROR
