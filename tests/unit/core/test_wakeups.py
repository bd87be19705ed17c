"""Bells that ring when folders change, and that all ring in the end.

Knows folders and time-outs. Does not know what is woken.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mroute.wakeups import Wakeups

SOON = 20.0


@contextmanager
def ringing(wakeups: Wakeups, stop: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=wakeups.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SOON)
        assert not thread.is_alive()


def heard(bell: threading.Event) -> bool:
    rung = bell.wait(SOON)
    bell.clear()
    return rung


def told_nothing(where: str, why: str) -> None:
    raise AssertionError(f"{where}: {why}")


def test_what_is_added_or_taken_away_rings_the_bells_of_its_folder_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "a folder", tmp_path / "größer"
    one.mkdir()
    other.mkdir()
    stop = threading.Event()
    wakeups = Wakeups(stop, told_nothing)
    first, second, third = wakeups.bell(one), wakeups.bell(one, other), wakeups.bell(other)
    with ringing(wakeups, stop):
        assert heard(first)  # what came before it was watched
        assert heard(second)
        assert heard(third)
        (one / "series").mkdir()
        assert heard(first)
        assert heard(second)
        assert not third.is_set()
        (one / "series").rename(other / "series")
        assert heard(first)
        assert heard(third)
    assert first.is_set()  # in the end nobody waits any more
    assert third.is_set()


def test_a_folder_that_is_deleted_and_made_again_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    stop = threading.Event()
    wakeups = Wakeups(stop, told_nothing)
    bell, rest = wakeups.bell(folder), wakeups.bell(tmp_path)
    with ringing(wakeups, stop):
        assert heard(rest)
        for number in range(3):
            folder.mkdir()
            assert heard(bell)
            (folder / f"{number}").mkdir()
            assert heard(bell)
            (folder / f"{number}").rmdir()
            folder.rmdir()
            assert heard(rest)
            bell.clear()


def test_where_watching_is_impossible_it_is_told_once_and_stopping_is_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Semaphore(0)

    def refuse(*_: object, **__: object) -> None:
        tried.release()
        raise OSError(28, "No space left on device")  # what inotify says without watches left

    monkeypatch.setattr("watchfiles.watch", refuse)
    monkeypatch.setattr("mroute.wakeups._AGAIN", 0.001)
    told: list[tuple[str, str]] = []
    stop = threading.Event()
    wakeups = Wakeups(stop, lambda where, why: told.append((where, why)))
    bell = wakeups.bell(tmp_path)
    with ringing(wakeups, stop):
        for _ in range(3):
            assert tried.acquire(timeout=SOON)
    assert bell.is_set()
    why = "folders cannot be watched: [Errno 28] No space left on device"
    assert told == [("wake-ups", f"{why}; they are looked at every second instead")]
