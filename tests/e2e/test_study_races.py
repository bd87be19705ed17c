"""A study that goes on while a series of it is routed, at every interleaving of their steps.

Knows that a step is a call that changes the spool, or takes a lock. Does not know which steps there
are: they are counted.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from mroute.router import route_series, route_studies
from mroute.spool import amending, claim, places, studies
from mroute.spool.locks import study_lock
from mroute.spool.places import Place
from tests.e2e.histories import CONDITIONS, History, Policy, Router

STEPS = ("rename", "replace", "unlink", "rmdir", "mkdir", "link", "open", "utime")
"""Calls of `os` before which another router may come; ``flock`` is one more."""

_MANY = 500
"""More steps than there are."""


class Interleaved:
    """Runs ``second`` in a thread of its own at step ``at`` of what this thread does.

    It runs until it ends or has to wait for the lock of a study; then this thread goes on.
    """

    def __init__(self, root: Path, at: int, second: Callable[[], object]) -> None:
        self.steps = 0
        self._root, self._at = str(root), at
        self._main = threading.get_ident()
        self._said: SimpleQueue[str] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(second,))
        self.begun = False
        self.failure: BaseException | None = None

    def _run(self, second: Callable[[], object]) -> None:
        try:
            second()
        except BaseException as error:  # noqa: BLE001 - it is told by the test
            self.failure = error
        finally:
            self._said.put("done")

    def step(self) -> None:
        """A step of this thread: where it is the one, the other runs first."""
        if threading.get_ident() != self._main:
            return
        self.steps += 1
        if self.steps - 1 == self._at:
            self.begun = True
            self._thread.start()
            self._said.get()

    def waits(self) -> None:
        """The other thread has to wait for this one."""
        if threading.get_ident() == self._thread.ident:
            self._said.put("waits")

    def end(self) -> None:
        """Wait for the other thread, which nothing holds up any more."""
        if self.begun:
            self._thread.join()
        if self.failure is not None:
            raise self.failure


@contextmanager
def interleaved(root: Path, at: int, second: Callable[[], object]) -> Iterator[Interleaved]:
    """Count the steps below ``root``, and let ``second`` run at one of them."""
    switch = Interleaved(root, at, second)

    def stepping(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if arguments and str(arguments[0]).startswith(str(root)):
                switch.step()
            return real(*arguments, **named)

        return call

    def locking(descriptor: int, operation: int) -> None:
        switch.step()
        _FLOCK(descriptor, operation)

    @contextmanager
    def lock(spool: Any, name: str) -> Iterator[None]:
        # Whoever would have to wait says so before.
        lock_file = spool.locks / f"study-{zlib.crc32(name.encode()) % 64:02}.lock"
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT)
        try:
            _FLOCK(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _FLOCK(descriptor, fcntl.LOCK_UN)
        except BlockingIOError:
            switch.waits()
        finally:
            os.close(descriptor)
        with study_lock(spool, name):
            yield

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, stepping(getattr(os, name)))
        patch.setattr(fcntl, "flock", locking)
        for module in (amending, claim, places, studies):
            if vars(module)["study_lock"] is study_lock:
                patch.setattr(module, "study_lock", lock)
        try:
            yield switch
        finally:
            switch.end()


_FLOCK = fcntl.flock


class Race:
    """A study that is complete, and one more series of it, each in the hands of a router."""

    def __init__(self, root: Path, policy: str) -> None:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        self.history = History(root, {each: Policy(policy, "ignore") for each in CONDITIONS})
        self.routers = [Router(self.history), Router(self.history)]
        self.history.arrive("9.1", "D", "T4", 1)
        self.history.move(timedelta(minutes=2))
        self.routers[0].step(route_series)
        self.history.arrive("9.1", "D", "T3", 1)
        self.history.move(timedelta(minutes=2))
        self.routers[0].step(route_series)
        self.history.arrive("9.1", "D", "T1", 2)
        self.history.move(timedelta(minutes=2))

    def complete(self) -> None:
        """The study goes on."""
        self.routers[0].step(route_studies)

    def join(self) -> None:
        """The series is routed."""
        self.routers[1].step(route_series)

    def finish(self) -> None:
        """Let both routers come to an end, and check that all is where it must be."""
        for _ in range(20):
            for router in self.routers:
                router.route()
            if not self.history.left():
                break
            self.history.move(timedelta(minutes=11))
        for router in self.routers:
            router.stop()
        assert self.history.faults == []
        self.history.check()


@pytest.mark.parametrize("policy", ["new", "follow", "hold"])
@pytest.mark.parametrize("first", ["the study", "the series"])
def test_a_series_joins_or_is_late_wherever_the_two_meet(
    policy: str, first: str, quick_path: Path
) -> None:
    late, joined = meet(policy, first, quick_path / "site")
    # Both happen: it was not one of the two each time.
    assert late
    assert joined


def meet(policy: str, first: str, root: Path) -> tuple[int, int]:
    """Let one run at each step of the ``first``; returns how often it was late, and joined."""
    late, joined = 0, 0
    for at in range(_MANY):
        race = Race(root, policy)
        one, other = race.complete, race.join
        if first == "the series":
            one, other = other, one
        with interleaved(root, at, other) as switch:
            one()
        race.finish()
        first_task = next(iter(race.history.gone.values()))
        late += "1.3" not in first_task.series
        joined += "1.3" in first_task.series
        if not switch.begun:  # there are no more steps
            break
    assert 20 < at < _MANY - 1
    return late, joined


def no_place(*_: object) -> Place:
    return Place(True)


@contextmanager
def no_lock(spool: Any, name: str) -> Iterator[None]:
    yield


MISTAKES: dict[str, tuple[str, object]] = {
    "a study goes on while a series joins it": ("spool.claim.joining", lambda folder: []),
    "a series has no place in its study": ("router.latecomers.keep_place", no_place),
    "a place is kept without the lock": ("spool.places.study_lock", no_lock),
    "what a study became is remembered too late": ("spool.claim.remember", lambda *_: None),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(
    mistake: str, quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, instead = MISTAKES[mistake]
    monkeypatch.setattr(f"mroute.{where}", instead)

    def meet_both_ways() -> None:
        for first in ("the study", "the series"):
            meet("hold", first, quick_path / "site")

    with pytest.raises((AssertionError, OSError)):
        meet_both_ways()


def test_a_router_that_waits_is_recognised(tmp_path: Path) -> None:
    race = Race(tmp_path / "site", "new")
    spool = race.history.spool
    orders = []
    for at in range(6):  # before the lock is taken, and behind that
        order: list[str] = []

        def second(order: list[str] = order) -> None:
            with vars(places)["study_lock"](spool, "9.1#D"):
                order.append("second")

        with interleaved(tmp_path, at, second) as switch, study_lock(spool, "9.1#D"):
            (spool.root / f"step {at}").mkdir()
            order.append("first")
        assert switch.begun
        orders.append(order)
    assert ["first", "second"] in orders
    assert ["second", "first"] in orders
    for router in race.routers:
        router.stop()
