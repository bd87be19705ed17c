from __future__ import annotations

from typing import Literal

import pytest

import mroute_discard
import mroute_dispatch
import mroute_notification
import mroute_processing
from mroute.api import ActionType, Phase, RuleBase
from mroute.errors import DuplicateContributionError
from mroute.registry import Registry
from mroute.testing import hooks_of, registry_of
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_actions"


class BurnRule(RuleBase):
    action: Literal["burn"]


BURN = ActionType("burn", Phase.DISPATCH, BurnRule)


def test_the_default_actions() -> None:
    actions = registry_of(
        mroute_discard, mroute_dispatch, mroute_notification, mroute_processing
    ).actions
    assert {name: action.phase for name, action in actions.items()} == {
        "discard": Phase.DISCARD,
        "route": Phase.DISPATCH,
        "notification": Phase.NOTIFICATION,
        "process": Phase.PROCESSING,
        "both": Phase.PROCESSING,
    }
    for name, action in actions.items():
        assert action.model.model_json_schema()["properties"]["action"]["const"] == name


def test_a_plugin_adds_one() -> None:
    registry = registry_of(mroute_discard, burner=plugin(HOOK, lambda: [BURN]))
    assert registry.actions == {
        **registry_of(mroute_discard).actions,
        "burn": BURN,
    }
    assert registry.contributed_by[("action", "burn")] == "burner"


def test_one_that_is_there_already_is_refused_with_both_names() -> None:
    registry = Registry.collect(
        hooks_of(one=plugin(HOOK, lambda: [BURN]), two=plugin(HOOK, lambda: [BURN]))
    )
    with pytest.raises(DuplicateContributionError) as caught:
        registry.raise_conflicts()
    assert str(caught.value) == (
        "plugin 'two': contributes the action 'burn', which plugin 'one' contributes already; "
        "disable one of them with MROUTE_DISABLE_PLUGINS"
    )


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_discard, BURN, lambda registry: registry.actions)


def test_what_is_no_action_is_refused() -> None:
    check_wrong_results(HOOK, "ActionType")
