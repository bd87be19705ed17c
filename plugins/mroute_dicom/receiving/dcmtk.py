"""The back end ``dcmtk``: DCMTK's ``storescp``, one process for each association.

mroute accepts the connection and looks at what is asked for, without taking it from the socket. If
it is wanted, the program gets the socket, and writes what it receives into a folder of the
association, out of which mroute takes each image when it is whole.

Knows its options. Does not know who may send (acceptance), or which of its files are whole
(taking).
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from mroute_dicom.network.connection import Connection, PduType, PeerError, PeerSilentError
from mroute_dicom.network.negotiation import LARGEST_NEGOTIATION
from mroute_dicom.receiving.acceptance import refused
from mroute_dicom.receiving.image import Receiver
from mroute_dicom.receiving.negotiation import decoded_request, encoded_refusal
from mroute_dicom.receiving.taking import association_folder, take_while

PROGRAM = "storescp"
_LARGEST_PDU = 131_072
_ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}
"""Without it, each image waits for 40 ms."""
_GLANCE = 0.02
"""Seconds between two looks for what a peer has sent that has closed its side."""
_HEADER = struct.Struct(">BxI")


def is_installed() -> bool:
    """Whether the program is there."""
    return shutil.which(PROGRAM) is not None


def serve_by_dcmtk(
    receiver: Receiver,
    sock: socket.socket,
    address: str,
    slot: Callable[[], AbstractContextManager[bool]],
) -> None:
    """Serve one connection to its end; as `serve_association`."""
    within = receiver.settings.acse_timeout.total_seconds()
    request = _peeked(sock, within)
    if request is None:
        return
    asked = decoded_request(request)
    with slot() as free:
        why = refused(receiver, asked, address, free=free)
        if why is not None:
            Connection(sock).send(encoded_refusal(why), within)
            return
        facts = {"SenderAddress": address, "SenderAET": asked.calling, "ReceiverAET": asked.called}
        with association_folder(receiver.folder, facts) as (folder, lock):
            process = _begin(receiver, sock, folder, lock)
            sock.close()  # it is the program's now
            take_while(receiver, process, folder, lock, facts)


def _peeked(sock: socket.socket, within: float) -> bytes | None:
    """The content of the A-ASSOCIATE-RQ, which stays in the socket; None where nothing came."""
    until, wanted, before = time.monotonic() + within, _HEADER.size, 0
    while True:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
        sock.settimeout(max(0.001, until - time.monotonic()))
        try:
            seen = sock.recv(wanted, socket.MSG_PEEK)
        except TimeoutError as error:
            raise PeerSilentError(f"the peer said nothing for {within:g} s") from error
        if not seen:
            return None
        if len(seen) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(seen)
            if kind != PduType.ASSOCIATE_RQ or length > LARGEST_NEGOTIATION:
                raise PeerError("the peer began with what is no request for an association")
            wanted = _HEADER.size + length
            if len(seen) == wanted:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
                return seen[_HEADER.size :]
        if len(seen) == before:  # nothing more will come: the peer has closed its side
            time.sleep(_GLANCE)
        before = len(seen)
        if time.monotonic() > until:
            raise PeerSilentError(f"the peer did not say what it wants within {within:g} s")


def _begin(
    receiver: Receiver, sock: socket.socket, folder: Path, lock: int
) -> subprocess.Popen[bytes]:
    settings = receiver.settings
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pdu = min(settings.max_pdu, _LARGEST_PDU)
    return subprocess.Popen(
        [
            *(PROGRAM, "--inetd", "+B", "+uf", "-q", "-od", str(folder), "-pdu", str(pdu)),
            *(["+xa"] if settings.compressed else []),
            *("-ta", str(max(1, round(settings.acse_timeout.total_seconds())))),
            *("-td", str(max(1, round(settings.idle_timeout.total_seconds())))),
        ],
        stdin=sock.fileno(),
        stdout=sock.fileno(),
        stderr=subprocess.DEVNULL,
        pass_fds=[lock],
        env=_ENVIRONMENT,
    )
