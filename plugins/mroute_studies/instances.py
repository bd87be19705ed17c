"""The condition ``expected_instances``: as many images have arrived as the study should have.

Knows who says how many that are: a tag of its series, or the rule. Does not know which images they
are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from mroute.api import FOREVER, ConditionBase, Study, Verdict

_TAG = "NumberOfStudyRelatedInstances"


class InstancesCondition(ConditionBase):
    """The study is complete when as many images have arrived as it should have."""

    complete: Literal["expected_instances"]
    tag: str = Field(
        _TAG,
        min_length=1,
        description="Keyword of the tag that says how many images the study has, where its sender "
        "gives it. Where its series say different numbers, the largest counts.",
        examples=[_TAG],
    )
    number: int | None = Field(
        None,
        ge=1,
        description="How many images the study has, where that is the same for every study of the "
        "rule. Without it, the tag says so.",
        examples=[120],
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> InstancesCondition:
        if self.number is not None and self.tag != _TAG:
            raise ValueError("'tag' and 'number' both say how many images there are; remove one")
        return self


def check_study_instances(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether as many images have arrived as expected; one that came twice counts once."""
    condition = study.condition
    assert isinstance(condition, InstancesCondition)
    expected, said = condition.number, "by the rule"
    if expected is None:
        expected, said = max(_said(study, condition.tag), default=None), f"by tag '{condition.tag}'"
    if expected is None:
        because = f"no series says in tag '{condition.tag}' how many images there are"
        return Verdict(False, because, valid_until=FOREVER)
    because = f"{study.instances} of {expected} images came, expected {said}"
    return Verdict(study.instances >= expected, because, valid_until=FOREVER)


def _said(study: Study, tag: str) -> Iterator[int]:
    """The numbers that the series of the study say."""
    for tags in study.series:
        text = tags.get(tag, "").strip()
        if text.isascii() and text.isdigit() and int(text):
            yield int(text)
