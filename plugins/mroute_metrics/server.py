"""Answers ``GET /metrics`` over HTTP, whoever else connects and whatever they say.

Knows that a connection has a thread and a deadline, and that the oldest goes where there are too
many. Does not know metrics.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

PATH = "/metrics"

Page: TypeAlias = Callable[[str], tuple[bytes, str]]
"""Makes the page for an ``Accept`` header: its bytes, and their ``Content-Type``."""

PATIENCE = 10.0
"""Seconds after which a connection is closed, whatever it is at."""

MOST = 32
"""Connections at once."""

_GLANCE = 0.2
_TEXT = "text/plain; charset=utf-8"
_INDEX = f'<!doctype html><title>mroute</title><p><a href="{PATH}">Metrics</a> of mroute\n'.encode()
_REFUSED = ("HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


class _Answering(BaseHTTPRequestHandler):
    """Answers one request."""

    server: MetricsServer
    server_version, sys_version = "mroute", ""
    error_message_format, error_content_type = "%(code)d %(message)s\n", _TEXT
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Answer the two paths that there are."""
        path = self.path.partition("?")[0]
        if path == PATH:
            self._answer(HTTPStatus.OK, *self.server.page(self.headers.get("Accept", "")))
        elif path == "/":
            self._answer(HTTPStatus.OK, _INDEX, "text/html; charset=utf-8")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def refuse(self) -> None:
        """Answer a method that there is, but not here."""
        said = HTTPStatus.METHOD_NOT_ALLOWED
        self._answer(said, f"{said} {said.phrase}\n".encode(), _TEXT, Allow="GET")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what cannot be answered, without a word of what was asked."""
        super().send_error(code)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Leave requests out of the log of mroute."""


for _method in _REFUSED:
    setattr(_Answering, f"do_{_method}", _Answering.refuse)


class MetricsServer(ThreadingHTTPServer):
    """Serves a page until it is closed; ``trouble`` is told what should not have happened.

    Raises `OSError` where the address cannot be had.
    """

    daemon_threads = False  # they are waited for when it is closed
    timeout = _GLANCE
    request_queue_size = 128  # with the usual 5, whoever comes next is dropped, and waits a second

    def __init__(self, bind: str, port: int, page: Page, trouble: Callable[[str], None]) -> None:
        self.page, self._trouble = page, trouble
        self._changing = threading.Lock()
        self._since: dict[socket.socket, float] = {}
        self.address_family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        super().__init__((bind, port), _Answering)

    def serve_until(self, stop: threading.Event) -> None:
        """Answer until ``stop`` is set; then end what is being answered."""
        while not stop.is_set():
            self.handle_request()
            self._end(older_than=PATIENCE, most=MOST)
        self._end(older_than=0.0, most=0)

    def server_bind(self) -> None:
        """Bind, without asking a name server what the address is called, which may take minutes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection; after one that could not be taken, not at once again."""
        try:
            return super().get_request()
        except OSError:  # out of descriptors, say
            time.sleep(_GLANCE)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own."""
        with self._changing:
            self._since[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._changing:
            self._since.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are gone or slow."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self._trouble(f"a request was not answered: {type(error).__name__}: {error}")

    def _end(self, older_than: float, most: int) -> None:
        """End the connections that are too old, and the oldest ones where there are too many."""
        with self._changing:
            old = time.monotonic() - older_than
            too_many = len(self._since) - most
            for number, (connection, since) in enumerate(self._since.items()):
                if number < too_many or since < old:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)  # its thread sees the end, and closes
