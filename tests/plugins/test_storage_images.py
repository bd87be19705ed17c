"""A folder with a layout gets each image once, whole, and touches no file of others."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from mroute.api import DeliveryError, TargetDownError, Task
from mroute.testing import make_task, work_context
from mroute_storage.folder.send import send_to_folder
from mroute_storage.folder.target import FolderTarget
from mroute_storage.placement import BESIDE
from tests.faults import EVERYTHING, Killed, failing, fault, reaching
from tests.told import Told, contents

IMAGES = {"1.dcm": b"one", "2.dcm": b"two"}
LAYOUT = "{StudyInstanceUID}/{SeriesInstanceUID}"
FOLDER = "1.2/1.2.3"


def send(
    task: Task,
    path: Path,
    layout: str = LAYOUT,
    exclude: tuple[str, ...] = (),
    told: Told | None = None,
) -> Told:
    """Send the images of which nothing was told yet."""
    told = told or Told()
    target = FolderTarget(type="folder", path=path, layout=layout, exclude=exclude)
    send_to_folder(told.shipment(task), target, work_context(task))
    return told


def expected(task: Task, folder: str = FOLDER) -> dict[str, bytes]:
    return {f"{folder}/{path.name}": path.read_bytes() for path in task.files()}


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(tmp_path / "task", images=IMAGES)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def archives(archive: Path) -> Iterator[tuple[int, Path]]:
    for number in count():
        folder = archive.with_name(f"archive-{number}")
        folder.mkdir()
        yield number, folder


def test_each_image_goes_to_the_folder_of_its_tags(task: Task, archive: Path) -> None:
    told = send(task, archive)
    assert contents(archive) == expected(task)
    assert told.stored == {"1.dcm": "", "2.dcm": ""}
    send(task, archive, "all/{task_id}")
    assert contents(archive) == expected(task) | expected(task, f"all/{task.id}")


def test_what_is_excluded_is_left_out(task: Task, archive: Path) -> None:
    told = send(task, archive, exclude=("*.tags",))
    assert contents(archive) == {f"{FOLDER}/{name}": image for name, image in IMAGES.items()}
    assert told.stored == {"1.dcm": "", "2.dcm": ""}


def test_what_is_excluded_is_left_out_of_whole_tasks(task: Task, archive: Path) -> None:
    send(task, archive, layout="", exclude=("*.tags", "task.json"))
    assert contents(archive) == {f"{task.id}/{name}": image for name, image in IMAGES.items()}


def test_an_image_that_is_there_counts_as_stored(task: Task, archive: Path) -> None:
    send(task, archive)
    before = [path.stat() for path in sorted(archive.rglob("*"))]
    assert send(task, archive).stored == {"1.dcm": "", "2.dcm": ""}
    assert [path.stat() for path in sorted(archive.rglob("*"))] == before


def test_other_content_under_the_same_name_is_kept(task: Task, archive: Path) -> None:
    folder = archive / FOLDER
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_bytes(b"eno")
    told = send(task, archive)
    images = {"1.dcm": b"eno", f"1#{task.id}.dcm": b"one", "2.dcm": b"two"}
    names = [*images, f"1#{task.id}.tags", "2.tags"]
    assert told.stored == {"1.dcm": BESIDE, "2.dcm": ""}
    assert {path.name: path.read_bytes() for path in folder.glob("*.dcm")} == images
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    # Where somebody has the name of its tags alone, the image has its own.
    (folder / "2.tags").write_bytes(b"{}")
    assert send(task, archive).stored == {"1.dcm": BESIDE, "2.dcm": ""}
    (folder / f"2#{task.id}.tags").unlink()
    (folder / "2.tags").unlink()
    # It is found there again, and where both names are taken nothing is overwritten.
    assert send(task, archive).stored == {"1.dcm": BESIDE, "2.dcm": ""}
    (folder / f"1#{task.id}.dcm").write_bytes(b"neo")
    told = send(task, archive)
    assert told.stored == {"2.dcm": ""}
    assert told.refused == {
        "1.dcm": f"'1.dcm' and '1#{task.id}.dcm' are there with other content; "
        "move one of them away"
    }
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_names_that_lead_nowhere_or_to_a_folder_are_taken(task: Task, archive: Path) -> None:
    folder = archive / FOLDER
    (folder / "1.dcm").mkdir(parents=True)
    (folder / "2.dcm").symlink_to("nowhere")
    assert send(task, archive).stored == {"1.dcm": BESIDE, "2.dcm": BESIDE}
    assert (folder / f"1#{task.id}.dcm").read_bytes() == b"one"
    assert (folder / f"2#{task.id}.dcm").read_bytes() == b"two"
    assert not (folder / "nowhere").exists()


def test_a_kill_anywhere_is_completed_by_the_next_attempt(task: Task, archive: Path) -> None:
    for number, folder in archives(archive):
        told = Told()
        with suppress(Killed), fault(folder, at=number) as trap:
            send(task, folder, told=told)
        assert_whole(task, folder, told)
        send(task, folder, told=told)
        assert contents(folder) == expected(task)
        assert told.stored == {"1.dcm": "", "2.dcm": ""}
        if not trap.hit:
            break
    assert number > 4 * 2 * len(IMAGES)


def assert_whole(task: Task, folder: Path, told: Told) -> None:
    """Whatever has a real name is whole, and what was told of is there."""
    there = contents(folder)
    seen = {name for name in there if not Path(name).name.startswith(".")}
    assert {name: there[name] for name in seen}.items() <= expected(task).items()
    assert {f"{FOLDER}/{name}" for name in told.stored} <= seen


@pytest.mark.parametrize("after", [False, True])
def test_a_loss_of_power_loses_nothing_that_was_told_of(
    task: Task, archive: Path, after: bool
) -> None:
    for number, folder in archives(archive):
        told = Told()
        with (
            suppress(Killed),
            fault(folder, at=number, of=EVERYTHING, after=after) as trap,
        ):
            send(task, folder, told=told)
        trap.lose_unflushed()
        assert_whole(task, folder, told)
        send(task, folder, told=told)
        assert contents(folder) == expected(task)
        if not trap.hit:
            break
    assert number > 20


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_target_that_is_full_or_broken_waits(task: Task, archive: Path, code: int) -> None:
    kinds = reaching(errno.EIO if code == errno.EDQUOT else code) - {"access", "close"}
    for number, folder in archives(archive):
        told = Told()
        try:
            with fault(folder, at=number, error=failing(code), of=kinds) as trap:
                send(task, folder, told=told)
        except TargetDownError as error:
            assert str(error) == f"'{folder}': {os.strerror(code)}"  # noqa: PT017
        assert_whole(task, folder, told)
        send(task, folder, told=told)
        assert contents(folder) == expected(task)
        if not trap.hit:
            break
    assert number > 10


def test_a_full_target_has_the_room_that_a_half_copy_took(task: Task, archive: Path) -> None:
    archive.mkdir()
    with (
        fault(archive, at=1, error=failing(errno.ENOSPC), of={"fsync"}) as trap,
        pytest.raises(TargetDownError, match="No space left"),
    ):
        send(task, archive, "all")
    assert trap.hit == f"fsync /all/.{task.id}.part"
    assert contents(archive) == {}


def test_what_this_machine_is_short_of_is_no_fault_of_the_target(task: Task, archive: Path) -> None:
    archive.mkdir()
    with (
        fault(archive, at=0, error=failing(errno.EMFILE), of={"create"}),
        pytest.raises(OSError, match="Too many open files"),
    ):
        send(task, archive)
    lost = Told().shipment(task, [task.folder / "lost.dcm"])
    target = FolderTarget(type="folder", path=archive, layout="all")
    with pytest.raises(FileNotFoundError, match=r"lost\.dcm"):
        send_to_folder(lost, target, work_context(task))
    assert contents(archive) == {}


def test_an_image_that_cannot_have_its_name_is_refused_and_others_are_not(
    task: Task, archive: Path
) -> None:
    archive.mkdir()
    with fault(archive, at=0, error=failing(errno.ENAMETOOLONG), of={"link"}):
        told = send(task, archive)
    assert told.stored == {"2.dcm": ""}
    assert told.refused == {
        "1.dcm": f"its name, or a folder for it below '{archive}': File name too long"
    }
    (archive / "taken").touch()
    assert list(send(task, archive, "taken/{PatientID}").refused) == ["1.dcm", "2.dcm"]


def test_a_file_system_without_links_will_do(task: Task, archive: Path) -> None:
    archive.mkdir()
    for _ in range(2):
        with fault(archive, at=lambda call: True, error=failing(errno.EPERM), of={"link"}) as trap:
            told = send(task, archive)
        assert told.stored == {"1.dcm": "", "2.dcm": ""}
        assert contents(archive) == expected(task)
    assert trap.seen == 0
    (archive / FOLDER / "1.dcm").write_bytes(b"eno")
    with fault(archive, at=lambda call: True, error=failing(errno.EPERM), of={"link"}) as trap:
        send(task, archive)
    assert trap.seen == 2
    assert (archive / FOLDER / "1.dcm").read_bytes() == b"eno"
    assert (archive / FOLDER / f"1#{task.id}.dcm").read_bytes() == b"one"


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_another_takes_meanwhile_is_not_overwritten(
    task: Task, archive: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: Path, destination: Path) -> None:
        if destination.name == "1.dcm":
            destination.write_bytes(b"eno")
        if not links:
            raise OSError(errno.EPERM, "not here")
        real(source, destination)

    monkeypatch.setattr(os, "link", link)
    assert send(task, archive).stored == {"1.dcm": BESIDE, "2.dcm": ""}
    assert (archive / FOLDER / "1.dcm").read_bytes() == b"eno"
    assert (archive / FOLDER / f"1#{task.id}.dcm").read_bytes() == b"one"
    assert not list(archive.rglob(".*"))


def test_an_image_without_tags_is_refused(task: Task, archive: Path) -> None:
    (task.folder / "1.tags").unlink()
    told = send(task, archive)
    assert told.stored == {"2.dcm": ""}
    assert "1.tags" in told.refused["1.dcm"]
    assert sorted(contents(archive)) == [f"{FOLDER}/2.dcm", f"{FOLDER}/2.tags"]


def test_a_layout_without_tags_needs_none(task: Task, archive: Path) -> None:
    (task.folder / "1.tags").unlink()
    assert send(task, archive, "{task_id}/images").stored == {"1.dcm": "", "2.dcm": ""}
    assert contents(archive) == expected(task, f"{task.id}/images")


def test_a_delivery_stops_between_two_images(task: Task, archive: Path) -> None:
    context = work_context(task)
    told = Told()
    shipment = replace(
        told.shipment(task, task.images()), stored=lambda image, status, why: context.stop.set()
    )
    target = FolderTarget(type="folder", path=archive, layout=LAYOUT)
    with pytest.raises(DeliveryError, match="asked to stop"):
        send_to_folder(shipment, target, context)
    assert sorted(contents(archive)) == [f"{FOLDER}/1.dcm", f"{FOLDER}/1.tags"]


def test_a_folder_that_is_not_there_is_down(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmounted = tmp_path / "unmounted" / "archive"
    with pytest.raises(TargetDownError) as caught:
        send(task, unmounted)
    assert str(caught.value) == f"'{unmounted}': No such file or directory"
    assert not unmounted.parent.exists()
    # The superuser may write everywhere, and tests may run as that.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(TargetDownError, match="cannot be written by this user"):
        send(task, tmp_path)
