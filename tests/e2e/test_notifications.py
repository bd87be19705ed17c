"""People and programs are told what happened, whatever fails on the way to them.

Knows sites whose webhooks are a real HTTP server on loopback. Does not know how a message is made
or kept.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mroute.api import RejectedError, Subject, TaskPlan, TriggeredRule, hookimpl
from mroute.service import Service, open_site
from tests.e2e.sites import HEAD, Played, drop, later, plugins_with, run_once, write_rules
from tests.interop.peers import until

SECONDS = 60.0
TAGS = {"StudyInstanceUID": "9.9", "SeriesDescription": "T1", "PatientName": "DOE^JANE"}


@dataclass
class Inbox:
    """What a server was posted: path, id and body of each; what it answers, by path."""

    url: str = ""
    posts: list[tuple[str, str, Any]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    hangs: dict[str, threading.Event] = field(default_factory=dict)
    begun: threading.Event = field(default_factory=threading.Event)

    def events(self) -> Counter[tuple[str, str]]:
        """How often each event of each rule was told."""
        return Counter((body["rule"], body["event"]) for _, _, body in self.posts)


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as inbox:
        yield inbox


@contextmanager
def serving() -> Iterator[Inbox]:
    inbox = Inbox()

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            inbox.posts.append((self.path, self.headers["X-Mroute-Delivery"], body))
            inbox.begun.set()
            if hang := inbox.hangs.get(self.path):
                hang.wait(SECONDS)
            self.send_response(inbox.answers.get(self.path, 204))
            self.send_header("Location", f"{inbox.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the sender was killed
                self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Receive) as server:
        inbox.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield inbox
        finally:
            for hang in inbox.hangs.values():
                hang.set()
            server.shutdown()
            thread.join()


def rules(inbox: Inbox, *, head: str = HEAD, settings: str = "", **rules: str) -> str:
    told = f'notify: [{{channel: webhook, url: "{inbox.url}/all"}}]'
    lines = "".join(
        f"  {name.replace('_', '-')}: {{when: 'True', {text.replace('TOLD', told)}}}\n"
        for name, text in rules.items()
    )
    return f"{head}{settings}rules:\n{lines}"


SEND = "action: route, targets: [pacs], TOLD"
STUDY = "on: study, study: {complete: timeout}"
FAILING = HEAD.replace("silent: {type: dummy}", "broken: {type: dummy, fail: no}").replace(
    "study_complete_after: 0s", "study_complete_after: 0s, retry_max: 0"
)
MODULES = "modules: {fails: {runner: command, command: ['false']}}\n"


@pytest.mark.parametrize(
    ("rule", "events"),
    [
        (SEND, ["received", "completed"]),
        ("action: route, targets: [pacs, archive], TOLD", ["received", "completed", "completed"]),
        ("action: route, targets: [broken], TOLD", ["received", "error"]),
        ("action: process, modules: [fails], TOLD", ["received", "error"]),
        ("action: notification, TOLD", ["received", "completed"]),
        ("action: discard, TOLD", ["received", "completed"]),
        (f"{STUDY}, {SEND}", ["received", "completed"]),
        (f"{STUDY}, action: route, targets: [broken], TOLD", ["received", "error"]),
        (f"{STUDY}, action: notification, TOLD", ["received", "completed"]),
    ],
)
def test_every_event_of_a_rule_is_told(
    tmp_path: Path, inbox: Inbox, rule: str, events: Sequence[str]
) -> None:
    drop(tmp_path, "1.1", **TAGS)
    run_once(tmp_path, rules(inbox, head=FAILING + MODULES, r=rule))
    assert inbox.events() == Counter(("r", event) for event in events)
    tasks = {task.parent.name for task in (tmp_path / "spool").glob("*/*/task.json")}
    assert {body["task_id"] for _, _, body in inbox.posts} <= tasks
    assert list((tmp_path / "spool" / "outbox").iterdir()) == []


class Refusing:
    """A plugin that cannot plan a series."""

    @hookimpl
    def mroute_dispatch(self, subject: Subject, rules: Sequence[TriggeredRule]) -> list[TaskPlan]:
        raise RejectedError(f"no room for '{subject.tags.get('PatientName')}'")


def test_a_series_that_cannot_be_planned_is_told_as_an_error_of_its_rules(
    tmp_path: Path, inbox: Inbox
) -> None:
    drop(tmp_path, "1.1", **TAGS)
    played = run_once(tmp_path, rules(inbox, a=SEND, b=SEND), refusing=Refusing())
    assert played.reasons() == ["no room for 'DOE^JANE'"]
    assert inbox.events() == Counter([("a", "error"), ("b", "error")])
    (letter,) = (tmp_path / "spool" / "error").iterdir()
    said = {body["details"] for _, _, body in inbox.posts}
    assert said == {f"'reason.json' in 'error/{letter.name}' says why"}


@pytest.mark.parametrize("damage", ["{", '{"id": "x"}'])
def test_a_study_that_is_damaged_is_told_as_an_error_of_its_rule(
    tmp_path: Path, inbox: Inbox, damage: str
) -> None:
    head = HEAD.replace("study_complete_after: 0s", "study_complete_after: 1h")
    drop(tmp_path, "1.1", **TAGS)
    run_once(tmp_path, rules(inbox, head=head, r=f"{STUDY}, {SEND}"))
    (study,) = (tmp_path / "spool" / "studies").glob("*/task.json")
    study.write_text(damage)
    run_once(tmp_path)
    assert inbox.events() == Counter([("r", "error")])


def test_a_task_that_fails_again_is_told_again_as_another_message(
    tmp_path: Path, inbox: Inbox
) -> None:
    from click.testing import CliRunner

    from mroute.cli import main

    drop(tmp_path, "1.1", **TAGS)
    run_once(tmp_path, rules(inbox, head=FAILING, r="action: route, targets: [broken], TOLD"))
    command = ["spool", "retry", "-c", str(tmp_path / "mroute.yaml"), "--all-dead"]
    assert CliRunner().invoke(main, command).exit_code == 0
    run_once(tmp_path)
    assert inbox.events()["r", "error"] == 2
    assert len({id_ for _, id_, body in inbox.posts if body["event"] == "error"}) == 2


def test_a_webhook_that_is_down_for_a_day_gets_everything_once(
    tmp_path: Path, inbox: Inbox
) -> None:
    inbox.answers["/all"] = 503
    for number in range(3):
        drop(tmp_path, f"1.{number}", **TAGS)
    file = write_rules(tmp_path, rules(inbox, r=SEND))
    hooks, registry = plugins_with()
    now = [datetime.now(UTC) + timedelta(seconds=5)]
    with open_site(file, hooks, registry, lambda: now[0]) as site:
        service = Service(site)
        parts = service.parts.steps()
        parts["router"]()
        while parts["queue outgoing"]():
            pass
        assert set(Played(tmp_path).images("pacs")) == {"1.0#0", "1.1#0", "1.2#0"}
        for _ in range(23 * 4):
            parts["notices"]()
            now[0] += timedelta(minutes=15)
        assert len(inbox.posts) < 200
        assert len(list((tmp_path / "spool" / "outbox").iterdir())) == 6
        inbox.posts.clear()
        inbox.answers.clear()
        for _ in range(3):
            parts["notices"]()
            now[0] += timedelta(minutes=15)
    assert inbox.events() == Counter({("r", "received"): 3, ("r", "completed"): 3})
    assert len({id_ for _, id_, _ in inbox.posts}) == 6
    assert list((tmp_path / "spool" / "outbox").iterdir()) == []


def test_a_webhook_that_hangs_delays_no_image_and_nobody_else(tmp_path: Path, inbox: Inbox) -> None:
    inbox.hangs["/all"] = threading.Event()
    told = f'notify: [{{channel: webhook, url: "{inbox.url}/other", events: [completed]}}]'
    text = rules(inbox, hangs=SEND, fine=f"action: route, targets: [archive], {told}")
    file = write_rules(tmp_path, text + "settings: {notification: {timeout: 50s}}\n")
    drop(tmp_path, "1.1", **TAGS)
    hooks, registry = plugins_with()
    stop = threading.Event()
    with open_site(file, hooks, registry, later) as site:
        thread = threading.Thread(target=Service(site, stop).run)
        thread.start()
        try:
            until(lambda: any(path == "/other" for path, _, _ in inbox.posts), "the other message")
            assert [path for path, _, _ in inbox.posts].count("/all") == 1
            assert set(Played(tmp_path).images("pacs")) == {"1.1#0"}
        finally:
            inbox.hangs["/all"].set()
            stop.set()
            thread.join(SECONDS)
    assert not thread.is_alive()


def test_a_redirection_shows_the_message_to_nobody_else(tmp_path: Path, inbox: Inbox) -> None:
    inbox.answers["/all"] = 307
    drop(tmp_path, "1.1", **TAGS)
    run_once(tmp_path, rules(inbox, r=SEND))
    assert {path for path, _, _ in inbox.posts} == {"/all"}
    assert len(list((tmp_path / "spool" / "outbox").iterdir())) == 2


def test_a_message_that_was_being_sent_when_mroute_was_killed_is_sent_again(
    tmp_path: Path, inbox: Inbox
) -> None:
    inbox.hangs["/all"] = threading.Event()
    drop(tmp_path, "1.1", **TAGS)
    write_rules(tmp_path, rules(inbox, r="action: notification, TOLD"))
    command = [sys.executable, "-c", "from mroute.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "run", "--once", "-c", str(tmp_path / "mroute.yaml")],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    try:
        # The series is complete when nothing came for 0 s, which it is when the run begins.
        assert inbox.begun.wait(SECONDS)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    inbox.hangs.pop("/all").set()
    run_once(tmp_path)
    ids = Counter(id_ for _, id_, _ in inbox.posts)
    assert sorted(ids.values()) == [1, 2]
    assert inbox.events() == Counter({("r", "received"): 2, ("r", "completed"): 1}) or (
        inbox.events() == Counter({("r", "received"): 1, ("r", "completed"): 2})
    )


def test_what_is_secret_is_nowhere_in_the_spool_or_the_log(
    tmp_path: Path,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CHAT_URL", f"{inbox.url}/s3cret")
    (tmp_path / "token").write_text("t0ken")
    notify = "notify: [{channel: webhook, url: {env: CHAT_URL}, headers: {X: {file: token}}}]"
    inbox.answers["/s3cret"] = 500
    for number in range(2):
        drop(tmp_path, f"1.{number}", **TAGS)
    text = rules(inbox, head=FAILING, r=f"action: route, targets: [broken], {notify}")
    text += f"  s: {{when: 'True', {STUDY}, action: route, targets: [pacs], {notify}}}\n"
    played = run_once(tmp_path, text)
    assert {path for path, _, _ in inbox.posts} == {"/s3cret"}
    now = later() + timedelta(hours=25)
    with open_site(tmp_path / "mroute.yaml", *plugins_with(), lambda: now) as site:
        Service(site).run_once()
    assert any("given up after" in reason for reason in played.reasons())
    kept = [path.read_text("latin-1") for path in (tmp_path / "spool").rglob("*") if path.is_file()]
    assert any("CHAT_URL" in each for each in kept)
    for text in (*kept, capfd.readouterr().err, str(played.events)):
        assert "s3cret" not in text
        assert "t0ken" not in text
