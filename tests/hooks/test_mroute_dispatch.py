from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

import mroute_discard
import mroute_dispatch
from mroute.api import RejectedError, Subject, TaskPlan, TriggeredRule
from mroute.engine import plan
from mroute.errors import UnclaimedRuleError
from mroute.hooks import Hooks
from mroute.testing import hooks_of, make_rule, make_series, plan_context, registry_of, triggered
from mroute.types import Decision
from mroute_dispatch.planning import RouteRule
from tests.hooks.fakes import (
    Wrapper,
    check_broken_planners,
    check_broken_wrapper,
    check_wrong_plans,
    plugin,
)

HOOK = "mroute_dispatch"

RULE = triggered(make_rule(RouteRule, targets=["pacs"]), "to-pacs")
FILM = TaskPlan("film", ("to-pacs",), "print")


def call(hooks: Hooks) -> tuple[TaskPlan, ...]:
    return hooks.dispatch(make_series(), [RULE], plan_context())


def test_the_default_plugin_plans_what_is_sent() -> None:
    [task] = call(hooks_of(mroute_dispatch))
    assert (task.queue, task.rules, task.key) == ("outgoing", ("to-pacs",), "pacs")


def test_plans_of_all_plugins_count_in_whatever_order_they_are_asked() -> None:
    def implementation(subject: Subject, rules: Sequence[TriggeredRule]) -> Iterator[TaskPlan]:
        yield replace(FILM, key=subject.uid, rules=tuple(rule.name for rule in rules))

    tasks = call(hooks_of(mroute_dispatch, film=plugin(HOOK, implementation)))
    assert {(task.queue, task.key) for task in tasks} == {("outgoing", "pacs"), ("film", "1.2.3")}


def test_a_wrapper_rewrites_what_others_planned() -> None:
    def implementation() -> Wrapper:
        planned = yield
        return [[replace(task, key="rewritten") for task in each] for each in planned]

    [task] = call(hooks_of(mroute_dispatch, site=plugin(HOOK, implementation, wrapper=True)))
    assert (task.queue, task.key) == ("outgoing", "rewritten")


def test_a_wrapper_vetoes_with_a_reason() -> None:
    def implementation(subject: Subject) -> Wrapper:
        yield
        raise RejectedError(f"nothing leaves the house on a Sunday: {subject.uid}")

    hooks = hooks_of(mroute_dispatch, site=plugin(HOOK, implementation, wrapper=True))
    with pytest.raises(RejectedError, match=r"^nothing leaves the house on a Sunday: 1\.2\.3$"):
        call(hooks)


def test_a_rule_that_a_wrapper_forgets_is_not_dropped() -> None:
    def implementation() -> Wrapper:
        yield
        return []

    hooks = hooks_of(mroute_dispatch, site=plugin(HOOK, implementation, wrapper=True))
    decision = Decision((RULE.name,), {}, definitions={RULE.name: RULE.rule})
    actions = registry_of(mroute_dispatch, mroute_discard).actions
    with pytest.raises(UnclaimedRuleError, match="'to-pacs'"):
        plan(make_series(), decision, hooks, actions, plan_context())


def test_a_broken_plugin_spoils_the_plan() -> None:
    check_broken_planners(HOOK, mroute_dispatch, FILM, call)


def test_a_broken_wrapper_is_named() -> None:
    check_broken_wrapper(HOOK, mroute_dispatch, call)


def test_what_is_no_plan_is_refused() -> None:
    check_wrong_plans(HOOK, "TaskPlan", call)
