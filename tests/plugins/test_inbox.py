from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from mroute.api import ServiceContext, Tags, TagsError
from mroute.models import Durability
from mroute.spool.arrivals.receiving import receive
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.testing import NOW, write_dicom
from mroute_dicom.inbox import REJECTED, Sweep, run_inbox, sweep
from mroute_dicom.reader import read_tags
from mroute_dicom.settings import DicomSettings

SETTLE = timedelta(seconds=5)
FILES = Files(Durability.PROCESS)


class Receiver:
    """Receives files into a spool as mroute does; fails with ``error`` where that is set."""

    def __init__(self, root: Path) -> None:
        self.spool = Spool(root)
        self.spool.prepare([])
        self.error: Exception | None = None

    def __call__(self, path: Path, facts: Tags) -> Path:
        if self.error is not None:
            raise self.error
        return receive(self.spool, FILES, path, {**read_tags(path), **facts})

    @property
    def images(self) -> int:
        """How many images are in the spool."""
        return len(list(self.spool.incoming.rglob("*.dcm")))


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path / "spool")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def aged(path: Path, age: timedelta = timedelta(minutes=1)) -> Path:
    """The file as if it had been changed last at that time before now."""
    changed = (NOW - age).timestamp()
    os.utime(path, (changed, changed), follow_symlinks=False)
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_every_image_is_taken_from_every_folder(inbox: Path, receiver: Receiver) -> None:
    for name in ("1.dcm", "IM0002", "a/3.dcm", "a/b/4"):
        aged(write_dicom(inbox / name))
    assert sweep(inbox, SETTLE, NOW, receiver) == Sweep(4, {}, {})
    assert receiver.images == 4
    assert files_in(inbox) == []


def test_a_file_that_may_still_change_is_left(inbox: Path, receiver: Receiver) -> None:
    aged(write_dicom(inbox / "1.dcm"), SETTLE)
    aged(write_dicom(inbox / "2.dcm"), SETTLE + timedelta(seconds=1))
    assert sweep(inbox, SETTLE, NOW, receiver).received == 1
    assert files_in(inbox) == ["1.dcm"]
    assert sweep(inbox, SETTLE, NOW + timedelta(seconds=1), receiver).received == 1


@pytest.mark.parametrize("name", [".1.dcm", "1.dcm.partial", ".hidden/1.dcm"])
def test_a_file_that_is_hidden_or_partial_is_left(
    inbox: Path, receiver: Receiver, name: str
) -> None:
    aged(write_dicom(inbox / name))
    assert sweep(inbox, SETTLE, NOW, receiver) == Sweep(0, {}, {})
    assert files_in(inbox) == [name]


def test_what_is_no_image_is_put_aside_with_the_reason(inbox: Path, receiver: Receiver) -> None:
    (inbox / "a").mkdir()
    path = inbox / "a" / "notes.txt"
    path.write_text("no image")
    aged(path)
    found = sweep(inbox, SETTLE, NOW, receiver)
    assert (found.received, found.kept, list(found.rejected)) == (0, {}, [path])
    assert found.rejected[path].startswith("'notes.txt' is no DICOM file: ")
    assert files_in(inbox) == [f"{REJECTED}/a_notes.txt", f"{REJECTED}/a_notes.txt.reason"]
    assert (inbox / REJECTED / "a_notes.txt").read_text() == "no image"
    reason = (inbox / REJECTED / "a_notes.txt.reason").read_text()
    assert reason == f"{found.rejected[path]}\n"
    assert sweep(inbox, SETTLE, NOW, receiver) == Sweep(0, {}, {})


def test_a_second_file_of_one_name_is_kept_beside_the_first(
    inbox: Path, receiver: Receiver
) -> None:
    for text in ("one", "two", "three"):
        (inbox / "notes.txt").write_text(text)
        aged(inbox / "notes.txt")
        sweep(inbox, SETTLE, NOW, receiver)
    rejected = inbox / REJECTED
    assert [(rejected / f"notes.txt{end}").read_text() for end in ("", ".1", ".2")] == [
        "one",
        "two",
        "three",
    ]


def test_a_link_is_put_aside_and_not_followed(
    inbox: Path, receiver: Receiver, tmp_path: Path
) -> None:
    outside = aged(write_dicom(tmp_path / "outside.dcm"))
    (inbox / "1.dcm").symlink_to(outside)
    aged(inbox / "1.dcm")
    found = sweep(inbox, SETTLE, NOW, receiver)
    assert found.rejected == {
        inbox / "1.dcm": "'1.dcm' is a link or no regular file, expected a DICOM file"
    }
    assert (receiver.images, outside.exists()) == (0, True)


def test_an_image_whose_uid_cannot_be_a_name_is_put_aside(inbox: Path, receiver: Receiver) -> None:
    path = write_dicom(inbox / "1.dcm", SeriesInstanceUID="1.2.3.4")
    path.write_bytes(path.read_bytes().replace(b"1.2.3.4\0", b"../../x\0"))
    aged(path)
    [reason] = sweep(inbox, SETTLE, NOW, receiver).rejected.values()
    assert "SeriesInstanceUID" in reason
    assert receiver.images == 0


def test_an_image_that_cannot_be_taken_now_is_left_for_later(
    inbox: Path, receiver: Receiver
) -> None:
    path = aged(write_dicom(inbox / "1.dcm"))
    receiver.error = OSError(28, "No space left on device")
    assert sweep(inbox, SETTLE, NOW, receiver) == Sweep(
        0, {}, {path: "cannot be taken now: [Errno 28] No space left on device"}
    )
    receiver.error = None
    assert sweep(inbox, SETTLE, NOW, receiver) == Sweep(1, {}, {})


def test_a_file_that_cannot_even_be_put_aside_is_left(inbox: Path, receiver: Receiver) -> None:
    path = inbox / "notes.txt"
    path.write_text("no image")
    (inbox / REJECTED).write_text("in the way")
    aged(path)
    found = sweep(inbox, SETTLE, NOW, receiver)
    assert list(found.kept) == [path]
    assert path.read_text() == "no image"


def test_a_folder_that_is_not_there_is_waited_for(tmp_path: Path, receiver: Receiver) -> None:
    gone = tmp_path / "unmounted"
    assert sweep(gone, SETTLE, NOW, receiver) == Sweep(
        0,
        {},
        {gone: (f"the inbox cannot be looked into: [Errno 2] No such file or directory: '{gone}'")},
    )


class StopAfter(threading.Event):
    """Is set when the service has waited so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left == 0:
            self.set()
        return self.is_set()


def serve(inbox: Path, receiver: Receiver, looks: int) -> list[tuple[str, str]]:
    """Run the service for so many looks into the folder; returns what it told."""
    told = list[tuple[str, str]]()
    settings: Mapping[str, BaseModel] = {"dicom": DicomSettings(inbox=inbox, settle=SETTLE)}
    run_inbox(
        ServiceContext(
            clock=lambda: NOW,
            settings=settings,
            receive=receiver,
            stop=StopAfter(looks),
            workspace=inbox,
            notice=lambda where, detail: told.append((where, detail)),
        )
    )
    return told


def test_the_service_takes_images_until_it_is_stopped(inbox: Path, receiver: Receiver) -> None:
    aged(write_dicom(inbox / "1.dcm"))
    assert serve(inbox, receiver, looks=2) == []
    assert receiver.images == 1


def test_the_service_tells_once_of_a_file_that_it_cannot_take(
    inbox: Path, receiver: Receiver
) -> None:
    aged(write_dicom(inbox / "1.dcm"))
    receiver.error = OSError(28, "No space left on device")
    assert serve(inbox, receiver, looks=3) == [
        ("inbox file '1.dcm'", "cannot be taken now: [Errno 28] No space left on device")
    ]


def test_the_service_tells_of_every_file_that_it_puts_aside(
    inbox: Path, receiver: Receiver
) -> None:
    aged(write_dicom(inbox / "1.dcm"))
    aged(write_dicom(inbox / "2.dcm"))
    receiver.error = TagsError("no tags")
    assert serve(inbox, receiver, looks=2) == [
        ("inbox file '1.dcm'", "no tags"),
        ("inbox file '2.dcm'", "no tags"),
    ]


def test_the_settings_are_written_as_in_a_rule_file(tmp_path: Path) -> None:
    settings = DicomSettings.model_validate(
        {"inbox": "scans", "settle": "1m"}, context={"base": tmp_path}
    )
    assert settings == DicomSettings(inbox=tmp_path / "scans", settle=timedelta(minutes=1))


@pytest.mark.parametrize("error", [TagsError("cannot be read"), OSError(2, "gone")])
def test_what_another_run_that_shares_the_inbox_was_first_with_is_nothing_to_tell(
    inbox: Path, error: Exception
) -> None:
    for name in "ab":
        (inbox / name).write_text("x")
        aged(inbox / name)

    def beaten(path: Path, facts: Tags) -> Path:
        for each in inbox.iterdir():
            each.unlink()
        raise error

    assert sweep(inbox, SETTLE, NOW, beaten) == Sweep(0, {}, {})
    assert list(inbox.iterdir()) == []
