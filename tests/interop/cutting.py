"""A way through to a server on loopback that is cut after so many bytes.

Knows bytes and how many went towards the server. Does not know what they say.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.interop.peers import HOST

_AT_ONCE = 16_384
_RESET = struct.pack("ii", 1, 0)
"""The option of a socket whose end is a reset: what is on its way is lost."""


@dataclass(slots=True)
class Way:
    """Leads to a server from ``port``; each connection is cut ``after`` that many bytes, if at all.

    ``passed`` is how many bytes of the last connection have gone to the server.
    """

    port: int = 0
    after: int | None = None
    passed: int = 0

    def carry(self, client: socket.socket, server: socket.socket) -> None:
        """Pass bytes on in both directions until one end closes, or the way is cut."""
        self.passed = 0
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, server, suppress(OSError):
            while True:
                for source in select.select([client, server], [], [])[0]:
                    content = source.recv(_AT_ONCE)
                    if source is client and self.after is not None:
                        content = content[: self.after - self.passed]
                        if not content:
                            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    if not content:
                        return
                    self.passed += len(content) if source is client else 0
                    (server if source is client else client).sendall(content)


@contextmanager
def way_to(port: int) -> Iterator[Way]:
    """A way to a server that is there until the context ends."""
    way, threads = Way(), []
    with socket.create_server((HOST, 0)) as listener:
        way.port = listener.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.create_connection((HOST, port))
                    threads.append(threading.Thread(target=way.carry, args=(client, server)))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield way
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()
