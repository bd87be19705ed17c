from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mroute_dispatch
from mroute.api import (
    DeliveryError,
    Done,
    Failed,
    Retry,
    Shipment,
    TargetBase,
    TargetType,
    Task,
    WorkContext,
)
from mroute.errors import TaskNotSavedError
from mroute.testing import NOW, MovingClock, make_task, reopened, work_context
from mroute_dispatch import attempt
from mroute_dispatch.delivery import deliver
from mroute_dispatch.dummy import DummyTarget
from mroute_dispatch.section import add_dispatching
from tests.hooks.fakes import plugin


class Desk(TargetBase):
    """Keeps a list of what it was given; fails with what it is told to."""

    type: str = "desk"


class Desks:
    """A target type whose targets fail as ``errors`` says, by name."""

    def __init__(self, **errors: Exception) -> None:
        self.errors = errors
        self.sent: list[str] = []

    def send(self, shipment: Shipment, target: Desk, context: WorkContext) -> None:
        name = shipment.target_name
        if name in self.errors:
            raise self.errors[name]
        self.sent.append(name)

    @property
    def plugin(self) -> ModuleType:
        return plugin("mroute_target_types", lambda: [TargetType("desk", Desk, self.send)])


def make(folder: Path, *targets: str) -> Task:
    return make_task(folder / "task", {"dispatch": add_dispatching(targets, NOW)})


def context_of(task: Task, desks: Desks, *names: str) -> WorkContext:
    return work_context(task, desks.plugin, targets={name: Desk() for name in names})


def states(task: Task) -> dict[str, Any]:
    status: Any = reopened(task).content["dispatch"]
    return {name: each["state"] for name, each in status["status"].items()}


def test_every_target_gets_the_task(tmp_path: Path) -> None:
    task, desks = make(tmp_path, "b", "a"), Desks()
    assert deliver(task, context_of(task, desks, "a", "b")) == Done("sent to 'b', 'a'")
    assert desks.sent == ["b", "a"]
    assert states(task) == {"a": "complete", "b": "complete"}


def test_the_time_of_each_result_is_noted(tmp_path: Path, mroute_clock: MovingClock) -> None:
    task = make(tmp_path, "a")
    context = work_context(task, Desks().plugin, targets={"a": Desk()}, clock=mroute_clock)
    mroute_clock.move(NOW - NOW.replace(hour=11))
    deliver(task, context)
    assert reopened(task).content["dispatch"] == {
        "target_name": ["a"],
        "status": {
            "a": {
                "state": "complete",
                "time": "2026-01-01T13:00:00+00:00",
                "reason": "",
                "alternate": "",
                "instances": {},
            }
        },
        "retries": None,
        "next_retry_at": None,
    }


def test_one_that_cannot_take_it_now_is_tried_again_alone(tmp_path: Path) -> None:
    task, desks = make(tmp_path, "a", "b"), Desks(a=DeliveryError("refused"))
    assert deliver(task, context_of(task, desks, "a", "b")) == Retry("target 'a': refused")
    assert (desks.sent, states(task)) == (["b"], {"a": "waiting", "b": "complete"})

    task, desks = reopened(task), Desks()
    assert deliver(task, context_of(task, desks, "a", "b")) == Done("sent to 'a', 'b'")
    assert desks.sent == ["a"]


def test_one_that_is_not_configured_any_more_fails_after_the_others(tmp_path: Path) -> None:
    task, desks = make(tmp_path, "gone", "b"), Desks()
    assert deliver(task, context_of(task, desks, "b")) == Failed(
        "target 'gone' is not configured any more", "dispatching"
    )
    assert (desks.sent, states(task)) == (["b"], {"gone": "error", "b": "complete"})


def test_any_other_error_of_a_target_is_final_and_about_it_alone(tmp_path: Path) -> None:
    task, desks = make(tmp_path, "a", "b"), Desks(a=ValueError("no such AE title"))
    assert deliver(task, context_of(task, desks, "a", "b")) == Failed(
        "target 'a': ValueError: no such AE title", "dispatching"
    )
    assert (desks.sent, states(task)) == (["b"], {"a": "error", "b": "complete"})


def test_a_target_that_fails_for_good_waits_for_those_that_may_still_take_it(
    tmp_path: Path,
) -> None:
    task, desks = make(tmp_path, "gone", "b"), Desks(b=DeliveryError("refused"))
    assert deliver(task, context_of(task, desks, "b")) == Retry(
        "target 'gone' is not configured any more; target 'b': refused"
    )
    task = reopened(task)
    assert isinstance(deliver(task, context_of(task, Desks(), "b")), Failed)
    assert states(task) == {"gone": "error", "b": "complete"}


def test_a_failed_task_that_was_put_back_is_tried_again(tmp_path: Path) -> None:
    task = make(tmp_path, "a")
    deliver(task, context_of(task, Desks(a=ValueError("typo")), "a"))
    task = reopened(task)
    assert deliver(task, context_of(task, Desks(), "a")) == Done("sent to 'a'")


def test_a_target_of_an_unknown_type_fails(tmp_path: Path) -> None:
    task = make(tmp_path, "a")
    context = replace(context_of(task, Desks(), "a"), target_types={})
    assert deliver(task, context) == Failed(
        "no installed plugin has targets of type 'desk'", "dispatching"
    )


def test_each_result_is_saved_before_the_next_target_is_tried(tmp_path: Path) -> None:
    task, seen = make(tmp_path, "a", "b"), list[dict[str, Any]]()

    class Watching(Desks):
        def send(self, shipment: Shipment, target: Desk, context: WorkContext) -> None:
            seen.append(states(task))

    deliver(task, context_of(task, Watching(), "a", "b"))
    assert seen == [
        {"a": "sending", "b": "waiting"},
        {"a": "complete", "b": "sending"},
    ]


def test_a_note_that_cannot_be_saved_while_sending_is_no_fault_of_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "_SAVED_EVERY", -1.0)
    task, desks = make(tmp_path, "a"), Desks()
    context = context_of(task, desks, "a")
    failed = list[str]()

    def send(shipment: Shipment, target: Desk, context: WorkContext) -> None:
        failed.append("next")
        for image in shipment.images:
            shipment.stored(image, "0000", "")

    def save(section: str, value: Any) -> None:
        if failed == ["next"]:
            failed[:] = ["now"]
            raise TaskNotSavedError("the disk is full")
        context.save(section, value)

    kinds = {"desk": TargetType("desk", Desk, send)}
    assert deliver(task, replace(context, save=save, target_types=kinds)) == Done("sent to 'a'")
    assert (failed, states(task)) == (["now"], {"a": "complete"})


def test_what_mroute_keeps_in_the_section_stays(tmp_path: Path) -> None:
    kept: dict[str, Any] = {
        "retries": 2,
        "next_retry_at": "2026-01-01T13:00:00+00:00",
        "ticket": "MR-7",
    }
    section = {**add_dispatching(["a"], NOW), **kept}
    task = make_task(tmp_path / "task", {"dispatch": section})
    deliver(task, context_of(task, Desks(), "a"))
    found: Any = reopened(task).content["dispatch"]
    assert {key: found[key] for key in kept} == kept


def test_an_old_section_with_one_target_as_text_and_no_status_is_served(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", {"dispatch": {"target_name": "a"}})
    assert deliver(task, context_of(task, Desks(), "a")) == Done("sent to 'a'")
    assert states(task) == {"a": "complete"}


DAMAGED = "'dispatch.status.a.state' in task.json is damaged: "


@pytest.mark.damages_task_files
@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"target_name": []}, "the task has no target to be sent to"),
        ({}, "'dispatch.target_name' in task.json is damaged: Field required"),
        (
            {"target_name": ["a"], "status": {"a": {"state": "lost", "time": NOW.isoformat()}}},
            DAMAGED + "Input should be 'waiting', 'sending', 'complete' or 'error'",
        ),
    ],
)
def test_a_section_that_says_nothing_useful_is_a_failure(
    tmp_path: Path, section: dict[str, Any], reason: str
) -> None:
    task = make_task(tmp_path / "task", {"dispatch": section})
    assert deliver(task, context_of(task, Desks(), "a")) == Failed(reason, "dispatching")


def test_a_dummy_takes_everything_or_refuses_everything(tmp_path: Path) -> None:
    task = make(tmp_path, "yes", "no")
    targets = {
        "yes": DummyTarget(type="dummy"),
        "no": DummyTarget(type="dummy", fail="out of paper"),
    }
    context = work_context(task, mroute_dispatch, targets=targets)
    assert deliver(task, context) == Retry("target 'no': out of paper")
    assert states(task) == {"yes": "complete", "no": "waiting"}
