"""Metrics for Prometheus: what happens is counted, and served where the settings ask for it.

Knows which hooks the plugin implements. Does not know what is counted (counting), what waits
(waiting), or how it is served (server).
"""

from __future__ import annotations

from pydantic import BaseModel

from mroute.api import Event, ServiceType, hookimpl
from mroute_metrics.recorder import RECORDER
from mroute_metrics.service import is_wanted, run_metrics
from mroute_metrics.settings import MetricsSettings


@hookimpl
def mroute_settings() -> type[BaseModel]:
    """The section ``metrics`` of the settings."""
    return MetricsSettings


@hookimpl
def mroute_services() -> list[ServiceType]:
    """Serves the metrics."""
    return [ServiceType("metrics", run_metrics, is_wanted)]


@hookimpl
def mroute_event(event: Event) -> None:
    """Count the event."""
    RECORDER.note(event)
