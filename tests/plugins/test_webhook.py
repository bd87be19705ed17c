from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

import mroute_notification
from mroute.api import ChannelBase, Delivery, DeliveryError, Notice, NoticeEvent
from mroute.testing import hooks_of, make_rule, plan_context
from mroute_notification import NotificationRule
from mroute_notification.settings import NotificationSettings
from mroute_notification.webhook import Webhook, deliver

FAST = {"notification": NotificationSettings(timeout=timedelta(seconds=1))}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine that runs the tests would be asked for loopback otherwise."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@dataclass(slots=True)
class Server:
    """An HTTP server: what it was sent, and what it answers."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    answer: threading.Event = field(default_factory=threading.Event)
    received: list[tuple[str, str | None, str | None, Any]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback that answers at once unless a test clears ``answer``."""
    state = Server()
    state.answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.received.append(
                (self.path, self.headers["Content-Type"], self.headers["X-Token"], body)
            )
            state.answer.wait(30)
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield state
    state.answer.set()
    http.shutdown()
    thread.join()
    http.server_close()


def webhook(**fields: Any) -> Webhook:
    return Webhook.model_validate({"channel": "webhook", **fields})


def planned(*channels: Webhook, event: NoticeEvent = NoticeEvent.RECEIVED) -> list[Delivery]:
    rule = make_rule(NotificationRule, notify=channels)
    notice = Notice(event, "tell-it", rule, "task-1", "2 images")
    return list(hooks_of(mroute_notification).notification(notice, plan_context()))


def body_of(delivery: Delivery) -> Any:
    return json.loads(delivery.body)


def test_each_webhook_of_the_rule_that_wants_the_event_gets_a_message() -> None:
    channels = [
        webhook(url="https://a.example/x", events=["received"]),
        webhook(url="https://b.example/", events=["completed", "error"]),
        webhook(url="https://c.example/", payload={"text": "{{ rule }}"}),
    ]
    received = planned(*channels)
    assert [(each.options["url"], body_of(each)) for each in received] == [
        (
            "https://a.example/x",
            {"event": "received", "rule": "tell-it", "task_id": "task-1", "details": "2 images"},
        ),
        ("https://c.example/", {"text": "tell-it"}),
    ]
    assert {(each.channel, each.rule_name, each.event, each.task_id) for each in received} == {
        ("webhook", "tell-it", NoticeEvent.RECEIVED, "task-1")
    }
    failed = planned(*channels, event=NoticeEvent.ERROR)
    assert [each.options["url"] for each in failed] == ["https://b.example/", "https://c.example/"]


def test_channels_of_other_plugins_are_left_alone() -> None:
    class Bell(ChannelBase):
        channel: str = "bell"

    rule = make_rule(NotificationRule, notify=[Bell()])
    notice = Notice(NoticeEvent.RECEIVED, "tell-it", rule, "task-1")
    assert hooks_of(mroute_notification).notification(notice, plan_context()) == ()


def test_a_message_is_posted_as_json_with_its_headers(server: Server) -> None:
    [delivery] = planned(webhook(url=f"{server.url}/hook?a=1", headers={"X-Token": "secret"}))
    deliver(delivery, {})
    assert server.received == [
        ("/hook?a=1", "application/json", "secret", body_of(delivery)),
    ]


def problem(url: str, settings: Mapping[str, Any] = FAST) -> str:
    [delivery] = planned(webhook(url=url))
    with pytest.raises(DeliveryError) as caught:
        deliver(delivery, settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "400 Bad Request"),
        (404, "404 Not Found"),
        (429, "429 Too Many Requests"),
        (503, "503 Service Unavailable"),
    ],
)
def test_any_answer_but_a_success_is_an_error(server: Server, status: int, said: str) -> None:
    server.status = status
    assert problem(f"{server.url}/hook") == f"'{server.url}' answered {said}"


def test_a_redirection_is_not_followed(server: Server) -> None:
    server.status, server.headers = 307, {"Location": f"{server.url}/elsewhere"}
    assert problem(f"{server.url}/hook") == f"'{server.url}' answered 307 Temporary Redirect"
    assert [path for path, *_ in server.received] == ["/hook"]


def test_a_receiver_that_does_not_answer_in_time_is_an_error(server: Server) -> None:
    server.answer.clear()
    settings = {"notification": NotificationSettings(timeout=timedelta(milliseconds=200))}
    assert problem(server.url, settings) == f"'{server.url}' cannot be reached: timed out"


def test_a_receiver_that_is_not_there_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert problem(url) == f"'{url}' cannot be reached: [Errno 111] Connection refused"


def test_a_message_about_an_error_has_none_of_the_secrets_of_the_url(server: Server) -> None:
    server.status = 500
    secret = server.url.replace("//", "//user:password@") + "/services/token?key=secret"
    assert problem(secret) == f"'{server.url}' answered 500 Internal Server Error"


def test_the_time_to_wait_comes_from_the_settings() -> None:
    assert NotificationSettings().timeout == timedelta(seconds=10)
    assert NotificationSettings.model_validate({"timeout": "3s"}).timeout == timedelta(seconds=3)


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "ftp://a.example/"},
        {"url": "a.example"},
        {"url": "https://a.example/", "headers": {"X-Token": "two\r\nlines"}},
        {"url": "https://a.example/", "payload": "no JSON"},
        {"url": "https://a.example/", "payload": ["a list"]},
        {"url": "https://a.example/", "events": ["sent"]},
    ],
)
def test_a_webhook_that_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        webhook(**fields)
