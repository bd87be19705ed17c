"""How images get into ``incoming/``: once, whole, and whatever interrupts it.

Knows files before and after. Does not know where images come from.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from mroute.errors import TagsError, UnsafeNameError
from mroute.models import Durability
from mroute.spool.arrivals.receiving import receive, resume_received
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from tests.faults import Killed, fault
from tests.unit.spool.conftest import UID, left_in_staging

told: list[str] = []


def tell(where: str, why: str) -> None:
    told.append(why)


TAGS = {"SeriesInstanceUID": UID, "SOPInstanceUID": "7"}


def test_an_image_is_received_with_its_tags(spool: Spool, files: Files, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"image")
    stored = receive(spool, files, tmp_path / "image", {**TAGS, "SenderAET": "CT1"})
    assert stored == spool.incoming / UID / f"{UID}#7.dcm"
    assert stored.read_bytes() == b"image"
    tags = json.loads(stored.with_suffix(".tags").read_text())
    assert tags == {**TAGS, "SenderAET": "CT1"}
    assert not (tmp_path / "image").exists()


def test_an_image_received_twice_is_stored_once(spool: Spool, files: Files, tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "image").write_bytes(b"image")
        receive(spool, files, tmp_path / "image", TAGS)
    assert [path.name for path in (spool.incoming / UID).glob("*.dcm")] == [f"{UID}#7.dcm"]


def test_an_image_that_is_there_already_is_safe_before_its_second_sender_hears_so(
    spool: Spool, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "image").write_bytes(b"image")
    receive(spool, files, tmp_path / "image", TAGS)
    flushed = list[Path]()
    monkeypatch.setattr(Files, "flush_folder", lambda self, folder: flushed.append(folder))
    (tmp_path / "image").write_bytes(b"image")
    receive(spool, files, tmp_path / "image", TAGS)
    assert flushed[-1] == spool.incoming / UID


def test_the_tags_have_the_name_of_the_image_as_it_is_now(
    spool: Spool, files: Files, tmp_path: Path
) -> None:
    (tmp_path / "image.part").write_bytes(b"image")
    stored = receive(spool, files, tmp_path / "image.part", {**TAGS, "Filename": "image.part"})
    assert json.loads(stored.with_suffix(".tags").read_text())["Filename"] == stored.name


def test_two_images_of_one_uid_are_both_kept(spool: Spool, files: Files, tmp_path: Path) -> None:
    for content in (b"one", b"other"):
        (tmp_path / "image").write_bytes(content)
        receive(spool, files, tmp_path / "image", TAGS)
    images = sorted((spool.incoming / UID).glob("*.dcm"))
    assert sorted(path.read_bytes() for path in images) == [b"one", b"other"]
    assert all(path.with_suffix(".tags").exists() for path in images)


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ({"SOPInstanceUID": "7"}, TagsError),
        ({"SeriesInstanceUID": UID}, TagsError),
        ({**TAGS, "SeriesInstanceUID": "../outgoing/evil"}, UnsafeNameError),
        ({**TAGS, "SOPInstanceUID": "a/b"}, UnsafeNameError),
        ({**TAGS, "SOPInstanceUID": "a\0b"}, UnsafeNameError),
        ({**TAGS, "SeriesInstanceUID": ".hidden"}, UnsafeNameError),
    ],
)
def test_an_image_without_usable_uids_stays_where_it_is(
    spool: Spool, files: Files, tmp_path: Path, tags: dict[str, str], error: type[Exception]
) -> None:
    (tmp_path / "image").write_bytes(b"image")
    with pytest.raises(error):
        receive(spool, files, tmp_path / "image", tags)
    assert (tmp_path / "image").read_bytes() == b"image"
    assert list(spool.incoming.iterdir()) == []


def test_an_image_is_never_lost_wherever_receiving_is_killed(
    spool: Spool, files: Files, tmp_path: Path
) -> None:
    at, reached = 0, True
    image = tmp_path / "image"
    while reached:
        image.write_bytes(b"image")
        with fault(tmp_path, at) as trap, suppress(Killed):
            receive(spool, files, image, TAGS)
        assert image.exists() or list(tmp_path.rglob("*.dcm")), f"lost at {trap.hit}"
        assert {path.read_bytes() for path in spool.incoming.rglob("*.dcm")} <= {b"image"}
        resume_received(spool, files, tell)
        if image.exists():
            receive(spool, files, image, TAGS)
        assert left_in_staging(spool) == []
        assert [path.read_bytes() for path in spool.incoming.rglob("*.dcm")] == [b"image"]
        reached, at = trap.seen > at, at + 1
    assert at > 8


def test_an_image_on_another_file_system_is_in_one_place_wherever_receiving_is_killed(
    spool: Spool, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename
    image = tmp_path / "elsewhere"

    def across(self: Path, target: Path) -> Path:
        if self == image:
            raise OSError(errno.EXDEV, "another file system")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", across)
    at, reached = 0, True
    while reached:
        image.write_bytes(b"image")
        with fault(tmp_path, at) as trap, suppress(Killed):
            receive(spool, files, image, TAGS)
        resume_received(spool, files, tell)
        stored = list(spool.incoming.rglob("*.dcm"))
        # A fast router and a fast inbox: whatever is there now is taken, and must be all there is.
        assert len(stored) + image.exists() == 1, f"killed at operation {at}"
        for path in (*stored, image):
            path.unlink(missing_ok=True)
        for path in spool.incoming.rglob("*.tags"):
            path.unlink()
        assert left_in_staging(spool) == []
        reached, at = trap.seen > at, at + 1
    assert at > 8


def test_an_image_that_cannot_be_taken_away_is_not_received(
    spool: Spool, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be received again and again, and sent each time."""
    (tmp_path / "image").write_bytes(b"image")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, "read-only", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        receive(spool, files, tmp_path / "image", TAGS)
    assert list(spool.incoming.iterdir()) == []
    assert (tmp_path / "image").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, partial(OSError, errno.EIO, "told late")])
def test_an_image_is_never_lost_wherever_receiving_is_interrupted(
    spool: Spool, files: Files, tmp_path: Path, error: Callable[[], BaseException]
) -> None:
    """After a call took effect, too: so ends ``mroute spool retry`` with Ctrl-C."""
    at, reached = 0, True
    image = tmp_path / "image"
    while reached:
        image.write_bytes(b"image")
        suppressed = suppress(KeyboardInterrupt, OSError)
        with fault(tmp_path, at, error, after=True) as trap, suppressed:
            receive(spool, files, image, TAGS)
        resume_received(spool, files, tell)
        if image.exists():
            receive(spool, files, image, TAGS)
        assert left_in_staging(spool) == []
        found = [path.read_bytes() for path in spool.incoming.rglob("*.dcm")]
        assert found == [b"image"], f"interrupted at {trap.hit}"
        for path in (spool.incoming / UID).iterdir():
            path.unlink()
        reached, at = trap.seen > at, at + 1
    assert at > 8


def test_a_new_image_under_the_old_name_does_not_stand_for_the_one_that_was_taken(
    spool: Spool, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scanner writes ``IM1`` into the inbox, on another file system, again and again."""
    rename, at, reached = Path.rename, 0, True
    image = tmp_path / os.fsdecode(b"IM\xe9")

    def across(self: Path, target: Path) -> Path:
        if self == image:
            raise OSError(errno.EXDEV, "another file system")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", across)
    while reached:
        image.write_bytes(b"one")
        with fault(tmp_path, at) as trap, suppress(Killed):
            receive(spool, files, image, TAGS)
        if not image.exists():
            image.write_bytes(b"other")
        resume_received(spool, files, tell)
        found = sorted(path.read_bytes() for path in (*spool.incoming.rglob("*.dcm"), image))
        assert found in ([b"one"], [b"one", b"other"]), f"killed at {trap.hit}"
        for path in (spool.incoming / UID).glob("*"):
            path.unlink()
        reached, at = trap.seen > at, at + 1
    assert at > 8


def test_images_of_one_uid_received_at_once_are_all_kept(
    spool: Spool, files: Files, tmp_path: Path
) -> None:
    def send(sender: int) -> None:
        for number in range(20):
            image = tmp_path / f"{sender}-{number}"
            image.write_text(image.name)
            receive(spool, files, image, {**TAGS, "SOPInstanceUID": str(number)})

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = sorted(path.read_text() for path in spool.incoming.rglob("*.dcm"))
    assert stored == sorted(f"{sender}-{number}" for sender in range(4) for number in range(20))


def test_an_image_whose_series_is_claimed_at_once_was_received(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is flushed wherever it is; whoever sent it must not hear of a failure."""
    files, synced = Files(Durability.POWER), list[bool]()
    flush = Files.flush_folder

    def claim_first(self: Files, folder: Path) -> None:
        if folder == spool.incoming / UID:
            folder.rename(tmp_path / "claimed")
        flush(self, folder)

    monkeypatch.setattr(Files, "flush_folder", claim_first)
    monkeypatch.setattr("os.sync", lambda: synced.append(True))
    (tmp_path / "image").write_bytes(b"image")
    receive(spool, files, tmp_path / "image", TAGS)
    assert (tmp_path / "claimed" / f"{UID}#7.dcm").read_bytes() == b"image"
    assert synced == [True]
    assert [path.name for path in spool.staging.iterdir()] == ["locks"]


def test_tags_are_beside_an_image_whose_series_is_claimed_and_begun_anew(
    spool: Spool, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the tags and the image, that is: else the facts of its sender would be lost."""
    rename = Path.rename

    def claim_first(self: Path, target: Path) -> Path:
        if target.parent == spool.incoming / UID:
            monkeypatch.setattr(Path, "rename", rename)
            target.parent.rename(tmp_path / "claimed")
            target.parent.mkdir()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", claim_first)
    (tmp_path / "image").write_bytes(b"image")
    stored = receive(spool, files, tmp_path / "image", {**TAGS, "SenderAET": "CT1"})
    assert stored.read_bytes() == b"image"
    assert json.loads(stored.with_suffix(".tags").read_text())["SenderAET"] == "CT1"
    assert [path.name for path in (tmp_path / "claimed").iterdir()] == [f"{UID}#7.tags"]


def test_an_image_that_cannot_be_finished_keeps_no_other_waiting(
    spool: Spool, files: Files, tmp_path: Path
) -> None:
    for uid in ("1.1", "1.2"):
        (tmp_path / uid).write_text(uid)
        tags = {"SeriesInstanceUID": uid, "SOPInstanceUID": "7"}
        (spool.incoming / uid).write_text("in the way")
        with pytest.raises(OSError, match="File exists"):
            receive(spool, files, tmp_path / uid, tags)
    (spool.incoming / "1.2").unlink()
    told.clear()
    assert resume_received(spool, files, tell) == 1
    assert [path.read_text() for path in spool.incoming.rglob("*.dcm")] == ["1.2"]
    (why,) = told
    assert why == f"an image cannot be received: '{spool.incoming / '1.1'}': File exists"
    (spool.incoming / "1.1").unlink()
    assert resume_received(spool, files, tell) == 1
    assert sorted(path.read_text() for path in spool.incoming.rglob("*.dcm")) == ["1.1", "1.2"]
