from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import mroute_studies
from mroute.api import RejectedError, Series, StudyPlan
from mroute.hooks import Hooks
from mroute.testing import hooks_of, make_rule, make_series, plan_context, triggered
from mroute_discard import DiscardRule
from mroute_studies.timeout import TimeoutCondition
from tests.hooks.fakes import (
    check_broken_planners,
    check_broken_wrapper,
    check_wrong_plans,
    plugin,
)

HOOK = "mroute_study_collection"

RULE = triggered(
    make_rule(DiscardRule, on="study", study=TimeoutCondition(complete="timeout")), "spine"
)
OTHER = StudyPlan("1.2", "spine", {}, {}, {}, {})


def call(hooks: Hooks, series: Series | None = None) -> tuple[StudyPlan, ...]:
    return hooks.study_collection(series or make_series(), [RULE], plan_context())


def test_the_default_plugin_plans_which_study_is_joined() -> None:
    [study] = call(hooks_of(mroute_studies))
    assert (study.study_uid, study.rule_name) == ("1.2", "spine")


def test_plans_of_all_plugins_count() -> None:
    def implementation(series: Series) -> Iterator[StudyPlan]:
        yield replace(OTHER, study_uid=f"{series.study_uid}.1")

    studies = call(hooks_of(mroute_studies, other=plugin(HOOK, implementation)))
    assert {study.study_uid for study in studies} == {"1.2", "1.2.1"}


def test_a_series_is_rejected_in_the_words_of_the_plugin() -> None:
    with pytest.raises(RejectedError) as caught:
        call(hooks_of(mroute_studies), make_series({"SeriesInstanceUID": "1.2.3"}))
    assert str(caught.value) == (
        "rule 'spine' collects studies, but the series has no StudyInstanceUID; "
        "expected the UID of its study"
    )


def test_a_broken_plugin_spoils_the_plan() -> None:
    check_broken_planners(HOOK, mroute_studies, OTHER, call)


def test_a_broken_wrapper_is_named() -> None:
    check_broken_wrapper(HOOK, mroute_studies, call)


def test_what_is_no_plan_is_refused() -> None:
    check_wrong_plans(HOOK, "StudyPlan", call)
