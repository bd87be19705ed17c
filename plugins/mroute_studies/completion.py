"""When a study is complete: its criterion is met, or an administrator says so.

Knows the two criteria. Does not know where a study comes from, what becomes of it, or when its
completion is forced: mroute does that for every condition.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from mroute.api import Completion, ConditionBase, Study, Verdict, compile_completion

_compiled = functools.lru_cache(maxsize=1024)(compile_completion)


class TimeoutCondition(ConditionBase):
    """The study is complete when no series of it arrived for a while."""

    complete: Literal["timeout"]


class SeriesCondition(ConditionBase):
    """The study is complete when certain series have arrived."""

    complete: Literal["received_series"]
    series: Completion = Field(
        description="Which series the study waits for: an expression of names, each of which is "
        "there when the description of a series holds it, in upper or lower case.",
        examples=["'Axial T2' and ('SAG T1 GRE' or 'SAG T1 TSE')"],
    )


def is_study_complete(
    study: Study,
    now: datetime,
    pending: Sequence[str],
    criterion: Callable[[Study, datetime, Sequence[str]], Verdict],
) -> Verdict:
    """Whether the study is complete: an administrator said so, or the criterion is met."""
    if study.section.get("complete_force") is True:
        return Verdict(True, "an administrator set 'complete_force' in its task.json")
    return criterion(study, now, pending)


def is_study_complete_by_timeout(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """`is_study_complete` with the criterion `check_study_timeout`."""
    return is_study_complete(study, now, pending, check_study_timeout)


def is_study_complete_by_series(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """`is_study_complete` with the criterion `check_study_series`."""
    return is_study_complete(study, now, pending, check_study_series)


def check_study_timeout(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether the study was quiet for longer than its time and no series of it is arriving."""
    if pending:
        return Verdict(False, f"{len(pending)} series of the study are still arriving")
    quiet = now - study.last_received_at
    if quiet > study.quiet_time:
        return Verdict(True, f"no series arrived for more than {study.quiet_time}")
    return Verdict(
        False, f"the last series arrived {_seconds(quiet)} ago; complete after {study.quiet_time}"
    )


def check_study_series(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether the series that the condition asks for have arrived; nobody waits for others."""
    assert isinstance(study.condition, SeriesCondition)
    outcome = _compiled(study.condition.series).evaluate(study.descriptions)
    return Verdict(outcome.value is True, outcome.because)


def _seconds(duration: timedelta) -> timedelta:
    return timedelta(seconds=int(duration.total_seconds()))
