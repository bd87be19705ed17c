from __future__ import annotations

import os
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from mroute.api import DeliveryError, Shipment, Task
from mroute.testing import make_task, work_context
from mroute_storage.folder.check import check_folder
from mroute_storage.folder.send import send_to_folder
from mroute_storage.folder.target import FolderTarget
from tests.faults import Killed, fault
from tests.told import contents

IMAGES = {"1.dcm": b"one", "2.dcm": b"two"}


def send(task: Task, path: Path) -> None:
    shipment = Shipment(task, "archive", ())
    send_to_folder(shipment, FolderTarget(type="folder", path=path), work_context(task))


def test_the_folder_gets_images_tags_and_task_file(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    (task.folder / ".lease").touch()
    send(task, tmp_path / "archive")
    delivered = contents(tmp_path / "archive" / task.id)
    assert sorted(delivered) == ["1.dcm", "1.tags", "2.dcm", "2.tags", "task.json"]
    assert delivered == {name: (task.folder / name).read_bytes() for name in delivered}
    assert [path.name for path in (tmp_path / "archive").iterdir()] == [task.id]


def test_what_is_delivered_is_no_second_name_of_what_is_in_the_spool(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    send(task, tmp_path / "archive")
    (tmp_path / "archive" / task.id / "1.dcm").write_bytes(b"edited")
    assert (task.folder / "1.dcm").read_bytes() == b"one"


def test_a_task_that_is_there_is_not_delivered_again(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    send(task, tmp_path / "archive")
    (tmp_path / "archive" / task.id / "1.dcm").unlink()  # its owner has taken it
    send(task, tmp_path / "archive")
    assert not (tmp_path / "archive" / task.id / "1.dcm").exists()


def test_a_delivery_that_is_killed_anywhere_is_completed_by_the_next(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    expected = {f"{task.id}/{name}": content for name, content in contents(task.folder).items()}
    for number in count():
        archive = tmp_path / f"archive-{number}"
        try:
            with fault(archive, at=number):
                send(task, archive)
        except Killed:
            # Nothing but a whole task is ever seen under its name.
            assert not (archive / task.id).exists()
            send(task, archive)
            assert contents(archive) == expected
        else:
            break
    assert number > 2 * len(IMAGES)
    assert contents(archive) == expected


def test_a_delivery_that_was_published_by_a_killed_process_is_recognised(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    archive = tmp_path / "archive"
    send(task, archive)
    shutil.rmtree(task.folder)
    send(task, archive)
    assert sorted(path.name for path in archive.iterdir()) == [task.id]


def test_a_full_disk_is_an_error_that_may_pass(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    archive = tmp_path / "archive"
    archive.mkdir()

    def full() -> OSError:
        return OSError(28, "No space left on device")

    with fault(archive, at=1, error=full), pytest.raises(DeliveryError) as caught:
        send(task, archive)
    assert str(caught.value) == f"'{archive}': No space left on device"
    send(task, archive)
    assert len(contents(archive)) == 5


def test_a_folder_below_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    path = tmp_path / "unmounted" / "archive"
    with pytest.raises(DeliveryError) as caught:
        send(task, path)
    assert str(caught.value) == f"'{path}': No such file or directory"
    assert not path.parent.exists()


@pytest.mark.parametrize("task_id", ["../outside", "/tmp/outside", "a/b", "..", ".hidden", ""])
def test_an_id_that_leads_elsewhere_is_refused(tmp_path: Path, task_id: str) -> None:
    task = replace(make_task(tmp_path / "task", images=IMAGES), id=task_id)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match="cannot be the name of a folder"):
        send(task, tmp_path / "archive")
    assert contents(tmp_path) == before


def check(path: Path) -> list[str]:
    return list(check_folder("archive", FolderTarget(type="folder", path=path), ()))


def test_a_check_finds_nothing_where_tasks_can_be_delivered(tmp_path: Path) -> None:
    assert check(tmp_path) == []
    assert check(tmp_path / "to-be-made") == []


def test_a_check_names_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    assert check(file) == [f"'{file}' is not a folder"]
    unmounted = tmp_path / "unmounted" / "archive"
    assert check(unmounted) == [
        f"neither '{unmounted}' nor the folder above it is there; make it, or mount it"
    ]
    # The superuser may write everywhere, and tests may run as that.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert check(tmp_path) == [f"'{tmp_path}' cannot be written by this user"]
    assert check(tmp_path / "new") == [f"'{tmp_path}' cannot be written by this user"]
