"""A server over HTTP that does what a test tells it to, request by request.

Knows HTTP, and STOW-RS from the side of the service. Does not know mroute.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydicom import dcmread


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class WebServer:
    """The server: ``requests`` are those that came whole, ``answer`` answers each.

    ``early`` is given the connection before the body is read, and may end the matter there by
    returning true. ``released`` is set in the end: what hangs waits for it.
    """

    url: str = ""
    answer: Callable[[Request], Reply] = lambda request: Reply()
    early: Callable[[BaseHTTPRequestHandler], bool] = lambda connection: False
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> str:
        return f"'{self.url.partition('//')[2]}'"

    def paths(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.requests]


class _Connection(BaseHTTPRequestHandler):
    """Serves one connection as ``state`` says."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    state: WebServer

    def setup(self) -> None:
        super().setup()
        self.state.connections += 1

    def serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if self.state.early(self) or len(body := self.rfile.read(length)) < length:
            self.close_connection = True
            return
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(self.command, url.path, query, self.headers, body)
        self.state.requests.append(request)
        reply = self.state.answer(request)
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_DELETE = serve  # noqa: N815

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        with suppress(OSError):  # whoever asked has gone
            super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@contextmanager
def web_server(context: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Listen on a free port of loopback until the context ends."""
    state = WebServer()
    http = _Server(("127.0.0.1", 0), type("Connection", (_Connection,), {"state": state}))
    if context is not None:
        http.socket = context.wrap_socket(http.socket, server_side=True)
    state.url = f"{'https' if context else 'http'}://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        state.released.set()
        http.shutdown()
        thread.join()
        http.server_close()


def hang(server: WebServer) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Read nothing and answer nothing, until the end of the test."""
    return lambda connection: server.released.wait(30)


def cut(connection: BaseHTTPRequestHandler) -> bool:
    """Break the connection in the middle of what is sent."""
    connection.rfile.read(100)
    connection.connection.close()
    return True


def raw(answer: bytes) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Answer with these bytes, whatever they are."""

    def write(connection: BaseHTTPRequestHandler) -> bool:
        connection.rfile.read(int(connection.headers.get("Content-Length", 0)))
        connection.wfile.write(answer)
        return True

    return write


def parts(request: Request) -> list[bytes]:
    """The parts of a ``multipart/related`` body, as a strict reader finds them."""
    kind = request.headers.get_content_type()
    assert kind == "multipart/related", kind
    assert request.headers.get_param("type") == "application/dicom"
    boundary = request.headers.get_param("boundary")
    assert isinstance(boundary, str)
    head, *found, end = (b"\r\n" + request.body).split(b"\r\n--" + boundary.encode())
    assert head == b""
    assert end == b"--\r\n"
    contents = []
    for part in found:
        header, _, content = part.partition(b"\r\n\r\n")
        assert header == b"\r\nContent-Type: application/dicom"
        contents.append(content)
    return contents


def uid_of(content: bytes) -> str:
    """The SOPInstanceUID of a file."""
    return str(dcmread(BytesIO(content), stop_before_pixels=True, force=True).SOPInstanceUID)


def results(
    stored: Mapping[str, int | None], failed: Mapping[str, int | None] | None = None
) -> bytes:
    """The answer of STOW-RS about instances by their UIDs, with the reasons of each."""
    content = {
        "00081199": _sequence(stored, "00081196"),
        "00081198": _sequence(failed or {}, "00081197"),
    }
    return json.dumps(content).encode()


def _sequence(reasons: Mapping[str, int | None], tag: str) -> dict[str, Any]:
    items = []
    for uid, reason in reasons.items():
        item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [uid]}}
        if reason is not None:
            item[tag] = {"vr": "US", "Value": [reason]}
        items.append(item)
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


@dataclass(slots=True)
class Stow:
    """A DICOMweb service that stores what it gets in ``held``, but for what ``fails``."""

    held: dict[str, bytes] = field(default_factory=dict)
    fails: Callable[[str], int | None] = lambda uid: None
    authorization: str = ""

    def __call__(self, request: Request) -> Reply:
        if self.authorization and request.headers["Authorization"] != self.authorization:
            return Reply(401)
        if request.method == "GET":
            return Reply(204)
        stored: dict[str, int | None] = {}
        failed: dict[str, int | None] = {}
        for content in parts(request):
            uid = uid_of(content)
            reason = self.fails(uid)
            if reason is None:
                self.held[uid] = content
                stored[uid] = None
            else:
                failed[uid] = reason
        status = 200 if not failed else 202 if stored else 409
        return Reply(status, results(stored, failed), {"Content-Type": "application/dicom+json"})
