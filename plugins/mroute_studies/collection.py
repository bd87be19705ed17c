"""Plans how a series joins the collecting study of a rule.

Knows the study section of ``task.json`` and how it grows with each series. Does not know when a
study is complete, or how a plan is made true.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from mroute.api import (
    ConditionBase,
    RejectedError,
    RuleBase,
    Series,
    StudyPlan,
    Trigger,
    TriggeredRule,
)


def create_study_task(series: Series, triggered: TriggeredRule, now: datetime) -> StudyPlan:
    """The plan for a series that joins the study of a rule, be it the first one or a later one.

    Raises `RejectedError` for a series that does not say to which study it belongs.
    """
    if not series.study_uid:
        raise RejectedError(
            f"rule '{triggered.name}' collects studies, but the series has no StudyInstanceUID; "
            "expected the UID of its study"
        )
    append, latest = update_study_task(series, now)
    return StudyPlan(
        study_uid=series.study_uid,
        rule_name=triggered.name,
        rule=triggered.rule.model_dump(mode="json", by_alias=True),
        create=add_study(series, triggered.rule, now),
        append=append,
        latest=latest,
    )


def add_study(series: Series, rule: RuleBase, now: datetime) -> dict[str, JsonValue]:
    """The study section before any series joined; empty for a rule that acts on series."""
    condition = rule.study
    if rule.on is not Trigger.STUDY or not isinstance(condition, ConditionBase):
        return {}
    return {
        "study_uid": series.study_uid,
        "complete_trigger": condition.complete,
        "complete_required_series": getattr(condition, "series", ""),
        "creation_time": now.isoformat(),
        "last_receive_time": now.isoformat(),
        "received_series": [],
        "received_series_uid": [],
        "complete_force": False,
        "complete_force_action": condition.otherwise.value,
    }


def update_study_task(
    series: Series, now: datetime
) -> tuple[Mapping[str, JsonValue], Mapping[str, JsonValue]]:
    """What a series appends to the lists of the study section, and what it replaces there."""
    return (
        {
            "received_series": series.tags.get("SeriesDescription", ""),
            "received_series_uid": series.uid,
        },
        {"last_receive_time": now.isoformat()},
    )
