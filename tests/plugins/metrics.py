"""Reads pages of metrics, as Prometheus does.

Knows the two formats. Does not know which metrics there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_families

from mroute.api import (
    Clock,
    DeliverySettled,
    Event,
    SeriesDecided,
    ServiceContext,
    TargetServed,
    TaskSettled,
    WaitingItem,
)
from mroute.testing import NOW
from mroute_metrics.counting import Counting
from mroute_metrics.exposition import Exposition
from mroute_metrics.waiting import WaitingMetrics

NONE: Mapping[str, int] = {}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Samples(dict[str, float]):
    """Values by name and labels, ``mroute_series_total{outcome="routed"}`` say."""

    @classmethod
    def of(cls, families: Iterable[Metric]) -> Samples:
        """Those of parsed families."""
        found = cls()
        for family in families:
            for sample in family.samples:
                labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
                key = sample.name + (f"{{{labels}}}" if labels else "")
                assert key not in found
                found[key] = sample.value
        return found

    def beside_zero(self) -> dict[str, float]:
        """Those that are not 0, but the buckets of histograms and what the process itself tells."""
        return {
            key: value
            for key, value in self.items()
            if value and "_bucket" not in key and not key.startswith(("process_", "mroute_build"))
        }


def parsed(text: str) -> Samples:
    """The samples of a page; fails where it is not in the format."""
    return Samples.of(plain_families(text))


def parsed_openmetrics(text: str) -> Samples:
    """The same of the newer format."""
    families: Iterable[Metric] = openmetrics.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return Samples.of(families)


def page(counting: Counting, accept: str = "") -> str:
    """What a reader of what was counted gets."""
    return Exposition(counting.figures.registry).page(accept)[0].decode("utf-8")


def counted(*events: Event) -> Samples:
    """What the events come to; the time is 1,000 seconds."""
    counting = Counting(clock=lambda: 1_000.0)
    for event in events:
        counting.note(event)
    return parsed(page(counting))


def context_of(
    waiting: Callable[[], Sequence[WaitingItem]],
    targets: Callable[[], Mapping[str, datetime | None]],
    clock: Clock = lambda: NOW,
    failures: Mapping[str, int] = NONE,
) -> ServiceContext:
    """What the service may ask; it receives nothing."""
    return ServiceContext(
        clock=clock,
        settings={},
        receive=lambda path, facts: path,
        stop=threading.Event(),
        workspace=Path(),
        waiting=waiting,
        targets=targets,
        failures=failures,
    )


def every_metric() -> str:
    """A page on which every metric has a sample."""
    counting = Counting()
    for event in (
        SeriesDecided("claim", "1.2.3", ("rule",), None, False, 0.1),
        TaskSettled("task", "outgoing", "done", "", 0.1),
        TargetServed("task", "outgoing", "pacs", "done", 1, 1, 0.1),
        DeliverySettled("delivery", "webhook", "rule", "done", "", 0.1),
    ):
        counting.note(event)
    items = [WaitingItem("outgoing", "waiting", NOW, ("pacs",))]
    context = context_of(lambda: items, lambda: {"pacs": None}, failures={"webhook": 1})
    counting.figures.registry.register(WaitingMetrics(context, counting.targets))
    return page(counting)
