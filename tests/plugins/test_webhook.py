from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import mroute_notification
from mroute.api import ChannelBase, Delivery, DeliveryError, Notice, NoticeEvent
from mroute.spool.manifest import delivery_content
from mroute.testing import hooks_of, make_rule, plan_context
from mroute_notification import NotificationRule
from mroute_notification.posting import deliver
from mroute_notification.settings import NotificationSettings
from mroute_notification.webhook import Webhook

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
    gone: threading.Event = field(default_factory=threading.Event)
    drip: bool = False
    """Whether the answer comes byte by byte, for ever."""
    received: list[tuple[str, str | None, str | None, Any]] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)


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
            state.ids.append(self.headers["X-Mroute-Delivery"])
            state.logins.append(self.headers["Authorization"])
            while state.drip and not state.gone.wait(0.05):
                self.wfile.write(b"H")
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
    state.gone.set()
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


@pytest.mark.parametrize("drip", [False, True])
def test_a_receiver_that_does_not_answer_in_time_is_an_error(server: Server, drip: bool) -> None:
    server.answer.clear()
    server.drip = drip
    settings = {"notification": NotificationSettings(timeout=timedelta(milliseconds=200))}
    begun = time.monotonic()
    assert problem(server.url, settings) == f"'{server.url}' did not answer within 0.2 s"
    assert time.monotonic() - begun < 10


def test_a_receiver_that_is_not_there_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert problem(url) == f"'{url}' cannot be reached: All connection attempts failed"


def test_a_message_about_an_error_has_none_of_the_secrets_of_the_url(server: Server) -> None:
    server.status = 500
    secret = f"{server.url}/services/token?key=secret"
    assert problem(secret) == f"'{server.url}' answered 500 Internal Server Error"


def test_what_a_receiver_calls_its_status_is_not_repeated(server: Server) -> None:
    server.status = 599
    assert problem(server.url) == f"'{server.url}' answered 599"


def test_each_attempt_has_the_same_id(server: Server) -> None:
    [delivery] = planned(webhook(url=server.url))
    for _ in range(2):
        deliver(replace(delivery, id="d-1"), {})
    assert server.ids == ["d-1", "d-1"]


def test_secrets_are_named_in_a_delivery_and_read_when_it_is_sent(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / "token"
    file.write_text("t0ken\n")
    monkeypatch.setenv("CHAT_URL", f"{server.url}/s3cret?key=k3y\n")
    channel = webhook(url={"env": "CHAT_URL"}, headers={"X-Token": {"file": file}, "X-B": "b"})
    [delivery] = planned(channel)
    assert delivery.options == {
        "url": {"env": "CHAT_URL"},
        "headers": {"X-Token": {"file": str(file)}, "X-B": "b"},
    }
    kept = json.dumps(delivery_content(delivery, datetime.now(UTC)))
    with caplog.at_level(logging.DEBUG):
        deliver(delivery, {})
    assert [(path, token) for path, _, token, _ in server.received] == [
        ("/s3cret?key=k3y", "t0ken")
    ]
    for secret in ("s3cret", "k3y", "t0ken"):
        assert secret not in kept + caplog.text + repr(delivery)
    server.status = 404
    with pytest.raises(DeliveryError) as caught:
        deliver(delivery, {})
    assert str(caught.value) == "the URL in 'CHAT_URL' (env) answered 404 Not Found"


def test_a_login_may_be_in_a_secret_url(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_URL", server.url.replace("//", "//me:s3cret@"))
    [delivery] = planned(webhook(url={"env": "CHAT_URL"}))
    deliver(delivery, {})
    assert server.logins == [f"Basic {base64.b64encode(b'me:s3cret').decode()}"]


@pytest.mark.parametrize(
    ("url", "header", "said"),
    [
        (None, "x", "the variable 'CHAT_URL', which should hold a secret, is not set or empty"),
        ("s3cret", "x", "the URL in 'CHAT_URL' (env) is no URL of http or https"),
        ("http://s3cret:99999/", "x", "the URL in 'CHAT_URL' (env) is no URL of http or https"),
        ("http://127.0.0.1:9/s3cret", None, "the variable 'CHAT_TOKEN', which should hold a "),
        (
            "http://127.0.0.1:9/",
            "s3cret\r\nX-Injected: 1",
            "the secret for the header 'X-Token' has characters that none may have",
        ),
        ("http://127.0.0.1:9/s3cret", "s3cret", "the URL in 'CHAT_URL' (env) cannot be reached: "),
    ],
)
def test_a_secret_that_cannot_be_used_is_tried_again_and_not_told(
    url: str | None, header: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CHAT_URL", url), ("CHAT_TOKEN", header)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    [delivery] = planned(
        webhook(url={"env": "CHAT_URL"}, headers={"X-Token": {"env": "CHAT_TOKEN"}})
    )
    with pytest.raises(DeliveryError) as caught:
        deliver(delivery, FAST)
    assert str(caught.value).startswith(said)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in str(error)
        error = error.__cause__


def test_messages_to_one_url_wait_together() -> None:
    one, same, other, secret = planned(
        webhook(url="https://a.example/x", payload={"a": "b"}),
        webhook(url="https://a.example/x"),
        webhook(url="https://a.example/y"),
        webhook(url={"env": "CHAT_URL"}),
    )
    assert one.destination == same.destination
    assert len({one.destination, other.destination, secret.destination}) == 3


def test_a_preset_is_the_payload_of_a_chat() -> None:
    [delivery] = planned(webhook(url="https://a.example/", preset="webex"))
    assert body_of(delivery) == {"text": "tell-it: received\n2 images\ntask task-1"}


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
        {"url": "https://me:s3cret@a.example/"},
        {"url": "https://s3cret@a.example/"},
        {"url": {"env": "A", "file": "b"}},
        {"url": "https://a.example/", "headers": {"X Token": "a"}},
        {"url": "https://a.example/", "headers": {"X-Token\r\nX-B": "a"}},
        {"url": "https://a.example/", "preset": "irc"},
        {"url": "https://a.example/", "preset": "slack", "payload": {"text": "a"}},
    ],
)
def test_a_webhook_that_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        webhook(**fields)
    assert all("s3cret" not in each["msg"] for each in caught.value.errors())
