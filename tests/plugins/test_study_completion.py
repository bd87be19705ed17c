from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mroute_studies
from mroute.api import ConditionBase, Study, Verdict
from mroute.testing import NOW, make_study, registry_of
from mroute_studies.completion import (
    SeriesCondition,
    TimeoutCondition,
    check_study_series,
    check_study_timeout,
    is_study_complete_by_series,
    is_study_complete_by_timeout,
)

SECOND = timedelta(seconds=1)
QUIET = timedelta(minutes=15)


def timeout(**fields: Any) -> TimeoutCondition:
    return TimeoutCondition.model_validate({"complete": "timeout", **fields})


def series(text: str, **fields: Any) -> SeriesCondition:
    return SeriesCondition.model_validate({"complete": "received_series", "series": text, **fields})


def check(study: Study, now: datetime, pending: Sequence[str] = ()) -> Verdict:
    """Ask the condition of the study, as mroute does."""
    return (
        registry_of(mroute_studies).conditions[study.condition.complete].check(study, now, pending)
    )


def test_a_study_is_complete_when_it_was_quiet_for_longer_than_its_time() -> None:
    study = make_study(timeout(), quiet_time=QUIET)
    assert check_study_timeout(study, NOW + QUIET + SECOND, ()) == Verdict(
        True, "no series arrived for more than 0:15:00"
    )
    assert check_study_timeout(study, NOW + QUIET, ()) == Verdict(
        False, "the last series arrived 0:15:00 ago; complete after 0:15:00"
    )


def test_the_time_begins_with_the_last_series() -> None:
    study = make_study(timeout(), last_received_at=NOW + QUIET, quiet_time=QUIET)
    assert not check(study, NOW + QUIET + SECOND).complete
    assert check(study, NOW + 2 * QUIET + SECOND).complete


def test_a_study_waits_for_series_that_are_arriving() -> None:
    study = make_study(timeout(), quiet_time=QUIET)
    assert check_study_timeout(study, NOW + timedelta(days=1), ["1.2.8", "1.2.9"]) == Verdict(
        False, "2 series of the study are still arriving"
    )


@given(
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.lists(st.sampled_from(["1.2.8", "1.2.9"]), max_size=2),
)
def test_a_study_is_complete_exactly_when_nothing_is_to_be_expected(
    quiet_time: timedelta, passed: timedelta, pending: list[str]
) -> None:
    study = make_study(timeout(), quiet_time=quiet_time)
    verdict = is_study_complete_by_timeout(study, NOW + passed, pending)
    assert verdict.complete == (passed > quiet_time and not pending)
    assert verdict.forced is None


@pytest.mark.parametrize(
    ("text", "received", "verdict"),
    [
        (
            "'T1' and 'T2'",
            ["ax t1", "ax t2"],
            Verdict(True, "'T1' was received as 'ax t1'; 'T2' was received as 'ax t2'"),
        ),
        ("'T1' and 'T2'", ["ax t1"], Verdict(False, "not complete: 'T2' is missing")),
        (
            "'T1' and 'POST'",
            ["COR T1 POST"],
            Verdict(
                True, "'T1' was received as 'COR T1 POST'; 'POST' was received as 'COR T1 POST'"
            ),
        ),
        ("'T1'", [], Verdict(False, "no series was received")),
    ],
)
def test_a_study_is_complete_when_the_series_asked_for_are_there(
    text: str, received: list[str], verdict: Verdict
) -> None:
    assert check_study_series(make_study(series(text), received), NOW, ()) == verdict


def test_series_that_are_arriving_are_not_waited_for() -> None:
    assert check(make_study(series("'T1'")), NOW, ["1.2.9"]).complete


@pytest.mark.parametrize("condition", [timeout(), series("'T9'")])
def test_an_administrator_can_complete_a_study_in_its_task_file(condition: ConditionBase) -> None:
    study = make_study(condition, section={"complete_force": True})
    assert check(study, NOW, ["1.2.9"]) == Verdict(
        True, "an administrator set 'complete_force' in its task.json"
    )
    assert not check(make_study(condition, section={"complete_force": False}), NOW).complete


def test_each_condition_has_its_criterion() -> None:
    study = make_study(series("'T1'"))
    later = NOW + QUIET + SECOND
    assert is_study_complete_by_series(study, NOW, ()).complete
    assert not is_study_complete_by_timeout(study, NOW, ()).complete
    assert is_study_complete_by_timeout(study, later, ()).complete
