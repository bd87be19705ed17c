from __future__ import annotations

import pytest
from pydantic import ValidationError

import mroute_dispatch
import mroute_processing
from mroute.api import Priority, Subject, TaskPlan
from mroute.testing import NOW, make_rule, make_series, make_study, plan_context, triggered
from mroute_discard import DiscardRule
from mroute_dispatch.planning import RouteRule
from mroute_dispatch.section import add_dispatching
from mroute_processing.command import CommandModule
from mroute_processing.planning import BothRule, ProcessRule, add_processing, plan_tasks
from mroute_studies.timeout import TimeoutCondition

SEGMENT = CommandModule(
    runner="command", command=("segment", "--fast"), settings={"threshold": 0.5, "color": "red"}
)
MODULES = {"segment": SEGMENT}
CONTEXT = plan_context(mroute_dispatch, mroute_processing, modules=MODULES)


def test_a_rule_with_one_module_is_a_task_with_one_entry() -> None:
    rule = triggered(make_rule(ProcessRule, modules=["segment"], priority="urgent"), "r1")
    assert plan_tasks(make_series(), [rule], CONTEXT) == [
        TaskPlan(
            queue="processing",
            rules=("r1",),
            action="process",
            applied_rule="r1",
            sections={
                "process": {
                    "module_name": "segment",
                    "module_config": {
                        "runner": "command",
                        "command": ["segment", "--fast"],
                        "timeout": "3600s",
                        "settings": {"threshold": 0.5, "color": "red"},
                        "comment": "",
                    },
                    "settings": {"threshold": 0.5, "color": "red"},
                    "retain_input_images": False,
                    "output": None,
                    "exchange": None,
                }
            },
            priority=Priority.URGENT,
        )
    ]


def test_settings_of_the_rule_go_over_those_of_the_module() -> None:
    rule = make_rule(ProcessRule, modules=["segment"], settings={"threshold": 0.4, "mode": "x"})
    section = add_processing(rule, MODULES)
    assert isinstance(section, dict)
    assert section["settings"] == {"threshold": 0.4, "color": "red", "mode": "x"}


def test_several_modules_are_a_list_in_their_order() -> None:
    rule = make_rule(ProcessRule, modules=["segment", "unknown"], retain_input_images=True)
    section = add_processing(rule, MODULES)
    assert isinstance(section, list)
    assert [
        (each["module_name"], each["module_config"] is None, each["retain_input_images"])
        for each in section
        if isinstance(each, dict)
    ] == [("segment", False, True), ("unknown", True, True)]


@pytest.mark.parametrize(
    "subject",
    [make_series(), make_study(TimeoutCondition(complete="timeout"))],
    ids=["series", "study"],
)
def test_a_rule_that_sends_as_well_brings_what_that_needs(subject: Subject) -> None:
    rule = triggered(make_rule(BothRule, modules=["segment"], targets=["b", "a"]), "r1")
    [task] = plan_tasks(subject, [rule], CONTEXT)
    assert (task.action, task.applied_rule) == ("both", "r1")
    assert task.sections["dispatch"] == add_dispatching(["b", "a"], NOW)
    assert task.sections["process"] == add_processing(
        make_rule(ProcessRule, modules=["segment"]), MODULES
    )


def test_rules_are_never_pooled_and_others_are_left_alone() -> None:
    rules = [
        triggered(make_rule(ProcessRule, modules=["segment"]), "r1"),
        triggered(make_rule(RouteRule, targets=["a"]), "r2"),
        triggered(make_rule(ProcessRule, modules=["segment"]), "r3"),
        triggered(make_rule(DiscardRule), "r4"),
    ]
    tasks = plan_tasks(make_series(), rules, CONTEXT)
    assert [task.rules for task in tasks] == [("r1",), ("r3",)]


def test_the_environment_of_a_module_is_not_written_into_the_task() -> None:
    module = CommandModule(runner="command", command=("x",), environment={"TOKEN": "secret"})
    section = add_processing(make_rule(ProcessRule, modules=["m"]), {"m": module})
    assert "secret" not in str(section)


@pytest.mark.parametrize(
    ("model", "fields"),
    [(ProcessRule, {"modules": []}), (BothRule, {"modules": ["m"], "targets": []})],
)
def test_a_rule_needs_a_module_and_a_target_if_it_sends(
    model: type[ProcessRule | BothRule], fields: dict[str, object]
) -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        make_rule(model, **fields)
