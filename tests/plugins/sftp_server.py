"""An SFTP server in a thread of the test, for what OpenSSH cannot be told to do.

Knows passwords, and refuses what it is told to. Does not know mroute.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

HOST = "127.0.0.1"
USER, PASSWORD = "mroute", "open sesame"


@dataclass
class Server:
    """The server: ``root`` is its file system, ``asked`` are the requests in their order.

    ``refuse(request, path)`` is called before each request, and raises what it is answered with.
    There is no answer to the requests that are ``ignored`` until it ends.
    """

    root: Path
    port: int = 0
    host_key: str = ""
    asked: list[str] = field(default_factory=list)
    refuse: Callable[[str, str], None] = field(default=lambda request, path: None)
    ignored: frozenset[str] = frozenset()
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    end: asyncio.Event = field(default_factory=asyncio.Event)


@contextmanager
def sftp_server(root: Path) -> Iterator[Server]:
    """A server on loopback that lets `USER` in by `PASSWORD`."""
    root.mkdir()
    server, ready = Server(root), threading.Event()
    loop = asyncio.new_event_loop()
    serving = _serve(server, ready)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        assert ready.wait(30)
        yield server
    finally:
        loop.call_soon_threadsafe(server.end.set)
        thread.join()
        loop.close()


async def _serve(server: Server, ready: threading.Event) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server.host_key = key.export_public_key().decode().strip()
    listener = await asyncssh.listen(
        HOST,
        0,
        server_factory=lambda: _Login(server),
        server_host_keys=[key],
        sftp_factory=lambda channel: _Files(channel, server),
        gss_host=None,
    )
    server.port = listener.get_port()
    ready.set()
    await server.end.wait()
    listener.close()
    await listener.wait_closed()
    for connection in list(server.connections):
        connection.abort()
        await connection.wait_closed()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*rest, return_exceptions=True)


class _Login(asyncssh.SSHServer):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._server.asked.append(f"login {username}")
        return username == USER and password == PASSWORD


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], server: Server) -> None:
        super().__init__(channel, chroot=bytes(server.root))
        self._server = server

    async def _ask(self, request: str, path: bytes) -> None:
        name = f"{request} {path.decode()}".strip()
        self._server.asked.append(name)
        if request in self._server.ignored:
            await self._server.end.wait()
        self._server.refuse(request, path.decode())

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        await self._ask("write" if pflags & asyncssh.FXF_WRITE else "read", path)
        return super().open(path, pflags, attrs)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._ask("rename", newpath)
        super().rename(oldpath, newpath)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise AssertionError("that is over what has the name")

    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self._ask("mkdir", path)
        super().mkdir(path, attrs)

    async def fsync(self, file_obj: object) -> None:
        await self._ask("fsync", getattr(file_obj, "name", b""))
        super().fsync(file_obj)
