"""File operations: whole files only, and folders that cross file systems once.

Knows folders before and after. Does not know what is in the files.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.models import Durability
from mroute.spool.files import Files, as_json
from tests.faults import Killed, fault

pytestmark = pytest.mark.damages_task_files


@pytest.fixture(params=list(Durability))
def files(request: pytest.FixtureRequest) -> Files:
    return Files(request.param)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_write_that_is_killed_leaves_the_old_content(tmp_path: Path, files: Files) -> None:
    path = tmp_path / "task.json"
    files.write(path, b"old")
    at, reached = 0, True
    while reached:
        with fault(tmp_path, at) as trap, suppress(Killed):
            files.write(path, b"new")
        assert path.read_bytes() == (b"old" if trap.hit else b"new")
        reached, at = trap.seen > at, at + 1
    assert path.read_bytes() == b"new"
    assert at > 2


def test_a_link_that_cannot_be_made_is_a_copy(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    (tmp_path / "a").write_bytes(b"image")
    files.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").samefile(tmp_path / "a")
    monkeypatch.setattr("os.link", refuse)
    files.link(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == b"image"
    assert not (tmp_path / "c").samefile(tmp_path / "a")
    assert names(tmp_path) == ["a", "b", "c"]


def test_a_link_never_replaces_a_file(tmp_path: Path, files: Files) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        files.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"old"


def make_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "source" / "task"
    (folder / "work").mkdir(parents=True)
    (folder / "image.dcm").write_bytes(b"image")
    (folder / "work" / "log").write_bytes(b"log")
    return folder


def cross_file_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renames from below ``source`` to below ``target`` fail, as between two file systems."""
    rename = os.rename

    def across(source: os.PathLike[str], target: os.PathLike[str]) -> None:
        if "source" in Path(source).parts and "target" in Path(target).parts:
            raise OSError(errno.EXDEV, "another file system")
        rename(source, target)

    monkeypatch.setattr(os, "rename", across)


def test_a_folder_is_moved_by_one_rename(tmp_path: Path, files: Files) -> None:
    inode = make_folder(tmp_path).stat().st_ino
    files.move_folder(tmp_path / "source" / "task", tmp_path / "target" / "task")
    assert (tmp_path / "target" / "task").stat().st_ino == inode
    files.move_folder(tmp_path / "source" / "task", tmp_path / "target" / "task")
    assert names(tmp_path / "target") == ["task"]


def test_a_folder_that_is_there_already_is_not_replaced(tmp_path: Path, files: Files) -> None:
    make_folder(tmp_path)
    (tmp_path / "target" / "task" / "other").mkdir(parents=True)
    with pytest.raises(OSError, match="not empty"):
        files.move_folder(tmp_path / "source" / "task", tmp_path / "target" / "task")
    assert names(tmp_path / "source" / "task") == ["image.dcm", "work"]


def test_what_slips_into_a_folder_that_crosses_file_systems_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a program that works in the folder: it follows each rename."""
    cross_file_systems(monkeypatch)
    source, copy = make_folder(tmp_path), Files.copy

    def slip_in(self: Files, path: Path, destination: Path) -> None:
        copy(self, path, destination)
        path.with_name("late.dcm").write_bytes(b"late")

    monkeypatch.setattr(Files, "copy", slip_in)
    Files(Durability.PROCESS).move_folder(source, tmp_path / "target" / "task")
    assert (tmp_path / "target" / "task" / "late.dcm").read_bytes() == b"late"
    assert names(tmp_path / "source") == []


def test_the_name_of_a_copy_lasts_before_its_source_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only the mark survived a loss of power, the move would count as made."""
    cross_file_systems(monkeypatch)
    make_folder(tmp_path)
    (tmp_path / "target").mkdir()
    done, rename, flush = list[str](), os.rename, Files.flush_folder

    def renamed(source: os.PathLike[str], target: os.PathLike[str]) -> None:
        rename(source, target)
        done.append(f"renamed to {Path(target).name}")

    def flushed(self: Files, folder: Path) -> None:
        flush(self, folder)
        done.append(f"flushed {folder.name}")

    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(Files, "flush_folder", flushed)
    Files().move_folder(tmp_path / "source" / "task", tmp_path / "target" / "task")
    assert done.index("flushed target") < done.index("renamed to .copied-task")


def test_a_pipe_in_a_folder_that_crosses_file_systems_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Files
) -> None:
    cross_file_systems(monkeypatch)
    source, moved = make_folder(tmp_path), tmp_path / "target" / "task"
    os.mkfifo(source / "pipe")
    mover = threading.Thread(target=files.move_folder, args=(source, moved), daemon=True)
    mover.start()
    mover.join(20)
    assert names(moved) == ["image.dcm", "pipe", "work"]


def test_a_folder_crosses_file_systems_once_wherever_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(Durability.PROCESS)
    cross_file_systems(monkeypatch)
    at, reached = 0, True
    while reached:
        root = tmp_path / str(at)
        source = make_folder(root)
        moved = root / "target" / "task"
        with fault(tmp_path, at) as trap, suppress(Killed):
            files.move_folder(source, moved)
        if trap.hit:
            assert source.exists() or moved.exists() or (root / "source" / ".copied-task").exists()
        if moved.exists():  # a fast worker takes it away
            moved.rename(root / "taken")
        files.move_folder(source, moved)
        found = [path for path in (moved, root / "taken") if path.exists()]
        assert len(found) == 1, f"killed at operation {at}"
        assert names(found[0]) == ["image.dcm", "work"]
        assert names(root / "source") == []
        reached, at = trap.seen > at, at + 1
    assert at > 8


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system than those of the other fixtures."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_a_folder_moves_to_a_real_other_file_system(
    tmp_path: Path, elsewhere: Path, files: Files
) -> None:
    assert tmp_path.stat().st_dev != elsewhere.stat().st_dev
    source = make_folder(tmp_path)
    (source / "link").symlink_to("image.dcm")
    changed = (source / "image.dcm").stat().st_mtime_ns
    files.move_folder(source, elsewhere / "queue" / "task")
    moved = elsewhere / "queue" / "task"
    assert names(moved) == ["image.dcm", "link", "work"]
    assert (moved / "image.dcm").read_bytes() == b"image"
    assert (moved / "image.dcm").stat().st_mtime_ns == changed
    assert (moved / "link").readlink() == Path("image.dcm")
    assert names(tmp_path / "source") == []
    assert names(elsewhere / "queue") == ["task"]


def test_a_copy_on_another_file_system_that_differs_is_no_copy(
    tmp_path: Path, elsewhere: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_folder(tmp_path)
    write = os.write

    def garble(descriptor: int, content: memoryview) -> int:
        return write(descriptor, bytes(content).replace(b"image", b"imagE"))

    monkeypatch.setattr(os, "write", garble)
    with pytest.raises(OSError, match="differs from what it is of"):
        files.move_folder(source, elsewhere / "task")
    assert (source / "image.dcm").read_bytes() == b"image"
    assert not (elsewhere / "task").exists()
    monkeypatch.undo()
    files.move_folder(source, elsewhere / "task")
    assert (elsewhere / "task" / "image.dcm").read_bytes() == b"image"


def test_a_file_that_the_kernel_cannot_copy_is_copied_by_reading(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(3 * 2**20 + 1)
    (tmp_path / "a").write_bytes(content)

    def refuse(*_: int) -> int:
        raise OSError(errno.EOPNOTSUPP, "not on this file system")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    files.copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content


def test_a_kernel_that_takes_a_little_at_a_time_loses_nothing(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(5_000)
    write, copy = os.write, os.copy_file_range
    monkeypatch.setattr(os, "write", lambda fd, rest: write(fd, bytes(rest)[:7]))
    monkeypatch.setattr(
        os, "copy_file_range", lambda src, dst, count: copy(src, dst, min(count, 11))
    )
    files.write(tmp_path / "a", content)
    files.copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == content


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
@settings(derandomize=True)
def test_json_for_people_says_what_json_says(value: object) -> None:
    written = as_json(value)
    assert written.isascii()
    assert written.endswith(b"\n")
    assert json.loads(written) == value


def test_json_for_people_has_a_line_for_each_key_and_each_entry() -> None:
    journal = [{"time": "1", "actor": "router"}, {"time": "2", "actor": "outgoing"}]
    assert as_json({"id": "1", "info": {"uid": "1.2"}, "journal": journal}).decode() == (
        '{\n  "id": "1",\n  "info": {"uid": "1.2"},\n  "journal": [\n'
        '    {"time": "1", "actor": "router"},\n    {"time": "2", "actor": "outgoing"}\n  ]\n}\n'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("place", [lambda n: n, lambda n: {"a": n}, lambda n: {"a": [{"b": n}]}])
def test_a_number_that_json_has_not_is_refused(
    number: float, place: Callable[[float], object]
) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(place(number))
