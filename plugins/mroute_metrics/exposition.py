"""The page of metrics, in the format that its reader asks for.

Knows the formats of Prometheus. Does not know which metrics there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class Exposition(Collector):
    """All metrics of a registry but the time when each was first counted.

    The library tells of that unless it is told not to for the whole process, and each is a time
    series more.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric

    def page(self, accept: str) -> tuple[bytes, str]:
        """The page for an ``Accept`` header, and its ``Content-Type``."""
        encode, kind = choose_encoder(accept)
        return encode(self), kind
