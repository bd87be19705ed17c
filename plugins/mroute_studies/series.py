"""The condition ``received_series``: certain series have arrived.

Knows the expression that says which. Does not know times, or which series are still arriving.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from mroute.api import (
    FOREVER,
    ConditionBase,
    ExpressionText,
    Language,
    Study,
    Verdict,
    compile_completion,
)
from mroute_studies.timeout import check_study_timeout

_compiled = functools.lru_cache(maxsize=1024)(compile_completion)

_WHEN_EMPTY = "no series is named, so that the study is complete when it was quiet, as by 'timeout'"


class SeriesCondition(ConditionBase):
    """The study is complete when certain series have arrived."""

    complete: Literal["received_series"]
    series: Annotated[str, ExpressionText(Language.COMPLETION, _WHEN_EMPTY)] = Field(
        description="Which series the study waits for: an expression of names, each of which is "
        "there when the description of a series holds it, in upper or lower case. Empty: as "
        "`timeout`.",
        examples=["'Axial T2' and ('SAG T1 GRE' or 'SAG T1 TSE')"],
    )


def check_study_series(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether the series that the condition asks for have arrived; nobody waits for others."""
    assert isinstance(study.condition, SeriesCondition)
    if not study.condition.series.strip():
        return check_study_timeout(study, now, pending)
    outcome = _compiled(study.condition.series).evaluate(study.descriptions)
    return Verdict(outcome.value is True, outcome.because, valid_until=FOREVER)
