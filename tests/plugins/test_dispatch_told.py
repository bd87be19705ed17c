"""What observers are told of each attempt to send a task to a target.

Knows targets that take a task as a whole, image by image, or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from mroute.api import (
    DeliveryError,
    Event,
    Shipment,
    TargetBase,
    TargetDownError,
    TargetServed,
    TargetType,
    WorkContext,
)
from mroute.testing import NOW, make_task, reopened, work_context
from mroute_dispatch.delivery import deliver
from mroute_dispatch.section import add_dispatching
from tests.hooks.fakes import plugin

IMAGES = {"1.dcm": b"1", "2.dcm": b"22", "3.dcm": b"333"}


class Scale(TargetBase):
    """Confirms so many images, then fails with what it is told to."""

    type: str = "scale"


class Scales:
    """A target type that confirms some images one by one, and may raise then."""

    def __init__(self, confirms: int = 0, error: Exception | None = None) -> None:
        self.confirms, self.error = confirms, error

    def send(self, shipment: Shipment, target: Scale, context: WorkContext) -> None:
        for image in shipment.images[: self.confirms]:
            shipment.stored(image, "0000", "")
        for image in shipment.images[self.confirms :] if self.confirms else ():
            shipment.refused(image, "A700", "out of resources")
        if self.error:
            raise self.error

    @property
    def plugin(self) -> ModuleType:
        return plugin("mroute_target_types", lambda: [TargetType("scale", Scale, self.send)])


def told(folder: Path, scales: Scales, *names: str, configured: str = "a") -> list[Event]:
    """What is told of one round; the task is made where it is not there yet."""
    events: list[Event] = []
    path = folder / "task"
    sections = {"dispatch": add_dispatching(names, NOW)}
    task = reopened(path) if path.exists() else make_task(path, sections, IMAGES)
    targets = {configured: Scale()}
    deliver(task, replace(work_context(task, scales.plugin, targets=targets), tell=events.append))
    return events


def check_told(event: Event, settlement: str, images: int, size: int) -> None:
    assert isinstance(event, TargetServed)
    assert 0 < event.seconds < 60
    expected = TargetServed(event.task_id, "outgoing", "a", settlement, images, size, event.seconds)
    assert event == expected


@pytest.mark.parametrize(
    ("scales", "settlement", "images", "size"),
    [
        (Scales(), "done", 3, 6),  # it takes a task as a whole
        (Scales(3), "done", 3, 6),
        (Scales(2), "retry", 2, 3),
        (Scales(1, DeliveryError("broken")), "retry", 1, 1),
        (Scales(0, DeliveryError("broken")), "retry", 0, 0),
        (Scales(0, TargetDownError("refused")), "retry", 0, 0),
        (Scales(0, OSError("no memory")), "retry", 0, 0),
        (Scales(2, ValueError("typo")), "failed", 2, 3),
    ],
)
def test_an_attempt_is_told_with_what_it_came_to(
    tmp_path: Path, scales: Scales, settlement: str, images: int, size: int
) -> None:
    (event,) = told(tmp_path, scales, "a")
    check_told(event, settlement, images, size)


def test_an_image_counts_in_the_attempt_that_brought_it(tmp_path: Path) -> None:
    (first,) = told(tmp_path, Scales(2), "a")
    (second,) = told(tmp_path, Scales(1), "a")
    check_told(first, "retry", 2, 3)
    check_told(second, "done", 1, 3)


def test_where_nothing_is_sent_nothing_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, Scales(), "gone") == []
    assert told(tmp_path, Scales(), "gone", configured="b") == []


def test_an_image_that_cannot_be_measured_is_sent_all_the_same(tmp_path: Path) -> None:
    class Taking(Scales):
        def send(self, shipment: Shipment, target: Scale, context: WorkContext) -> None:
            shipment.images[0].unlink()

    (event,) = told(tmp_path, Taking(), "a")
    check_told(event, "done", 3, 0)
