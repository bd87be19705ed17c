"""The section ``dicom`` of the settings.

Knows the settings and where they are found. Does not know what they are used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import BaseModel, Field

from mroute.api import Duration, FilePath, Model
from mroute_dicom.receiving.settings import ReceiverSettings

SECTION = "dicom"


class DicomSettings(Model):
    """Where images come from."""

    inbox: FilePath | None = Field(
        None,
        description="A folder out of which DICOM files are taken, with all folders in it; files "
        "that are none go to `.rejected` there. If not given, no folder is looked into.",
        examples=["/data/inbox"],
    )
    receiver: ReceiverSettings | None = Field(
        None, description="A Storage SCP; if not given, nothing is received over the network."
    )
    settle: Duration = Field(
        timedelta(seconds=5),
        description="A file is taken out of `inbox` when it did not change for this time.",
        examples=["5s"],
    )


def settings_in(settings: Mapping[str, BaseModel]) -> DicomSettings:
    """The section among those of all plugins, or the defaults."""
    section = settings.get(SECTION)
    return section if isinstance(section, DicomSettings) else DicomSettings()
