from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

import mroute_dispatch
from mroute.api import Priority, TaskPlan, TriggeredRule
from mroute.testing import NOW, make_rule, make_series, make_study, plan_context, triggered
from mroute_discard import DiscardRule
from mroute_dispatch.planning import RouteRule, compose_sections, plan_tasks
from mroute_dispatch.section import add_dispatching
from mroute_processing.planning import BothRule
from mroute_studies.timeout import TimeoutCondition

STUDY = make_study(TimeoutCondition(complete="timeout"))

WAITING: JsonValue = {"state": "waiting", "time": "2026-01-01T12:00:00+00:00"}


def route(name: str, *targets: str, priority: str = "normal") -> TriggeredRule:
    return triggered(make_rule(RouteRule, targets=targets, priority=priority), name)


def test_a_rule_with_one_target_is_one_task() -> None:
    assert plan_tasks(make_series(), [route("r1", "pacs")], plan_context()) == [
        TaskPlan(
            queue="outgoing",
            rules=("r1",),
            action="route",
            applied_rule="",
            key="pacs",
            sections={
                "dispatch": {
                    "target_name": ["pacs"],
                    "status": {"pacs": WAITING},
                    "retries": None,
                    "next_retry_at": None,
                }
            },
        )
    ]


def test_rules_of_a_series_share_the_task_of_a_target() -> None:
    rules = [route("r1", "b", "a", "b"), route("r2", "a", "c")]
    tasks = plan_tasks(make_series(), rules, plan_context())
    assert [(task.key, task.rules) for task in tasks] == [
        ("b", ("r1",)),
        ("a", ("r1", "r2")),
        ("c", ("r2",)),
    ]


def test_a_study_is_one_task_for_all_targets_of_its_rule() -> None:
    [task] = plan_tasks(STUDY, [route("r1", "b", "a", "b", priority="urgent")], plan_context())
    assert (task.rules, task.applied_rule, task.key) == (("r1",), "r1", "")
    assert task.priority is Priority.URGENT
    assert task.sections == {"dispatch": add_dispatching(["b", "a"], NOW)}


def test_rules_of_other_actions_are_left_alone() -> None:
    others = [
        triggered(make_rule(DiscardRule)),
        triggered(make_rule(BothRule, modules=["m"], targets=["pacs"])),
    ]
    assert plan_tasks(make_series(), others, plan_context()) == []
    assert plan_tasks(STUDY, others, plan_context()) == []


@pytest.mark.parametrize("subject", [make_series(), STUDY], ids=["series", "study"])
def test_any_rule_with_targets_can_be_handed_over_to_the_queue(subject: object) -> None:
    rule = triggered(make_rule(BothRule, modules=["m"], targets=["b", "a"]))
    later = plan_context(mroute_dispatch, now=NOW + timedelta(hours=1))
    assert later.sections_for("outgoing", make_series(), [rule]) == {
        "dispatch": add_dispatching(["b", "a"], later.now)
    }


def test_a_rule_whose_targets_are_one_text_has_one_target() -> None:
    class Elsewhere(DiscardRule):
        @property
        def targets(self) -> str:
            return "pacs"

    rule = triggered(make_rule(Elsewhere))
    sections = compose_sections(make_series(), [rule], plan_context())
    assert sections == {"dispatch": add_dispatching(["pacs"], NOW)}


def test_a_rule_needs_a_target() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        make_rule(RouteRule, targets=[])


RULES = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=5), st.sampled_from(list(Priority))
    ),
    max_size=5,
)


@given(RULES)
def test_pooling_loses_no_rule_and_repeats_no_target(
    drawn: list[tuple[list[str], Priority]],
) -> None:
    rules = [
        route(f"r{number}", *targets, priority=priority)
        for number, (targets, priority) in enumerate(drawn)
    ]
    tasks = plan_tasks(make_series(), rules, plan_context())
    mentioned = [target for targets, _ in drawn for target in targets]
    assert [task.key for task in tasks] == list(dict.fromkeys(mentioned))
    for task in tasks:
        asking = [number for number, (targets, _) in enumerate(drawn) if task.key in targets]
        assert task.rules == tuple(f"r{number}" for number in asking)
        priorities = {drawn[number][1] for number in asking}
        assert (task.priority is Priority.URGENT) == (Priority.URGENT in priorities)
        assert (task.priority is Priority.OFFPEAK) == (priorities == {Priority.OFFPEAK})
    ids = [task.task_id(make_series().claim_id) for task in tasks]
    assert len(set(ids)) == len(ids)
