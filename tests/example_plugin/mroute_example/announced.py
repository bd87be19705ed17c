"""The completion condition ``announced_series``: a tag says how many series the study has.

Knows how many series there should be and how many came. Does not know what happens to the study.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from mroute.api import FOREVER, ConditionBase, Study, Verdict


class AnnouncedSeriesCondition(ConditionBase):
    """The study is complete when as many series have arrived as a tag of it says."""

    complete: Literal["announced_series"]
    tag: str = Field(
        "NumberOfStudyRelatedSeries",
        description="Keyword of the element that holds the number of series.",
        examples=["NumberOfStudyRelatedSeries"],
    )


def check_announced_series(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Compare the number of series received with the largest number that one of them announced.

    A study whose tag is missing or no number is never complete by itself. The rule's ``after`` and
    ``else`` end the waiting, as they do for every condition.
    """
    assert isinstance(study.condition, AnnouncedSeriesCondition)
    tag = study.condition.tag
    texts = [tags.get(tag, "").strip() for tags in study.series]
    announced = max((int(text) for text in texts if text.isdecimal()), default=None)
    # Time alone changes neither answer: mroute asks again when another series came.
    if announced is None:
        because = f"tag '{tag}' does not say how many series there are"
        return Verdict(False, because, valid_until=FOREVER)
    received = len(study.descriptions)
    because = f"{received} of the {announced} series in tag '{tag}' came"
    return Verdict(received >= announced, because, valid_until=FOREVER)
