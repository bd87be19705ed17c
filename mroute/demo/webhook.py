"""The webhook of the demonstration: an HTTP server on loopback that keeps what it is told.

Knows what it received. Does not know who sends it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Inbox:
    """The address of the server, and the JSON bodies that were posted to it, in order."""

    url: str = ""
    messages: list[Any] = field(default_factory=list)


@contextmanager
def serve_webhook() -> Iterator[Inbox]:
    """Serve on a free port of 127.0.0.1 until the context ends."""
    inbox = Inbox()

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.messages.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing: the demonstration shows what was received."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receive)
    inbox.url = f"http://127.0.0.1:{server.server_port}/notify"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
