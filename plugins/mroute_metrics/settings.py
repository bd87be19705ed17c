"""The section ``metrics`` of the settings.

Knows where the figures are served. Does not know what they are.
"""

from __future__ import annotations

from pydantic import Field

from mroute.api import Model

SECTION = "metrics"


class MetricsSettings(Model):
    """Figures for Prometheus; without this section there are none."""

    bind: str = Field(
        "127.0.0.1",
        min_length=1,
        description="The address of this machine on which they are served. Whoever reaches it can "
        "read them.",
        examples=["127.0.0.1", "192.0.2.10"],
    )
    port: int = Field(9464, ge=1, le=65_535, description="The port.", examples=[9464])
