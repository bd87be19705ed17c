"""A port of this machine: whether it can be had, and who has it.

Knows the kernel's list of sockets (proc(5)). Does not know who should have the port.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTENS = "0A"


def try_port(bind: str, port: int) -> None:
    """Take the port and let go of it, without listening; raises `OSError` where that cannot be.

    Somebody who listens is seen. Nobody is hindered who wants the port in this instant, as long as
    they say ``SO_REUSEADDR``, which servers do.
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind((bind, port))


def listeners(port: int) -> set[int]:
    """The processes that listen on the port, at any address; those that this user may look into."""
    sockets = {f"socket:[{inode}]" for table in _TABLES for inode in _inodes(Path(table), port)}
    return {
        int(process.name)
        for process in _PROCESSES.glob("[0-9]*")
        if not sockets.isdisjoint(_opened_by(process))
    }


def program_of(process: int) -> str:
    """The name of the program that a process runs; empty where it has ended."""
    try:
        return (_PROCESSES / str(process) / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _inodes(table: Path, port: int) -> Iterator[str]:
    with suppress(OSError):
        for line in table.read_text("ascii").splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                yield inode


def _opened_by(process: Path) -> Iterator[str]:
    with suppress(OSError):  # it has ended, or is somebody else's
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                yield str(descriptor.readlink())
