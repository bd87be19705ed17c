from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from pydicom import dcmread

import mroute_discard
import mroute_dispatch
from mroute.api import Clock, TaskPlan, hookimpl
from mroute.errors import PluginError, TaskFileError
from mroute.testing import (
    NOW,
    MovingClock,
    hooks_of,
    make_rule,
    make_series,
    make_task,
    plan_context,
    registry_of,
    reopened,
    triggered,
    work_context,
    write_dicom,
)
from mroute.types import TriggeredRule
from mroute_discard import DiscardRule


class Film:
    """A plugin that is an object."""

    @hookimpl
    def mroute_dispatch(self) -> list[TaskPlan]:
        return [TaskPlan("film", ("rule",), "print")]


def test_plugins_are_named_after_themselves_or_as_the_test_says() -> None:
    hooks = hooks_of(mroute_dispatch, Film(), other=mroute_discard)
    assert [plugin.name for plugin in hooks.plugins] == ["Film", "dispatch", "other"]
    assert hooks.implemented_by("Film") == ("mroute_dispatch",)


def test_an_object_is_a_plugin() -> None:
    tasks = hooks_of(Film()).dispatch(make_series(), [], plan_context())
    assert [task.queue for task in tasks] == ["film"]


def test_a_plugin_that_cannot_be_loaded_is_an_error() -> None:
    misspelled = ModuleType("mroute_wrong")

    @hookimpl
    def mroute_dispatsch() -> None:
        """No such hook."""

    misspelled.mroute_dispatsch = mroute_dispatsch  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match=r"^plugin 'wrong': .*unknown hook 'mroute_dispatsch'"):
        hooks_of(misspelled)


def test_what_implements_no_hook_is_no_plugin() -> None:
    with pytest.raises(PluginError) as caught:
        hooks_of(film=object())
    assert str(caught.value) == "plugin 'film': it implements no hook of mroute"


def test_a_plugin_that_contributes_something_unusable_is_an_error() -> None:
    class Wrong:
        @hookimpl
        def mroute_actions(self) -> list[str]:
            return ["burn"]

    with pytest.raises(PluginError, match=r"returned 'burn', expected a ActionType$"):
        registry_of(Wrong())


def test_a_series_has_the_tags_that_the_test_names() -> None:
    assert make_series(Modality="CT").tags["Modality"] == "CT"
    assert make_series(Modality="CT").study_uid == "1.2"
    assert make_series({"SeriesInstanceUID": "9"}, images=2).images == ("9#0.dcm", "9#1.dcm")
    assert make_series({}).tags == {}


def test_a_rule_is_of_the_action_of_its_model() -> None:
    rule = make_rule(DiscardRule, when="tags.Modality == 'CT'", priority="urgent")
    assert (rule.action, rule.when, rule.priority.value) == (
        "discard",
        "tags.Modality == 'CT'",
        "urgent",
    )
    assert triggered(rule, "no-ct") == TriggeredRule("no-ct", rule)


def test_work_is_saved_where_the_next_worker_finds_it(
    tmp_path: Path, mroute_clock: MovingClock
) -> None:
    task = make_task(tmp_path / "task", {"film": {"pages": 1}}, {"a.dcm": b"a", "b.dcm": b"b"})
    assert [path.name for path in task.images()] == ["a.dcm", "b.dcm"]
    assert len(task.files()) == 4
    context = work_context(task, clock=mroute_clock)
    mroute_clock.move(timedelta(minutes=1))
    context.save("film", {"pages": 2})
    context.note("printed", "page 2")
    again = reopened(task)
    assert (task.content["film"], again.content["film"]) == ({"pages": 1}, {"pages": 2})
    journal = again.content["journal"]
    assert isinstance(journal, list)
    assert journal[-1] == {
        "time": "2026-01-01T12:01:00+00:00",
        "actor": "test",
        "action": "printed",
        "outcome": "page 2",
    }


def test_a_task_without_its_file_cannot_be_opened(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task")
    (task.folder / "task.json").unlink()
    with pytest.raises(TaskFileError):
        reopened(task)


def test_the_clock_stands_still_until_it_is_moved(mroute_clock: MovingClock) -> None:
    clock: Clock = mroute_clock
    assert clock() == clock() == NOW
    mroute_clock.move(timedelta(hours=1))
    assert clock() == NOW + timedelta(hours=1)


def test_a_file_is_valid_dicom(mroute_dicom_file: Callable[..., Path], tmp_path: Path) -> None:
    path = mroute_dicom_file("a/1.dcm", Modality="US", PatientName="Doe^Jane")
    assert path == tmp_path / "a" / "1.dcm"
    image = dcmread(path)
    assert (image.Modality, image.PatientName, image.SeriesInstanceUID) == (
        "US",
        "Doe^Jane",
        "1.2.3",
    )
    assert (image.Rows, image.PixelData) == (1, b"\0\0")
    again = dcmread(write_dicom(tmp_path / "b" / "1.dcm"))
    assert again.SOPInstanceUID == image.SOPInstanceUID
    assert dcmread(mroute_dicom_file("2.dcm")).SOPInstanceUID != image.SOPInstanceUID
