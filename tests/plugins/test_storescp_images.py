"""Which images that ``storescp`` writes are taken in, whenever one looks, and however it ends.

The program here is one that writes and closes what it is told to; the real one is in tests/interop.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mroute.api import Tags, TagsError
from mroute_dicom.network.connection import PeerSilentError
from mroute_dicom.receiving import dcmtk
from mroute_dicom.receiving.image import Receiver
from mroute_dicom.receiving.settings import ReceiverSettings
from mroute_dicom.receiving.taking import (
    association_folder,
    closed_images,
    take_leftovers,
    take_while,
)
from tests.interop.images import real_instances

WRITER = """\
import os, sys
opened = {}
for line in sys.stdin:
    word, name, path, length = line.rstrip("\\n").split("\\t")
    if word == "write":
        opened[name] = os.open(name, os.O_WRONLY | os.O_CREAT)
        os.write(opened[name], open(path, "rb").read()[: int(length)])
    elif word == "close":
        os.close(opened[name])
    elif word == "delete":
        os.unlink(name)
    print("done", flush=True)
"""

WHOLE = next(each.path for each in real_instances() if each.path.name == "CT_small.dcm")
SIZE = WHOLE.stat().st_size


class Site:
    """A folder of an association, the program that writes into it, and what was taken in."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.process_folder = self.workspace / "process-1"
        self.process_folder.mkdir(parents=True)
        self.taken = dict[str, int]()
        self.told = list[str]()
        self.refused = ""
        self.seen = threading.Event()
        self.stop = threading.Event()
        self.receiver = Receiver(
            ReceiverSettings(port=104), self.receive, self.process_folder, self.stop, self.notice
        )

    def receive(self, path: Path, facts: Tags) -> Path:
        if self.refused:
            raise TagsError(self.refused)
        self.taken[path.name] = path.stat().st_size
        path.unlink()
        self.seen.set()
        return path

    def notice(self, where: str, detail: str) -> None:
        self.told.append(detail)

    def apart(self) -> list[Path]:
        return sorted(self.workspace.glob("*.dcm"))


class Writer:
    """The program."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", WRITER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            pass_fds=[lock],
        )

    def do(self, word: str, name: str, length: int = SIZE) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\t{name}\t{WHOLE}\t{length}\n".encode())
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"done\n"

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def writing(site: Site) -> Iterator[tuple[Writer, Path, int]]:
    with association_folder(site.process_folder, {"SenderAET": "A"}) as (folder, lock):
        writer = Writer(folder, lock)
        yield writer, folder, lock
        with writer.process:
            writer.process.kill()


def test_an_image_is_closed_when_the_program_has_closed_it(
    writing: tuple[Writer, Path, int],
) -> None:
    writer, folder, lock = writing
    pid = writer.process.pid
    assert closed_images(pid, lock, folder) == set()
    writer.do("write", "a", 100)
    assert closed_images(pid, lock, folder) == set()
    writer.do("write", "b")
    writer.do("close", "a")
    assert closed_images(pid, lock, folder) == {folder / "a"}
    writer.process.kill()
    writer.process.wait()
    assert closed_images(pid, lock, folder) == set()


def test_images_are_taken_while_the_program_runs(
    site: Site, writing: tuple[Writer, Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, folder, lock = writing
    deleted = threading.Event()

    def look(pid: int, lock: int, folder: Path) -> set[Path]:
        """Find closed images, and have one deleted as soon as it was found."""
        found = closed_images(pid, lock, folder)
        if folder / "b" in found:
            writer.do("delete", "b")
            deleted.set()
        return found

    monkeypatch.setattr("mroute_dicom.receiving.taking.closed_images", look)
    taking = taking_in(site, writer, folder, lock)
    writer.do("write", "a")
    writer.do("close", "a")
    assert site.seen.wait(30)
    writer.do("write", "b", 1000)  # this one is cut off, closed and then deleted, as storescp does
    writer.do("close", "b")
    assert deleted.wait(30)
    writer.end()
    taking.join()
    assert (site.taken, site.apart(), site.told) == ({"a": SIZE}, [], [])


def taking_in(site: Site, writer: Writer, folder: Path, lock: int) -> threading.Thread:
    thread = threading.Thread(
        target=take_while, args=(site.receiver, writer.process, folder, lock, {})
    )
    thread.start()
    return thread


@pytest.mark.parametrize("stopping", [False, True])
def test_of_a_program_that_is_killed_only_whole_images_are_taken(
    site: Site, writing: tuple[Writer, Path, int], stopping: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mroute_dicom.receiving.taking._IN_HAND", 0.0)
    writer, folder, lock = writing
    writer.do("write", "cut", SIZE - 100)
    writer.do("write", "whole")
    if stopping:
        site.stop.set()
    else:
        writer.process.kill()
    taking_in(site, writer, folder, lock).join()
    (apart,) = site.apart()
    assert (site.taken, apart.stat().st_size) == ({"whole": SIZE}, SIZE - 100)
    assert apart.name.startswith("cut-off-")
    (told,) = site.told
    assert f"is kept as '{apart}'" in told


def test_when_mroute_stops_the_image_in_hand_comes_to_its_end(
    site: Site, writing: tuple[Writer, Path, int]
) -> None:
    writer, folder, lock = writing
    writer.do("write", "a", 100)
    site.stop.set()
    taking = taking_in(site, writer, folder, lock)
    taking.join(0.2)
    assert taking.is_alive()  # the program was not ended in the middle of it
    writer.do("close", "a")
    taking.join()
    assert writer.process.returncode < 0
    assert list(site.taken or site.apart())


def test_what_a_program_has_finished_is_taken_whatever_it_looks_like(
    site: Site, writing: tuple[Writer, Path, int]
) -> None:
    writer, folder, lock = writing
    writer.do("write", "odd", SIZE - 100)
    writer.do("close", "odd")
    writer.end()
    taking_in(site, writer, folder, lock).join()
    assert site.taken == {"odd": SIZE - 100}


def test_what_mroute_cannot_route_is_kept(site: Site, writing: tuple[Writer, Path, int]) -> None:
    writer, folder, lock = writing
    site.refused = "it has no SeriesInstanceUID"
    writer.do("write", "a")
    writer.end()
    taking_in(site, writer, folder, lock).join()
    (apart,) = site.apart()
    assert (apart.read_bytes(), apart.name[:8]) == (WHOLE.read_bytes(), "refused-")


def test_leftovers_of_a_router_that_died_are_taken_in_when_the_program_has_ended(
    site: Site, writing: tuple[Writer, Path, int]
) -> None:
    writer, folder, _ = writing
    writer.do("write", "a")
    writer.do("write", "cut", 1000)
    before = (dict[str, int](), list[Path]())
    take_leftovers(site.workspace, site.receive, site.notice)
    assert (site.taken, site.apart()) == before  # its lock is held
    copied = left_behind(folder)
    take_leftovers(site.workspace, site.receive, site.notice)
    assert site.taken == {"a": SIZE}
    assert [each.stat().st_size for each in site.apart()] == [1000]
    assert not copied.exists()


def test_images_whose_sender_was_forgotten_are_taken_in_all_the_same(
    site: Site, writing: tuple[Writer, Path, int]
) -> None:
    writer, folder, _ = writing
    writer.do("write", "a")
    other = left_behind(folder)
    (other / "facts.json").write_bytes(b"")
    take_leftovers(site.workspace, site.receive, site.notice)
    assert (site.taken, other.exists()) == ({"a": SIZE}, False)
    assert site.told == ["who has sent some images is not known any more; they are taken in"]


def test_a_folder_is_there_for_others_when_it_is_locked_and_complete(site: Site) -> None:
    stop, failed = threading.Event(), list[Exception]()

    def look() -> None:
        while not stop.is_set():
            try:
                take_leftovers(site.workspace, site.receive, site.notice)
            except (OSError, ValueError) as error:
                failed.append(error)

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(500):
        with association_folder(site.process_folder, {"SenderAET": "A"}) as (folder, _):
            assert folder.is_dir()
    stop.set()
    looking.join()
    assert failed == []


class HalfClosed:
    """A socket whose peer has sent three bytes and closed its side; the clock moves by sleeping."""

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def setsockopt(self, *options: object) -> None:
        """Take no notice."""

    def settimeout(self, seconds: float) -> None:
        """Take no notice."""

    def recv(self, length: int, flags: int) -> bytes:
        self.looks += 1
        assert self.looks < 10_000, "it looks without end"
        return b"\x01\x00\x00"


def test_a_peer_that_has_closed_its_side_is_not_looked_at_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = HalfClosed()
    monkeypatch.setattr(dcmtk, "time", peer)
    with pytest.raises(PeerSilentError, match="what it wants within 15 s"):
        dcmtk._peeked(peer, 15)  # type: ignore[arg-type]
    assert peer.now > 15


def left_behind(folder: Path) -> Path:
    """The same folder as one that nobody holds the lock of."""
    other = folder.with_name("association-other")
    other.mkdir()
    content: Mapping[str, bytes] = {each.name: each.read_bytes() for each in folder.iterdir()}
    for name, written in content.items():
        (other / name).write_bytes(written)
    return other
