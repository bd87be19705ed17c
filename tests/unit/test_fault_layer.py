"""The fault layer: it sees every call below its root, and does to it what it was told.

Knows what each kind of call looks like from outside. Does not know mroute.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from tests.faults import CHANGES, EVERYTHING, Killed, Short, every, failing, fault

NEVER = 10**9


def test_calls_are_counted_by_path_and_by_descriptor(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    root = tmp_path / "root"
    root.mkdir()
    with fault(root, NEVER, of=EVERYTHING) as trap:
        elsewhere.write_text("not counted")
        (root / "a").mkdir()
        (root / "a" / "b").write_text("x")
        elsewhere.rename(root / "c")
        descriptor = os.open(root / "c", os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        shutil.rmtree(root / "a")
    assert trap.calls == [
        "mkdir /a",
        "create /a/b",
        "write /a/b",
        "close /a/b",
        f"rename {elsewhere} -> /c",
        "open /c",
        "fsync /c",
        "close /c",
        "lstat /a",
        "open /a",
        "fstat /a",
        "scandir /a",
        "unlink /a/b",
        "close /a",
        "rmdir /a",
    ]
    assert trap.hit == ""


def test_a_call_fails_before_or_after_it_took_effect(tmp_path: Path) -> None:
    for after in (False, True):
        name = tmp_path / str(after)
        with fault(tmp_path, 0, failing(errno.ENOSPC), after=after) as trap:
            with pytest.raises(OSError, match="No space left on device"):
                name.mkdir()
            name.with_suffix(".next").mkdir()
        assert name.exists() is after
        assert name.with_suffix(".next").exists()
        assert trap.hit.startswith(f"mkdir /{after}")


def test_all_calls_of_a_kind_fail(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with fault(tmp_path, every, failing(errno.EXDEV), of={"link"}) as trap:
        for name in ("b", "c"):
            with pytest.raises(OSError, match="Invalid cross-device link"):
                os.link(tmp_path / "a", tmp_path / name)
        (tmp_path / "a").rename(tmp_path / "d")
    assert trap.seen == 2
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_a_process_that_was_killed_does_nothing_more_and_holds_no_lock(tmp_path: Path) -> None:
    path, lock = tmp_path / "a", FileLock(tmp_path / "lock", is_singleton=False)

    def work() -> None:
        lock.acquire()
        try:
            with path.open("w") as stream:
                stream.write("never written")
        finally:
            path.unlink()

    with lock:
        pass
    with fault(tmp_path, -1, of=CHANGES) as dry:  # how a lock is taken is filelock's
        work()
    lock.release()
    with fault(tmp_path, dry.calls.index("write /a"), of=CHANGES) as trap, pytest.raises(Killed):
        work()
    assert trap.calls == [*dry.calls[: dry.calls.index("write /a")], "write /a"]
    assert path.read_text() == ""
    with FileLock(tmp_path / "lock", blocking=False, is_singleton=False):
        pass
    lock.release()
    with lock, pytest.raises(Timeout):
        FileLock(tmp_path / "lock", blocking=False, is_singleton=False).acquire()


def test_a_short_write_takes_half(tmp_path: Path) -> None:
    descriptors = list[int]()
    with fault(tmp_path, every, Short, of={"write"}):
        descriptors.append(os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT))
        assert os.write(descriptors[0], b"12345") == 3
        os.close(descriptors[0])
        (tmp_path / "b").write_bytes(b"12345")
    assert (tmp_path / "a").read_bytes() == b"123"
    assert (tmp_path / "b").read_bytes() == b"12345"


def test_a_loss_of_power_takes_what_was_not_flushed(tmp_path: Path) -> None:
    with fault(tmp_path, NEVER) as trap:
        for name in ("flushed", "lost"):
            with (tmp_path / name).open("w") as stream:
                stream.write(name)
                stream.flush()
                if name == "flushed":
                    os.fsync(stream.fileno())
    (tmp_path / "lost").rename(tmp_path / "renamed")
    trap.lose_unflushed()
    assert (tmp_path / "flushed").read_text() == "flushed"
    assert (tmp_path / "renamed").read_text() == ""
