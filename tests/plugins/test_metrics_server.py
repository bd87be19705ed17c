"""Who may ask for what, and that nobody keeps another from being answered.

Knows sockets and what may be said on them. Does not know metrics.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from mroute_metrics import server as module
from mroute_metrics.server import MetricsServer
from tests.interop.peers import HOST, until

BODY = b"a_total 1\n"


@dataclass
class Served:
    """A server that runs, and the troubles that it told."""

    server: MetricsServer
    troubles: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def ask(self, method: str = "GET", path: str = "/metrics") -> tuple[int, bytes, str | None]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request(method, path, headers={"Accept": "text/plain"})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Allow")
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), 30)


@contextmanager
def serving(page: Callable[[str], tuple[bytes, str]]) -> Iterator[Served]:
    """A server on a free port, until the end of the block; no thread of it is left then."""
    before = set(threading.enumerate())
    troubles, stop = list[str](), threading.Event()
    with MetricsServer(HOST, 0, page, troubles.append) as server:
        thread = threading.Thread(target=server.serve_until, args=(stop,))
        thread.start()
        try:
            yield Served(server, troubles)
        finally:
            stop.set()
            thread.join()
    assert set(threading.enumerate()) == before


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(lambda accept: (BODY, accept)) as running:
        yield running


@pytest.mark.parametrize("path", ["/metrics", "/metrics?name=x", "/metrics?"])
def test_the_metrics_are_given_to_whoever_asks(served: Served, path: str) -> None:
    assert served.ask(path=path) == (200, BODY, None)


def test_the_format_that_is_asked_for_is_answered(served: Served) -> None:
    connection = http.client.HTTPConnection(HOST, served.port, timeout=30)
    connection.request("GET", "/metrics", headers={"Accept": "text/x"})
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/x"
    assert answer.getheader("Server", "").strip() == "mroute"
    answer.read()
    connection.close()


def test_the_first_page_leads_to_them(served: Served) -> None:
    status, body, _ = served.ask(path="/")
    assert status == 200
    assert b'href="/metrics"' in body


@pytest.mark.parametrize("path", ["/metrics/", "/metric", "/../etc/passwd", "*"])
def test_nothing_else_is_there(served: Served, path: str) -> None:
    assert served.ask(path=path) == (404, b"404 Not Found\n", None)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_else_can_be_done(served: Served, method: str) -> None:
    assert served.ask(method) == (405, b"405 Method Not Allowed\n", "GET")


def test_a_head_has_no_body(served: Served) -> None:
    assert served.ask("HEAD") == (405, b"", "GET")


@pytest.mark.parametrize(
    "said",
    [
        b"MARKED^NAME\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"MARKED / HTTP/1.1\r\n\r\n",
        b"GET /" + 70_000 * b"x" + b" HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n" + 200 * b"x: y\r\n" + b"\r\n",
        bytes(range(256)) + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n",
        b"",
    ],
)
def test_garbage_is_refused_and_not_repeated(served: Served, said: bytes) -> None:
    with served.connect() as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while got := connection.recv(65_536):
                answer += got
        except ConnectionResetError:  # it was answered before all of it was read
            pass
    assert BODY not in answer
    assert b"MARKED" not in answer
    assert served.ask() == (200, BODY, None)
    assert served.troubles == []


def test_those_who_say_nothing_keep_nobody_from_being_answered(served: Served) -> None:
    with ExitStack() as silent:
        idle = [silent.enter_context(served.connect()) for _ in range(3 * module.MOST)]
        for each in idle[::2]:
            each.sendall(b"GET /metr")
        for _ in range(3):
            assert served.ask() == (200, BODY, None)
        assert idle[0].recv(1) == b""  # the oldest had to go
        assert len(served.server._since) <= module.MOST + 1


def test_a_connection_has_a_deadline_however_busy_it_is(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    with served.connect() as slow:
        slow.settimeout(0.05)
        began = time.monotonic()

        def is_ended() -> bool:
            try:
                slow.sendall(b"x")
                return slow.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        until(is_ended, "the end of a slow connection")
        assert time.monotonic() - began < module._Answering.timeout


def test_one_who_does_not_read_is_left_alone() -> None:
    body = bytes(50_000_000)
    with serving(lambda accept: (body, "text/plain")) as served, served.connect() as deaf:
        deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        until(lambda: served.server._since, "the connection")
        status, got, _ = served.ask()
        assert (status, len(got)) == (200, len(body))


def test_a_page_that_fails_is_told_and_the_next_one_is_made() -> None:
    pages: list[Exception | None] = [ValueError("no room"), None]

    def page(accept: str) -> tuple[bytes, str]:
        error = pages.pop(0)
        if error:
            raise error
        return BODY, accept

    with serving(page) as served:
        with pytest.raises(http.client.HTTPException):
            served.ask()
        assert served.ask() == (200, BODY, None)
        assert served.troubles == ["a request was not answered: ValueError: no room"]


def test_a_connection_that_cannot_be_taken_is_taken_later(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    def accept(sock: socket.socket) -> tuple[socket.socket, object]:
        monkeypatch.undo()
        refused.append(1)
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket.socket, "accept", accept)
    assert served.ask() == (200, BODY, None)
    assert refused == [1]


def test_a_thread_that_cannot_be_begun_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        monkeypatch.undo()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises((http.client.HTTPException, OSError)):
        served.ask()
    assert served.ask() == (200, BODY, None)
    assert served.troubles == ["a request was not answered: RuntimeError: can't start new thread"]


def test_it_ends_with_whatever_is_open() -> None:
    with serving(lambda accept: (BODY, accept)) as served:
        idle = served.connect()
        until(lambda: served.server._since, "the connection")
        began = time.monotonic()
    assert time.monotonic() - began < module.PATIENCE / 2
    with idle:
        assert idle.recv(1) == b""


def test_it_listens_on_the_address_that_it_is_given() -> None:
    page = (b"", "")
    with MetricsServer("::1", 0, lambda accept: page, print) as server:
        assert server.server_address[0] == "::1"
    with MetricsServer(HOST, 0, lambda accept: page, print) as server, pytest.raises(OSError):  # noqa: PT011
        MetricsServer(HOST, server.server_address[1], lambda accept: page, print)
