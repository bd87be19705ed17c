"""What goes where, and under which names, is the same for every type that keeps files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mroute.api import DeliveryError, Task
from mroute.testing import make_task, work_context
from mroute_storage.placement import BESIDE, LEFT_OUT, Placement, placements
from tests.told import Told


def placed(
    task: Task, layout: str = "", exclude: tuple[str, ...] = (), *, with_tags: bool = True
) -> tuple[list[Placement], Told]:
    told = Told()
    coming = placements(
        told.shipment(task), layout, exclude, work_context(task), with_tags=with_tags
    )
    return list(coming), told


def test_an_image_and_its_tags_have_two_names_each(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images={"1.dcm": b"one"})
    ((placement,), told) = placed(task, "{Modality}/{task_id}")
    assert placement.folder == f"MR/{task.id}"
    assert [part.names for part in placement.parts] == [
        ("1.dcm", f"1#{task.id}.dcm"),
        ("1.tags", f"1#{task.id}.tags"),
    ]
    assert placement.at("1.dcm") == f"MR/{task.id}/1.dcm"
    assert [placement.warning(number) for number in (0, 1)] == ["", BESIDE]
    ((alone,), _) = placed(task, with_tags=False)
    assert [part.path.name for part in alone.parts] == ["1.dcm"]
    assert alone.at("1.dcm") == "1.dcm"
    assert not told.stored


def test_what_is_left_out_counts_as_stored(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images={"1.dcm": b"one", "2.dcm": b"two"})
    exclude = ("1.*", "*.TAGS")  # capital letters are others
    ((placement,), told) = placed(task, exclude=exclude)
    assert [part.path.name for part in placement.parts] == ["2.dcm", "2.tags"]
    assert told.stored == {"1.dcm": LEFT_OUT}
    # Its tags are a file of their own.
    ((tags, _), told) = placed(task, exclude=("1.dcm",))
    assert [part.path.name for part in tags.parts] == ["1.tags"]
    assert (tags.warning(0), told.stored) == (LEFT_OUT, {})
    ((_,), told) = placed(task, exclude=("1.dcm",), with_tags=False)
    assert told.stored == {"1.dcm": LEFT_OUT}


def test_tags_are_needed_where_the_layout_names_one(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images={"1.dcm": b"one", "2.dcm": b"two"})
    (task.folder / "1.tags").unlink()
    ((placement,), told) = placed(task, "{Modality}")
    assert placement.image.name == "2.dcm"
    assert told.refused["1.dcm"].startswith("it has no tags, so it has no place: ")
    (both, told) = placed(task, "{task_id}")
    assert [len(each.parts) for each in both] == [1, 2]
    assert not told.refused
    # What is left out needs none.
    (_, told) = placed(task, "{Modality}", ("1.*",))
    assert (told.stored, told.refused) == ({"1.dcm": LEFT_OUT}, {})


def test_it_ends_when_mroute_is_to_stop(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images={"1.dcm": b"one", "2.dcm": b"two"})
    context = work_context(task)
    coming = placements(Told().shipment(task), "", (), context, with_tags=True)
    next(coming)
    context.stop.set()
    with pytest.raises(DeliveryError, match="asked to stop"):
        next(coming)
