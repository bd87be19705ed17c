"""A run that is woken by what arrives, with a pause so long that nothing else could wake it.

Knows threads and time-outs. Does not know how folders are watched.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mroute.events import Event
from mroute.service import Service, open_site
from mroute.site import utc_now
from mroute.types import Clock
from tests.e2e.sites import ROUTE, Played, drop, later, plugins_with, run_once, write_rules

SOON = 30.0


@pytest.fixture(autouse=True)
def _long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mroute.service.PAUSE", 3600.0)


class Run:
    """The events of a run, to be waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._more = threading.Condition()

    def note(self, event: Event) -> None:
        with self._more:
            self.events.append(event)
            self._more.notify_all()

    def wait_for(self, name: str, count: int = 1) -> bool:
        with self._more:
            return self._more.wait_for(
                lambda: sum(each.name == name for each in self.events) >= count, SOON
            )


@contextmanager
def running(root: Path, rules: str, clock: Clock = later) -> Iterator[Run]:
    hooks, registry = plugins_with()
    run, stop = Run(), threading.Event()
    hooks.listen(run.note)
    with open_site(write_rules(root, rules), hooks, registry, clock) as site:
        thread = threading.Thread(target=Service(site, stop).run)
        thread.start()
        try:
            yield run
        finally:
            stop.set()
            thread.join(SOON)
            assert not thread.is_alive()


def move_in(root: Path, uid: str) -> None:
    folder = drop(root / "elsewhere", uid)
    folder.rename(root / "spool" / "incoming" / uid)


def test_a_series_is_routed_and_sent_when_it_arrives(tmp_path: Path) -> None:
    with running(tmp_path, ROUTE) as run:
        for number in range(1, 4):
            move_in(tmp_path, f"1.{number}")
            assert run.wait_for("task_settled", number)
    assert Played(tmp_path).images("pacs") == {"1.1#0": 1, "1.2#0": 1, "1.3#0": 1}


def test_a_task_that_is_moved_into_a_queue_by_hand_is_worked(tmp_path: Path) -> None:
    outgoing = tmp_path / "spool" / "outgoing"
    outgoing.mkdir(parents=True)
    (outgoing / "HALT").touch()
    drop(tmp_path, "1.1")
    run_once(tmp_path, ROUTE)
    (outgoing / "HALT").unlink()
    (task,) = outgoing.iterdir()
    task.rename(tmp_path / "task")
    with running(tmp_path, ROUTE) as run:
        assert run.wait_for("started")
        (tmp_path / "task").rename(task)
        assert run.wait_for("task_settled")
    assert set(Played(tmp_path).images("pacs")) == {"1.1#0"}


def test_the_router_sleeps_until_a_series_can_be_complete(tmp_path: Path) -> None:
    """Nothing happens in any folder at that time."""
    rules = ROUTE.replace("series_complete_after: 0s", "series_complete_after: 1s")
    with running(tmp_path, rules, utc_now) as run:
        move_in(tmp_path, "1.1")
        assert run.wait_for("task_settled")
    assert set(Played(tmp_path).images("pacs")) == {"1.1#0"}
