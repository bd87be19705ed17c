"""The service ``metrics``: what is counted, and what waits, on a port of this machine.

Knows when counting begins, and how long the port is served. Does not know what is counted, or HTTP.
What it needs is imported when it runs: nobody pays for metrics that nobody wants.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from mroute.api import MrouteError, ServiceContext
from mroute_metrics.recorder import RECORDER, Recorder
from mroute_metrics.settings import SECTION, MetricsSettings


def is_wanted(settings: Mapping[str, BaseModel]) -> bool:
    """Whether the settings have the section."""
    return SECTION in settings


def run_metrics(context: ServiceContext, recorder: Recorder = RECORDER) -> None:
    """Serve metrics until ``stop`` is set.

    Raises `MrouteError` where the address cannot be had; what happens is counted even so, and told
    once it can.
    """
    from mroute_metrics.exposition import Exposition
    from mroute_metrics.server import MetricsServer
    from mroute_metrics.waiting import WaitingMetrics

    settings = context.settings[SECTION]
    assert isinstance(settings, MetricsSettings)
    counting = recorder.begin()
    registry = counting.figures.registry
    waiting = WaitingMetrics(context, counting.targets)
    registry.register(waiting)

    def trouble(detail: str) -> None:
        context.notice("service metrics", detail)

    try:
        page = Exposition(registry).page
        try:
            server = MetricsServer(settings.bind, settings.port, page, trouble)
        except OSError as error:
            raise MrouteError(
                f"metrics cannot be served on '{settings.bind}', port {settings.port}: "
                f"{error.strerror or error}; name others under 'settings: metrics', or end what "
                "uses them"
            ) from error
        with server:
            server.serve_until(context.stop)
    finally:
        registry.unregister(waiting)
        if context.stop.is_set():
            recorder.end()
