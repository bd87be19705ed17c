"""An object store that does what a test tells it to.

Knows HTTP, and no more of S3 than a test needs. Does not know mroute.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

from tests.interop.peers import HOST

Answer = tuple[int, str]
"""Status and code."""


@dataclass(slots=True)
class ScriptedStore:
    """Keeps content and SHA-256 of each object by its path.

    ``refuse(method, headers)`` answers instead, where it returns something. ``tag`` makes the ETag
    of content, ``keep`` is what is kept of content.
    """

    port: int = 0
    refuse: Callable[[str, dict[str, str]], Answer | None] = lambda method, headers: None
    tag: Callable[[bytes], str] = lambda content: hashlib.md5(content).hexdigest()  # noqa: S324
    keep: Callable[[bytes], bytes] = lambda content: content
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    def __init__(self, store: ScriptedStore) -> None:
        super().__init__((HOST, 0), _Handler)
        self.store = store
        store.port = self.server_port


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_HEAD(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        store = self.server.store
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        store.asked.append(self.command)
        headers = {key.lower(): value for key, value in self.headers.items()}
        refused = store.refuse(self.command, headers)
        if refused is not None:
            self._answer(refused[0], f"<Error><Code>{refused[1]}</Code></Error>".encode())
            return
        if self.command == "PUT":
            store.objects[self.path] = (store.keep(body), headers.get("x-amz-meta-sha256", ""))
        if self.path not in store.objects:
            self._answer(404)
            return
        content, digest = store.objects[self.path]
        said = {"ETag": f'"{store.tag(content)}"', "x-amz-meta-sha256": digest}
        self._answer(200, content if self.command == "HEAD" else b"", said)

    def _answer(
        self, status: int, body: bytes = b"", said: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Wed, 25 Nov 2026 12:00:00 GMT")
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """What was asked is in ``asked``."""


@contextmanager
def scripted_store() -> Iterator[ScriptedStore]:
    """Listen on a free port of loopback until the context ends."""
    store = ScriptedStore()
    with _Server(store) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield store
        finally:
            server.shutdown()
            serving.join()
