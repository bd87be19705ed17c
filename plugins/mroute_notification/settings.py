"""The section ``notification`` of the settings.

Knows the settings and where they are found. Does not know what they are used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import BaseModel, Field

from mroute.api import Duration, Model

SECTION = "notification"


class NotificationSettings(Model):
    """How messages are sent."""

    timeout: Duration = Field(
        timedelta(seconds=10),
        description="How long to wait for the receiver of a message; then it is tried again later.",
        examples=["10s"],
    )


def settings_in(settings: Mapping[str, BaseModel]) -> NotificationSettings:
    """The section among those of all plugins, or the defaults."""
    section = settings.get(SECTION)
    return section if isinstance(section, NotificationSettings) else NotificationSettings()
