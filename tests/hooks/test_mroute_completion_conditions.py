from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import mroute_studies
from mroute.api import ConditionBase, ConditionType, Study, Verdict
from mroute.testing import NOW, make_study, registry_of
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_completion_conditions"


class PairCondition(ConditionBase):
    complete: Literal["pair"]


def check_pair(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    if len(study.descriptions) >= 2:
        return Verdict(True, "there are two series")
    return Verdict(False, "there is one series")


PAIR = ConditionType("pair", PairCondition, check_pair)


def test_the_default_conditions() -> None:
    conditions = registry_of(mroute_studies).conditions
    names = ["timeout", "received_series", "expected_instances", "any_of", "all_of"]
    assert list(conditions) == names
    for name, condition in conditions.items():
        assert condition.model.model_json_schema()["properties"]["complete"]["const"] == name


def test_a_plugin_adds_one_that_judges_its_own_criterion() -> None:
    conditions = registry_of(mroute_studies, plugin(HOOK, lambda: [PAIR])).conditions
    condition = PairCondition.model_validate({"complete": "pair", "after": "1h", "else": "proceed"})
    check = conditions["pair"].check
    assert check(make_study(condition, ["T1", "T2"]), NOW, ()).complete
    assert not check(make_study(condition), NOW + timedelta(hours=2), ()).complete


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_studies, PAIR, lambda registry: registry.conditions)


def test_what_is_no_condition_is_refused() -> None:
    check_wrong_results(HOOK, "ConditionType")
