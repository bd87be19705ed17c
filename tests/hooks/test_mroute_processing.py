from __future__ import annotations

import mroute_processing
from mroute.api import TaskPlan
from mroute.hooks import Hooks
from mroute.testing import hooks_of, make_rule, make_series, plan_context, triggered
from mroute_processing.planning import ProcessRule
from tests.hooks.fakes import (
    Wrapper,
    check_broken_planners,
    check_broken_wrapper,
    check_wrong_plans,
    plugin,
)

HOOK = "mroute_processing"

RULE = triggered(make_rule(ProcessRule, modules=["segment"]), "segment-it")
ANONYMIZE = TaskPlan("anonymizing", ("segment-it",), "anonymize")


def call(hooks: Hooks) -> tuple[TaskPlan, ...]:
    return hooks.processing(make_series(), [RULE], plan_context())


def test_the_default_plugin_plans_what_is_processed() -> None:
    [task] = call(hooks_of(mroute_processing))
    assert (task.queue, task.rules, task.applied_rule) == (
        "processing",
        ("segment-it",),
        "segment-it",
    )


def test_plans_of_all_plugins_count() -> None:
    tasks = call(hooks_of(mroute_processing, other=plugin(HOOK, lambda: [ANONYMIZE])))
    assert {task.queue for task in tasks} == {"processing", "anonymizing"}


def test_a_wrapper_adds_to_what_others_planned() -> None:
    def implementation() -> Wrapper:
        planned = yield
        return [*planned, [ANONYMIZE]]

    tasks = call(hooks_of(mroute_processing, site=plugin(HOOK, implementation, wrapper=True)))
    assert [task.queue for task in tasks] == ["processing", "anonymizing"]


def test_a_broken_plugin_spoils_the_plan() -> None:
    check_broken_planners(HOOK, mroute_processing, ANONYMIZE, call)


def test_a_broken_wrapper_is_named() -> None:
    check_broken_wrapper(HOOK, mroute_processing, call)


def test_what_is_no_plan_is_refused() -> None:
    check_wrong_plans(HOOK, "TaskPlan", call)
