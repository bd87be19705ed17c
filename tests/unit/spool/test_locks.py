"""Locks: one holder at a time, and none in a folder that is gone.

Knows what a second holder is told. Does not know what is locked.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import lock_descriptor

from mroute.spool.locks import try_lock


def test_a_lock_has_one_holder_until_it_is_released(tmp_path: Path) -> None:
    lock = try_lock(tmp_path / "lock")
    assert lock is not None
    assert try_lock(tmp_path / "lock") is None
    lock.release()
    lock.release()
    again = try_lock(tmp_path / "lock")
    assert again is not None
    again.release()


def test_a_lock_that_nobody_refers_to_is_free(tmp_path: Path) -> None:
    assert try_lock(tmp_path / "lock") is not None
    gc.collect()
    assert try_lock(tmp_path / "lock") is not None


def test_a_folder_that_is_gone_is_not_made_again_for_a_lock_in_it(tmp_path: Path) -> None:
    assert try_lock(tmp_path / "task" / "lock") is None
    assert list(tmp_path.iterdir()) == []


def test_a_lock_on_a_file_that_is_deleted_at_that_moment_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"

    def too_late(descriptor: int, *, blocking: bool) -> bool:
        path.unlink()
        return lock_descriptor(descriptor, blocking=blocking)

    monkeypatch.setattr("mroute.spool.locks.lock_descriptor", too_late)
    assert try_lock(path) is None
    monkeypatch.undo()
    assert try_lock(path) is not None


def test_a_lock_vanishes_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    script = f"""
import os, signal
from pathlib import Path
import pytest
from filelock import lock_descriptor

from mroute.spool.locks import try_lock
lock = try_lock(Path({str(path)!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert ended.returncode == -9
    assert try_lock(path) is not None
