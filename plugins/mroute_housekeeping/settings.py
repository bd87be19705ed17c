"""The section ``housekeeping`` of the settings.

Knows what an administrator may say about what is kept. Does not know how it is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import BaseModel, Field

from mroute.api import Duration, Hours, Model

SECTION = "housekeeping"


class HousekeepingSettings(Model):
    """What is deleted of what is done or discarded; nothing where the section is not there."""

    success: Duration | None = Field(
        None,
        description="How long tasks are kept in `success/`; for ever if not given.",
        examples=["7d"],
    )
    discard: Duration | None = Field(
        None,
        description="How long tasks are kept in `discard/`; for ever if not given.",
        examples=["2d"],
    )
    min_free: int = Field(
        10,
        ge=0,
        le=90,
        description="Per cent of a file system that must be free. With less, what is in `success/` "
        "and `discard/` there is deleted, the oldest first and at any hour, until that much is "
        "free; `0`: never.",
        examples=[5],
    )
    hours: Hours | None = Field(
        None,
        description="The hours in which what is too old is deleted, in the time zone of this "
        "machine; all of them if not given.",
    )
    every: Duration = Field(
        timedelta(minutes=10), description="Time between two looks.", examples=["10m"]
    )


def settings_in(settings: Mapping[str, BaseModel]) -> HousekeepingSettings | None:
    """The section among those of all plugins; None where it is not there."""
    section = settings.get(SECTION)
    return section if isinstance(section, HousekeepingSettings) else None


def is_wanted(settings: Mapping[str, BaseModel]) -> bool:
    """Whether the settings have the section."""
    return settings_in(settings) is not None
