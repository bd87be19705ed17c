"""The service ``housekeeping``: deletes what is done or discarded, so that disks do not fill.

Knows which hooks the plugin implements. Does not know what is deleted when (sweep).
"""

from __future__ import annotations

from pydantic import BaseModel

from mroute.api import ServiceType, hookimpl
from mroute_housekeeping.settings import HousekeepingSettings, is_wanted
from mroute_housekeeping.sweep import keep_house


@hookimpl
def mroute_settings() -> type[BaseModel]:
    """The section ``housekeeping`` of the settings."""
    return HousekeepingSettings


@hookimpl
def mroute_services() -> list[ServiceType]:
    """The service; it runs where the settings have its section."""
    return [ServiceType("housekeeping", keep_house, is_wanted)]
