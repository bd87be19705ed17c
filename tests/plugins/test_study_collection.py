from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

import mroute_studies
from mroute.api import ConditionBase, Duration, FilePath, RejectedError, RuleBase
from mroute.testing import NOW, hooks_of, make_rule, make_series, plan_context, triggered
from mroute_dispatch.planning import RouteRule
from mroute_notification.webhook import Webhook
from mroute_studies.collection import add_study, create_study_task, update_study_task
from mroute_studies.series import SeriesCondition
from mroute_studies.timeout import TimeoutCondition

SERIES = make_series(SeriesInstanceUID="1.2.7", SeriesDescription="COR T1 POST")
STARTED = {
    "study_uid": "1.2",
    "complete_trigger": "received_series",
    "complete_required_series": "'T1' and 'T2'",
    "creation_time": "2026-01-01T12:00:00+00:00",
    "last_receive_time": "2026-01-01T12:00:00+00:00",
    "received_series": [],
    "received_series_uid": [],
    "complete_force": False,
    "complete_force_action": "proceed",
}


def condition(**fields: Any) -> SeriesCondition:
    return SeriesCondition.model_validate(
        {"complete": "received_series", "series": "'T1' and 'T2'", **fields}
    )


def rule_of(study: ConditionBase | None) -> RouteRule:
    return make_rule(RouteRule, targets=["pacs"], on="study" if study else "series", study=study)


RULE = rule_of(condition(**{"after": "90m", "else": "proceed"}))


def test_the_study_section_begins_empty() -> None:
    assert add_study(SERIES, RULE, NOW) == STARTED


def test_a_condition_that_asks_for_no_series_requires_none() -> None:
    section = add_study(SERIES, rule_of(TimeoutCondition(complete="timeout")), NOW)
    assert section == {
        **STARTED,
        "complete_trigger": "timeout",
        "complete_required_series": "",
        "complete_force_action": "discard",
    }


def test_a_series_task_has_no_study_section() -> None:
    assert add_study(SERIES, rule_of(None), NOW) == {}


def test_a_study_grows_by_each_series() -> None:
    later = NOW + timedelta(minutes=1)
    assert update_study_task(SERIES, later) == (
        {"received_series": "COR T1 POST", "received_series_uid": "1.2.7"},
        {"last_receive_time": "2026-01-01T12:01:00+00:00"},
    )


def test_a_series_without_a_description_is_counted_all_the_same() -> None:
    series = make_series({"SeriesInstanceUID": "1.2.7", "StudyInstanceUID": "1.2"})
    assert update_study_task(series, NOW)[0] == {
        "received_series": "",
        "received_series_uid": "1.2.7",
    }


def test_a_series_joins_the_study_of_its_uid_under_the_rule() -> None:
    plan = create_study_task(SERIES, triggered(RULE, "spine"), NOW)
    assert (plan.study_uid, plan.rule_name) == ("1.2", "spine")
    assert plan.create == STARTED
    assert (plan.append, plan.latest) == update_study_task(SERIES, NOW)
    assert plan.rule == {
        "when": "True",
        "action": "route",
        "on": "study",
        "study": {
            "complete": "received_series",
            "series": "'T1' and 'T2'",
            "after": "5400s",
            "else": "proceed",
            "when": None,
            "latecomers": "new",
        },
        "notify": [],
        "priority": "normal",
        "fallback": False,
        "disabled": False,
        "contact": "",
        "comment": "",
        "targets": ["pacs"],
    }


@pytest.mark.parametrize("tags", [{}, {"StudyInstanceUID": ""}])
def test_a_series_without_a_study_is_rejected_with_the_rule_named(tags: dict[str, str]) -> None:
    series = make_series({"SeriesInstanceUID": "1.2.7", **tags})
    with pytest.raises(RejectedError, match=r"^rule 'spine' collects studies, but the series has"):
        create_study_task(series, triggered(RULE, "spine"), NOW)


def test_each_rule_collects_a_study_of_its_own() -> None:
    rules = [triggered(RULE, "a"), triggered(rule_of(None), "b"), triggered(RULE, "c")]
    plans = hooks_of(mroute_studies).study_collection(SERIES, rules, plan_context())
    assert [plan.rule_name for plan in plans] == ["a", "c"]


class Everything(RuleBase):
    """A rule of a third party, with fields of every kind."""

    action: Literal["everything"]
    wait: Duration = timedelta(0)
    folder: FilePath | None = None
    pairs: dict[str, tuple[int, float]] = Field(default_factory=dict)


@given(
    st.builds(
        Everything.model_construct,
        when=st.text(),
        action=st.just("everything"),
        wait=st.timedeltas(timedelta(0), timedelta(days=9999)).map(
            lambda each: timedelta(seconds=each // timedelta(seconds=1))
        ),
        pairs=st.dictionaries(
            st.text(),
            st.tuples(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
        ),
        comment=st.text(),
        disabled=st.booleans(),
    )
)
def test_a_rule_can_be_read_again_from_what_is_kept_of_it(rule: Everything) -> None:
    written = rule.model_dump(mode="json", by_alias=True)
    assert Everything.model_validate(json.loads(json.dumps(written))) == rule


def test_what_is_in_a_rule_can_be_read_again_too() -> None:
    webhook = Webhook.model_validate(
        {"channel": "webhook", "url": "https://a.example/x?y=1", "events": ["error"]}
    )
    rule = make_rule(
        Everything, wait="1h30m", folder="/data/x", study=condition(after="1d"), notify=[webhook]
    )
    written: Any = rule.model_dump(mode="json", by_alias=True)
    again = Everything.model_validate(
        {
            **written,
            "study": SeriesCondition.model_validate(written["study"]),
            "notify": [Webhook.model_validate(each) for each in written["notify"]],
        }
    )
    assert again == rule
