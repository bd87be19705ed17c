"""A man in the middle on loopback: passes bytes on, cuts connections, or answers 503 himself.

Knows TCP, and where a request of HTTP ends. Does not know what is said.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.interop.peers import HOST

_WITHIN = 30.0
_PIECE = 1 << 14


@dataclass(slots=True)
class Middleman:
    """Stands before the server on ``server``; what it does may be changed at any time.

    ``cut_after``: each connection breaks after so many bytes for the server. ``answer``: this is
    answered to every request, and the server is not asked. ``passed`` are the bytes that the server
    got, ``asked`` the first lines of requests that it answered itself.
    """

    server: int
    port: int = 0
    cut_after: int | None = None
    answer: bytes = b""
    passed: int = 0
    connections: int = 0
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


def http_answer(status: int, code: str = "", reason: str = "Said") -> bytes:
    """An answer of an object store with a code."""
    body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@contextmanager
def middleman(server: int) -> Iterator[Middleman]:
    """Listen on a free port of loopback until the context ends."""
    man = Middleman(server)
    with socket.create_server((HOST, 0)) as listener:
        man.port = listener.getsockname()[1]
        accepting = threading.Thread(target=_accept, args=(listener, man))
        accepting.start()
        try:
            yield man
        finally:
            man.over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, man: Middleman) -> None:
    threads: list[threading.Thread] = []
    with suppress(OSError):
        while True:
            sock, _ = listener.accept()
            man.connections += 1
            serve = _answer if man.answer else _pass_on
            threads.append(threading.Thread(target=serve, args=(sock, man)))
            threads[-1].start()
    for each in threads:
        each.join(_WITHIN)


def _answer(client: socket.socket, man: Middleman) -> None:
    with client, suppress(OSError):
        client.settimeout(_WITHIN)
        request = b""
        while b"\r\n\r\n" not in request:
            piece = client.recv(_PIECE)
            if not piece:
                return
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        man.asked.append(head.split(b"\r\n")[0].decode())
        length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
        missing = (int(length[1]) if length else 0) - len(body)
        while missing > 0:
            missing -= len(client.recv(_PIECE)) or missing
        client.sendall(man.answer)


def _pass_on(client: socket.socket, man: Middleman) -> None:
    with client, socket.create_connection((HOST, man.server)) as server:
        back = threading.Thread(target=_pump, args=(server, client, man))
        back.start()
        _pump(client, server, man, man.cut_after, counts=True)
        for sock in (client, server):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        back.join()


def _pump(
    source: socket.socket,
    sink: socket.socket,
    man: Middleman,
    cut_after: int | None = None,
    *,
    counts: bool = False,
) -> None:
    passed = 0
    source.settimeout(0.2)
    with suppress(OSError):
        while not man.over.is_set() and (cut_after is None or passed < cut_after):
            try:
                piece = source.recv(_PIECE)
            except TimeoutError:
                continue
            if not piece:
                break
            piece = piece if cut_after is None else piece[: cut_after - passed]
            passed += len(piece)
            man.passed += len(piece) if counts else 0
            sink.sendall(piece)
    if not counts:  # the server has said its last: so does the connection
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
