"""The queue ``outgoing`` and a target over HTTP that is down, half done, or not ours any more.

The server is a real one, which does what the test says. The clock is the test's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.api import Event
from mroute.service import open_site
from mroute.site import Site
from mroute.testing import make_task, write_dicom
from mroute.worker import Worker
from mroute_dispatch.section import add_dispatching
from tests.e2e.sites import plugins_with, write_rules
from tests.interop.webserver import Reply, Request, Stow, WebServer, uid_of, web_server

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

RULES = """\
version: 1
timing: {{retry_after: 15m, retry_max: 5, probe_after: 15s}}
settings: {{durability: process}}
targets:
  pacs:
    type: dicomweb
    url: {url}
    authentication: {{user: mroute, password: {{env: PACS}}}}
    concurrency: 1
rules: {{}}
"""


@dataclass
class Run:
    """A worker of the queue, its site, and the service that it sends to."""

    server: WebServer
    stow: Stow
    site: Site
    worker: Worker
    events: list[Event]
    now: list[datetime]
    sent: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, images: int = 2) -> None:
        folder = self.site.spool.queue("outgoing") / name
        make_task(folder, {"dispatch": add_dispatching(["pacs"], START)}, {}, task_id=name)
        for number in range(images):
            image = write_dicom(folder / f"{name}-{number}.dcm")
            self.sent[uid_of(image.read_bytes())] = image.read_bytes()

    def work(self, after: timedelta = timedelta()) -> None:
        self.now[0] += after
        self.worker.work_due()

    def names(self, place: str) -> list[str]:
        folder = self.site.spool.queue(place)
        return sorted(each.name for each in folder.iterdir() if each.is_dir())

    def status(self, name: str, place: str = "outgoing") -> Any:
        content = json.loads((self.site.spool.queue(place) / name / "task.json").read_text())
        return content["dispatch"]["status"]["pacs"]

    def changes(self) -> list[bool]:
        facts = [each.facts() for each in self.events if each.name == "target_changed"]
        return [each["down"] for each in facts]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PACS", "nobody knows")
    hooks, registry = plugins_with()
    events: list[Event] = []
    hooks.listen(events.append)
    now = [START]
    with web_server() as server:
        server.answer = stow = Stow()
        rules = write_rules(tmp_path, RULES.format(url=server.url))
        with open_site(rules, hooks, registry, lambda: now[0]) as site:
            worker = Worker(lambda: site, registry.queues["outgoing"], threading.Event())
            yield Run(server, stow, site, worker, events, now)
            worker.close()


def test_down_for_an_hour_then_all_go(run: Run) -> None:
    run.server.answer = lambda request: Reply(503, b"", {"Retry-After": "3600"})
    names = [f"task-{number:02}" for number in range(20)]
    for name in names:
        run.add(name)
    for _ in range(120):
        run.work(MINUTE / 2)
    assert (run.names("outgoing"), run.names("error")) == (names, [])  # none was given up
    asked = len(run.server.requests)
    assert 5 <= asked < 20  # it was tried, and not by everybody
    reasons = [run.status(name).get("reason", "") for name in names]
    assert any("it asks to be left alone for 3600 s" in each for each in reasons)
    run.server.answer = run.stow
    run.work(15 * MINUTE)
    for _ in names:
        run.work()
    assert run.names("success") == names
    assert run.stow.held == run.sent
    assert len(run.server.requests) == asked + len(names)
    assert run.changes() == [True, False]


def test_a_service_that_stores_half_gets_the_other_half(run: Run) -> None:
    run.add("a", images=4)
    first = set(list(run.sent)[:2])
    run.stow.fails = lambda uid: None if uid in first else 0xA700
    run.work()
    status = run.status("a")
    assert status["state"] == "waiting"
    assert status["reason"] == "target 'pacs': 2 of 4 images refused: A700 out of resources"
    assert sorted(each["state"] for each in status["instances"].values()) == [
        *["refused"] * 2,
        *["stored"] * 2,
    ]
    run.stow.fails = lambda uid: None
    run.work(15 * MINUTE)
    assert run.status("a", "success")["state"] == "complete"
    assert run.stow.held == run.sent
    sizes = [len(each.body) for each in run.server.requests]
    assert sizes[1] < sizes[0] * 0.6


def test_a_success_that_mentions_nothing_is_no_success(run: Run) -> None:
    run.add("a")
    run.server.answer = lambda request: Reply(200, b'{"00081199": {"vr": "SQ"}}')
    run.work()
    assert run.names("success") == []
    assert "did not say what became of 2 images" in run.status("a")["reason"]
    run.server.answer = run.stow
    run.work(15 * MINUTE)
    assert (run.names("success"), run.stow.held) == (["a"], run.sent)


def test_credentials_that_are_revoked_between_two_tasks(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.add("a")
    run.work()
    assert run.names("success") == ["a"]

    def revoked(request: Request) -> Reply:
        return Reply(401)

    run.server.answer = revoked
    run.add("b")
    run.work()
    reason = run.status("b")["reason"]
    assert "401 Unauthorized: it does not take these credentials" in reason
    assert "nobody knows" not in reason
    monkeypatch.setenv("PACS", "new")
    run.server.answer = Stow(run.stow.held, authorization="Basic bXJvdXRlOm5ldw==")
    run.work(15 * MINUTE)
    assert (run.names("success"), run.stow.held) == (["a", "b"], run.sent)
    assert run.changes() == [True, False]


def test_a_full_disk_at_the_service(run: Run) -> None:
    run.add("a", images=3)
    run.server.answer = lambda request: Reply(507)
    run.work()
    assert "answered 507 Insufficient Storage" in run.status("a")["reason"]
    assert run.changes() == []
    run.server.answer = run.stow
    run.work(15 * MINUTE)
    assert (run.names("success"), run.stow.held) == (["a"], run.sent)
