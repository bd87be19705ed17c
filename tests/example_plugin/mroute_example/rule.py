"""The rule model of the action: what a rule file may say.

Knows the fields and what is wrong with their values. Does not know what is done with them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydicom.datadict import tag_for_keyword

from mroute.api import RuleBase, TargetName

ACTION = "anonymize-and-archive"


def known_keyword(keyword: str) -> str:
    """Return ``keyword`` if it is in the DICOM dictionary; raise `ValueError` otherwise."""
    if tag_for_keyword(keyword) is None:
        raise ValueError(f"'{keyword}' is not in the DICOM dictionary, expected a keyword")
    return keyword


class AnonymizeRule(RuleBase):
    """Remove elements from the images, then hand them to a target."""

    action: Literal["anonymize-and-archive"]
    archive: TargetName = Field(
        description="Name of the target that gets the images.", examples=["research"]
    )
    remove: tuple[Annotated[str, AfterValidator(known_keyword)], ...] = Field(
        ("PatientName", "PatientID"),
        description="Keywords of the elements that are removed, in sequences too.",
        examples=[["PatientName", "PatientID", "PatientSex"]],
    )

    @property
    def targets(self) -> tuple[str, ...]:
        """Where the queue ``outgoing`` sends the images; it asks every rule for its targets."""
        return (self.archive,)
