"""The model of a target of the type ``xnat``.

Knows what a person may say about a project of an XNAT. Does not know how anything gets there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from mroute.api import Secret
from mroute_web.labels import Label
from mroute_web.target import WebTarget


class Destination(StrEnum):
    """Where images go within a project.

    ``archive``: into the archive, as soon as XNAT has put their session together. ``prearchive``:
    into the prearchive, where the settings of the project say what becomes of them.
    """

    ARCHIVE = "archive"
    PREARCHIVE = "prearchive"


class XnatTarget(WebTarget):
    """A project of an XNAT."""

    type: Literal["xnat"]
    project: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The ID of the project, not its title.",
        examples=["LUNGS"],
    )
    user: str = Field(
        pattern=r"^[^:\x00-\x1f\x7f]+$",
        description="The user, who must be allowed to create in the project.",
        examples=["mroute"],
    )
    password: Secret = Field(
        description="The password of the user, from the environment or a file.",
        examples=[{"env": "XNAT_PASSWORD"}],
    )
    subject: Label = Field(
        "{PatientID}", description="The label of the subject that an image belongs to."
    )
    session: Label = Field(
        "{StudyInstanceUID}", description="The label of the session that an image belongs to."
    )
    destination: Destination = Field(
        Destination.ARCHIVE,
        description="Where the images go: into the `archive`, as soon as XNAT has put a session "
        "together, or into the `prearchive`, where the settings of the project say what becomes of "
        "them.",
    )
