"""Listens on the port, and serves each connection in a thread of its own.

Knows how many connections there may be, whoever makes them, and that one which fails says nothing
about the others. Does not know what is said on them (association).
"""

from __future__ import annotations

import fcntl
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from mroute_dicom.network.connection import Connection, PeerError
from mroute_dicom.receiving.acceptance import is_allowed_address
from mroute_dicom.receiving.association import serve_association
from mroute_dicom.receiving.dcmtk import serve_by_dcmtk
from mroute_dicom.receiving.image import Receiver
from mroute_dicom.receiving.settings import Backend

_STRANGERS = 64
"""Connections of a process beyond the associations: those that have not asked for one yet."""

_PAUSE = 0.5
"""Seconds until a connection is accepted again after that was impossible."""

_BACKLOG = 128
_PATIENCE = 10.0
"""Seconds that associations have to answer for the image in hand when mroute stops."""


def listening_socket(bind: str, port: int) -> socket.socket:
    """A socket on a port, for all processes of this router and others; raises `OSError`.

    One socket for all of them: sockets of their own would be given connections by chance, several
    to one process and none to the next, and those that wait for a process that dies would be lost.
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((bind, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def listen(
    receiver: Receiver, listener: socket.socket, slots: Path, context: ssl.SSLContext | None
) -> None:
    """Serve connections until ``stop`` is set, then until the images in hand are answered.

    ``slots`` is a folder of locks, one for each association that all processes may have. The kernel
    gives connections to the processes that wait for one in turn, as long as these do nothing else:
    so each is waited for in a thread that does not look at the clock. It ends with its process.
    """
    serving = _Serving()
    accept = partial(_accept, receiver, listener, slots, context, serving)
    threading.Thread(target=accept, daemon=True).start()
    receiver.stop.wait()
    for thread in serving.threads():
        thread.join(_PATIENCE)


class _Serving:
    """The threads that serve a connection."""

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()

    def threads(self) -> set[threading.Thread]:
        """Those that have not ended."""
        self._threads = {each for each in self._threads if each.is_alive()}
        return self._threads

    def begin(self, target: Callable[[], None]) -> None:
        """Serve one more."""
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.add(thread)


def _accept(
    receiver: Receiver,
    listener: socket.socket,
    slots: Path,
    context: ssl.SSLContext | None,
    serving: _Serving,
) -> None:
    """Take connections until mroute stops."""
    most = receiver.settings.max_associations + _STRANGERS
    while not receiver.stop.is_set():
        try:
            sock, address = listener.accept()
        except OSError as error:  # out of descriptors, say
            receiver.notice("receiver", f"no connection can be accepted: {error.strerror}")
            receiver.stop.wait(_PAUSE)
            continue
        peer = str(address[0])
        if receiver.stop.is_set():
            sock.close()
        elif not is_allowed_address(receiver.settings, peer):
            sock.close()
            receiver.notice(f"receiver, peer {peer}", "a connection from an address not allowed")
        elif len(serving.threads()) >= most:
            sock.close()
            receiver.notice("receiver", f"connections are closed: there are {most} already")
        else:
            try:
                serving.begin(partial(_serve, receiver, sock, peer, slots, context))
            except RuntimeError as error:  # out of threads
                sock.close()
                receiver.notice("receiver", f"a connection cannot be served: {error}")
                receiver.stop.wait(_PAUSE)


def _serve(
    receiver: Receiver,
    sock: socket.socket,
    address: str,
    slots: Path,
    context: ssl.SSLContext | None,
) -> None:
    with sock:
        try:
            if context is not None:
                sock.settimeout(receiver.settings.acse_timeout.total_seconds())
                sock = context.wrap_socket(sock, server_side=True)
            slot = partial(_slot, slots, receiver.settings.max_associations)
            if receiver.settings.backend is Backend.DCMTK:
                serve_by_dcmtk(receiver, sock, address, slot)
                return
            connection = Connection(sock)
            try:
                serve_association(receiver, connection, address, slot)
            finally:
                connection.close()
        except PeerError as error:
            receiver.notice(f"receiver, peer {address}", str(error))
        except ssl.SSLError as error:
            receiver.notice(f"receiver, peer {address}", f"no secure connection: {error.reason}")
        except OSError as error:
            receiver.notice(f"receiver, peer {address}", error.strerror or str(error))


@contextmanager
def _slot(folder: Path, most: int) -> Iterator[bool]:
    """Hold one of the slots for associations; False where all are taken."""
    for number in range(most):
        path = folder / f"slot-{number}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        try:
            yield True
        finally:
            os.close(descriptor)
        return
    yield False
