"""Collects the series of a study, and contributes the conditions that say when it is complete.

Knows which hooks the plugin implements. Does not know how a series joins its study (collection) or
what a condition asks for: each is in the module of its name.
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
from mroute_studies.combined import (
    AllOfCondition,
    AnyOfCondition,
    check_all_of,
    check_any_of,
)
from mroute_studies.instances import InstancesCondition, check_study_instances
from mroute_studies.series import SeriesCondition, check_study_series
from mroute_studies.timeout import TimeoutCondition, check_study_timeout


@hookimpl
def mroute_completion_conditions() -> list[ConditionType]:
    """When nothing comes any more, when certain series or enough images came, and of these."""
    return [
        ConditionType("timeout", TimeoutCondition, check_study_timeout),
        ConditionType("received_series", SeriesCondition, check_study_series),
        ConditionType("expected_instances", InstancesCondition, check_study_instances),
        ConditionType("any_of", AnyOfCondition, check_any_of),
        ConditionType("all_of", AllOfCondition, check_all_of),
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
