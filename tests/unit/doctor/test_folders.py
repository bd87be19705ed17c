"""Folders that cannot be written, file systems that must not be, disks that are nearly full."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mroute.doctor.finding import Finding, State
from mroute.doctor.folders import check_file_system, check_folders, check_space
from mroute.errors import ExitCode, SpoolError
from mroute.spool import mounts
from mroute.spool.arrivals.incoming import Incoming
from mroute.spool.claim import open_claims
from mroute.spool.layout import PROBE_PREFIX, Spool
from mroute.spool.upkeep.entries import entries
from mroute.spool.upkeep.listing import Look
from mroute.spool.upkeep.probe import try_writing
from tests.faults import Killed, failing, fault
from tests.unit.doctor.conftest import QUEUES


def problems(found: list[Finding]) -> list[tuple[str, str]]:
    """What is said of each problem, and what to do."""
    wrong = [each for each in found if each.state is State.PROBLEM]
    assert all(each.code is ExitCode.SPOOL and each.advice for each in wrong)
    return [(each.said, each.advice) for each in wrong]


def listing(root: Path) -> list[Path]:
    return sorted(root.rglob("*"))


def test_every_folder_is_written_and_nothing_is_left(spool: Spool, tmp_path: Path) -> None:
    before = listing(tmp_path)
    with fault(tmp_path, lambda number: False, of=("fsync", "write", "create")) as trap:
        (found,) = check_folders(spool, QUEUES)
    assert found == Finding(State.OK, "a file was written, flushed and removed in 14 folders", "")
    assert listing(tmp_path) == before
    folders = [spool.root, *spool.folders(QUEUES)]
    assert len(folders) == 14
    for name in ("create", "write"):
        for folder in folders:
            place = str(folder).replace(str(tmp_path), "")
            assert any(call.startswith(f"{name} {place}/.doctor-") for call in trap.calls)
    assert sum(call.startswith("fsync") for call in trap.calls) == 2 * len(folders)


def test_a_process_that_is_killed_while_it_writes_leaves_nothing(spool: Spool) -> None:
    before, at, killed = listing(spool.root), 0, True
    left_at = []
    while killed:
        killed = False
        with fault(spool.root, at, of=("create", "unlink", "write", "fsync")):
            try:
                try_writing(spool.incoming)
            except Killed:
                killed = True
        for path in set(listing(spool.root)).difference(before):
            left_at.append(at)
            path.unlink()
        at += 1
    assert left_at == [1]  # between making it and taking its name away, which is an instant
    assert at == 6  # make, take the name, write, flush, flush the folder; then nothing is left


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EACCES, "give this user the permission to write there"),
        (errno.ENOSPC, "make room"),
        (errno.EROFS, "mount it for writing"),
        (errno.EIO, "see to the disk"),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_of(spool: Spool, code: int, advice: str) -> None:
    with fault(spool.queue("outgoing"), lambda number: True, failing(code)):
        ((said, told),) = problems(list(check_folders(spool, QUEUES)))
    assert said == f"'{spool.queue('outgoing')}' cannot be written: {os.strerror(code)}"
    assert advice in told


def test_a_disk_that_is_read_only_is_told_of(disk: Path) -> None:
    spool = Spool(disk / "spool")
    spool.prepare(QUEUES)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    ((said, told),) = problems(list(check_folders(spool, QUEUES)))
    assert said == (
        f"'{spool.root}', '{spool.incoming}', '{spool.studies}' and 11 more cannot be written: "
        "Read-only file system"
    )
    assert "mount it for writing" in told


def test_a_disk_that_is_full_is_told_of(disk: Path) -> None:
    spool = Spool(disk / "spool")
    spool.prepare(QUEUES)
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 2_000_000)
    ((said, told),) = problems(list(check_folders(spool, QUEUES)))
    assert "No space left on device" in said
    assert "make room" in told
    (scarce,) = check_space(spool, QUEUES)
    assert scarce.state is State.REMARK
    assert scarce.said == f"0.0% of the space of '{spool.root}' is free"
    filler.unlink()
    (room,) = check_space(spool, QUEUES)
    assert (room.state, room.said) == (State.OK, f"0.0 GB are free at '{spool.root}'")
    assert {each.state for each in check_folders(spool, QUEUES)} == {State.OK}


def test_inodes_that_run_out_are_told_of(disk: Path) -> None:
    spool = Spool(disk / "spool")
    spool.prepare(QUEUES)
    for number in range(170):
        (disk / str(number)).touch()
    (scarce,) = check_space(spool, QUEUES)
    assert scarce.state is State.REMARK
    assert f"of the inodes of '{spool.root}' is free" in scarce.said


def test_a_queue_on_another_disk_has_room_of_its_own(spool: Spool, disk: Path) -> None:
    success = spool.queue("success")
    success.rmdir()
    success.symlink_to(disk)
    places = [each.said.rpartition(" at ")[2] for each in check_space(spool, QUEUES)]
    assert places == [f"'{spool.root}'", f"'{success}'"]
    assert problems(list(check_folders(spool, QUEUES))) == []
    assert problems(list(check_file_system(spool, QUEUES))) == []


def test_a_link_to_a_disk_that_is_not_mounted_is_told_of(spool: Spool, tmp_path: Path) -> None:
    spool.queue("success").rmdir()
    spool.queue("success").symlink_to(tmp_path / "gone")
    ((said, told),) = problems(list(check_folders(spool, QUEUES)))
    assert said == f"'{spool.queue('success')}' cannot be written: No such file or directory"
    assert told == "mount what the link leads to, or remove the link"


def test_a_file_in_the_place_of_a_folder_is_told_of(spool: Spool) -> None:
    spool.outbox.rmdir()
    spool.outbox.touch()
    ((said, told),) = problems(list(check_folders(spool, QUEUES)))
    assert (said, told) == (
        f"'{spool.outbox}' cannot be written: Not a directory",
        "move away what has the name of a folder",
    )


def test_folders_that_are_missing_are_left_to_run(spool: Spool) -> None:
    spool.outbox.rmdir()
    remark, good = check_folders(spool, QUEUES)
    assert (remark.state, remark.said) == (State.REMARK, f"'{spool.outbox}' are not there yet")
    assert (good.state, spool.outbox.exists()) == (State.OK, False)


def test_a_spool_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "data" / "spool")
    (found,) = check_folders(spool, QUEUES)
    assert found.state is State.REMARK
    assert found.said == f"the spool '{spool.root}' is not there yet; '{tmp_path}' can be written"
    assert found.advice == "'mroute run' makes it"
    assert problems([*check_space(spool, QUEUES), *check_file_system(spool, QUEUES)]) == []
    assert listing(tmp_path) == []


def test_a_spool_that_cannot_be_made_is_told_of(tmp_path: Path, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    ((said, _),) = problems(list(check_folders(Spool(disk / "spool"), QUEUES)))
    assert said.endswith(f"cannot be made: '{disk}': Read-only file system")
    (tmp_path / "file").touch()
    ((said, told),) = problems(list(check_folders(Spool(tmp_path / "file" / "spool"), QUEUES)))
    assert said.endswith(f"cannot be made: '{tmp_path / 'file'}': Not a directory")
    assert told == "move away what has the name of a folder"


def test_folders_between_which_images_are_renamed_have_to_be_on_one_disk(spool: Spool) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        assert Path(folder).stat().st_dev != spool.root.stat().st_dev
        shutil.rmtree(spool.studies)
        spool.studies.symlink_to(folder)
        ((said, told),) = problems(list(check_file_system(spool, QUEUES)))
        assert said.startswith(f"the spool folder '{spool.studies}' is on another file system")
        assert told.endswith("put 'incoming', 'studies', 'outbox' and '.staging' on one")
        with pytest.raises(SpoolError, match="another file system"):
            spool.prepare(QUEUES)


def test_a_file_system_that_is_not_safe_is_told_of(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"40 27 0:50 / {spool.root} rw - cifs server:/x rw\n")
    monkeypatch.setattr(mounts.unsafe_places, "__defaults__", (table,))
    found = problems(list(check_file_system(spool, QUEUES)))
    assert len(found) == 13
    for said, told in found:
        assert "is on a file system of type 'cifs'" in said
        assert told == "put the spool on a local disk, or on NFS whose locks are kept by the server"


def test_whoever_works_on_the_spool_leaves_the_file_alone(spool: Spool) -> None:
    """It may be seen in the instant in which it has a name."""
    for folder in (spool.root, *spool.folders(QUEUES)):
        (folder / f"{PROBE_PREFIX}1").touch()
    now = datetime.now(UTC)
    arrivals = Incoming(spool).scan(now, timedelta(0))
    assert (arrivals.complete, arrivals.pending, arrivals.loose) == ((), (), ())
    assert Look(spool, now, {"outgoing": "dispatch", "processing": "process"}).items(True) == []
    assert spool.strangers(QUEUES) == []
    assert list(open_claims(spool, "me")) == []
    assert [each for each in entries(spool.root) if each.path.name.startswith(".doctor")] == []
    (spool.incoming / ".another").touch()
    assert Incoming(spool).scan(now, timedelta(0)).loose == (".another",)
