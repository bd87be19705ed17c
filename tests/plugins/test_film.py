from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from mroute.api import Done, Retry, Task
from mroute.testing import (
    hooks_of,
    make_rule,
    make_series,
    make_task,
    plan_context,
    registry_of,
    reopened,
    triggered,
    work_context,
)
from tests.plugins import film

# What it contributes


def test_the_plugin_adds_an_action_and_a_queue() -> None:
    registry = registry_of(film)
    assert registry.actions["print"].model is film.PrintRule
    assert list(registry.queues) == ["printer"]


def test_a_rule_prints_a_number_of_copies() -> None:
    assert make_rule(film.PrintRule).copies == 1
    with pytest.raises(ValidationError, match="valid integer"):
        make_rule(film.PrintRule, copies="many")


# What it plans


def test_each_rule_is_a_task_of_its_own() -> None:
    rules = [
        triggered(make_rule(film.PrintRule, copies=2), "for-the-ward"),
        triggered(make_rule(film.PrintRule), "for-the-patient"),
    ]
    tasks = hooks_of(film).dispatch(make_series(Modality="CR"), rules, plan_context())
    assert [(task.queue, task.rules) for task in tasks] == [
        ("printer", ("for-the-ward",)),
        ("printer", ("for-the-patient",)),
    ]
    assert tasks[0].sections == {"print": {"copies": 2, "printed": 0}}


# What it does


@pytest.fixture
def task(tmp_path: Path, mroute_dicom_file: Callable[..., Path]) -> Task:
    """A task of one image of which one of three copies is printed already."""
    image = mroute_dicom_file("scan.dcm", PatientName="Doe^Jane").read_bytes()
    sections = {"print": {"copies": 3, "printed": 1}}
    return make_task(tmp_path / "task", sections, {"1.dcm": image})


def test_the_copies_that_are_missing_are_printed(task: Task, tmp_path: Path) -> None:
    printer = tmp_path / "printer"
    context = work_context(task, settings={"film": film.FilmSettings(printer=printer)})
    assert film.print_images(task, context) == Done("3 printed")
    assert printer.read_text() == "Doe^Jane\nDoe^Jane\n"
    assert reopened(task).content["print"] == {"copies": 3, "printed": 3}


def test_a_printer_that_is_not_there_is_waited_for(task: Task, tmp_path: Path) -> None:
    printer = tmp_path / "unplugged" / "printer"
    context = work_context(task, settings={"film": film.FilmSettings(printer=printer)})
    assert film.print_images(task, context) == Retry(
        "the printer does not answer: No such file or directory"
    )
    assert reopened(task).content["print"] == {"copies": 3, "printed": 1}
