"""Collects the series of a study; the completion conditions ``timeout`` and ``received_series``.

Knows which hooks the plugin implements. Does not know how a series joins its study (collection) or
when that is complete (completion).
"""

from __future__ import annotations

from collections.abc import Sequence

from mroute.api import (
    ConditionType,
    PlanContext,
    Series,
    StudyPlan,
    TriggeredRule,
    hookimpl,
)
from mroute_studies.collection import create_study_task
from mroute_studies.completion import (
    SeriesCondition,
    TimeoutCondition,
    is_study_complete_by_series,
    is_study_complete_by_timeout,
)


@hookimpl
def mroute_completion_conditions() -> list[ConditionType]:
    """A study is complete when nothing comes any more, or when certain series are there."""
    return [
        ConditionType("timeout", TimeoutCondition, is_study_complete_by_timeout),
        ConditionType("received_series", SeriesCondition, is_study_complete_by_series),
    ]


@hookimpl
def mroute_study_collection(
    series: Series, rules: Sequence[TriggeredRule], context: PlanContext
) -> list[StudyPlan]:
    """Plan that the series joins its study, once for each rule; pure."""
    return [
        create_study_task(series, triggered, context.now)
        for triggered in rules
        if triggered.rule.study is not None
    ]
