"""Tasks that leave their queue for another file system: in one place, wherever it is interrupted.

Knows two file systems that are really two. Does not know how a folder is copied.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.queue import finish_moves
from mroute.types import Finish
from tests.faults import Killed, fault
from tests.unit.spool.test_queue import due_tasks, make_task


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than ``tmp_path``."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        assert folder.stat().st_dev != tmp_path.stat().st_dev
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def spool(tmp_path: Path, elsewhere: Path) -> Spool:
    """A spool whose tasks end, and are processed, on another file system."""
    spool = Spool(tmp_path / "spool")
    spool.root.mkdir()
    for name in ("success", "processing"):
        (elsewhere / name).mkdir()
        (spool.root / name).symlink_to(elsewhere / name)
    spool.prepare(["outgoing", "processing"])
    return spool


def settle(spool: Spool, files: Files, where: str, at: int) -> bool:
    """Move what is due, killed at an operation; whether that came to pass."""
    leases = []
    with fault(spool.root, at) as trap, suppress(Killed):
        for lease in due_tasks(spool, files):
            leases.append(lease)
            lease.move(spool, where)
    for lease in leases:
        lease.let_go()  # the kernel would, for a process that died
    return trap.seen > at


def everything(spool: Spool) -> list[str]:
    """All images, by their places in the spool; copies that are not finished have none."""
    return sorted(
        f"{path.parent.parent.name}/{path.parent.name}"
        for queue in spool.root.iterdir()
        for path in queue.glob("*/1.dcm")
        if not path.parent.name.startswith(".") and not path.parent.name.startswith(".copied-")
    )


@pytest.mark.parametrize("where", ["success", "processing"])
def test_a_move_killed_anywhere_ends_in_one_place(spool: Spool, files: Files, where: str) -> None:
    at, reached = 0, True
    while reached:
        make_task(spool, "a")
        reached = settle(spool, files, where, at)
        assert len(everything(spool)) <= 1, f"killed at {at}"
        settle(spool, files, where, -1)
        assert everything(spool) == [f"{where}/a"], f"killed at {at}"
        left = [path.name for name in ("outgoing", where) for path in spool.queue(name).iterdir()]
        assert left == ["a"], f"killed at {at}"
        assert (spool.queue(where) / "a" / "1.dcm").read_bytes() == b"image"
        shutil.rmtree(spool.queue(where) / "a")
        at += 1
    assert at > 8


def test_a_copy_that_was_not_complete_is_no_danger_to_another_move(
    spool: Spool, files: Files
) -> None:
    make_task(spool, "a")
    partial = spool.queue("success") / ".a.part"
    partial.mkdir()
    (partial / "1.dcm").write_bytes(b"half")
    settle(spool, files, "processing", -1)
    assert everything(spool) == ["processing/a"]
    assert not partial.exists()


def test_the_copy_of_a_task_that_an_administrator_has_made_is_no_mark(
    spool: Spool, files: Files
) -> None:
    make_task(spool, "a")
    shutil.copytree(spool.queue("outgoing") / "a", spool.queue("outgoing") / "a.copied")
    finish_moves(spool, files, ["outgoing", *Finish])
    settle(spool, files, "success", -1)
    assert "outgoing/a.copied" in everything(spool) or "success/a.copied" in everything(spool)


def test_a_move_whose_process_lives_is_left_to_it(spool: Spool, files: Files) -> None:
    make_task(spool, "a")
    (lease,) = due_tasks(spool, files)
    marker = lease.folder.rename(lease.folder.with_name(".copied-a"))
    shutil.copytree(marker, spool.queue("success") / ".a.part")
    finish_moves(spool, files, ["outgoing", *Finish])
    assert marker.exists()
    assert everything(spool) == []
    lease.let_go()
    finish_moves(spool, files, ["outgoing", *Finish])
    assert everything(spool) == ["success/a"]
    assert not marker.exists()


def test_what_is_left_of_a_move_that_was_made_is_cleared_away(spool: Spool, files: Files) -> None:
    shutil.move(make_task(spool, "a"), spool.queue("success") / "a")
    marker = spool.queue("outgoing") / ".copied-a"
    marker.mkdir()
    (marker / "1.dcm").write_bytes(b"image")
    assert list(due_tasks(spool, files)) == []
    assert everything(spool) == ["success/a"]
    assert not marker.exists()


def test_a_task_that_came_back_is_moved_although_an_older_move_left_its_mark(
    spool: Spool, files: Files
) -> None:
    make_task(spool, "a")
    (lease,) = due_tasks(spool, files)
    (spool.queue("outgoing") / ".copied-a").mkdir()
    lease.move(spool, "success")
    assert everything(spool) == ["success/a"]
    assert list(spool.queue("outgoing").iterdir()) == []
