"""The back end ``dcmtk``: DCMTK's ``storescp``, one process for each association.

mroute accepts the connection and looks at what is asked for, without taking it from the socket. If
it is wanted, the program gets the socket, and writes what it receives into a folder of the
association, out of which mroute takes each image when it is whole.

Knows its options, and which of its files are whole. Does not know who may send (acceptance).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from mroute.api import MrouteError, Tags
from mroute_dicom.network.connection import Connection, PduType, PeerError, PeerSilentError
from mroute_dicom.network.negotiation import LARGEST_NEGOTIATION
from mroute_dicom.receiving.acceptance import refused
from mroute_dicom.receiving.image import Receiver
from mroute_dicom.receiving.negotiation import decoded_request, encoded_refusal
from mroute_dicom.receiving.whole import is_whole

PROGRAM = "storescp"
FOLDER = "association-"
_FACTS = "facts.json"
_LARGEST_PDU = 131_072
_ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}
"""Without it, each image waits for 40 ms."""
_GLANCE = 0.02
"""Seconds between two looks for images that are whole."""
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
        with _folder(receiver.folder, facts) as (folder, lock):
            process = _begin(receiver, sock, folder, lock)
            sock.close()  # it is the program's now
            _take_while(receiver, process, folder, facts)


def take_leftovers(
    workspace: Path, receive: Callable[[Path, Tags], Path], notice: Callable[[str, str], None]
) -> None:
    """Take in what programs had received whose router died, or what could not be taken in then.

    Senders were told that it is safe. The last image of each association may not be whole; then its
    sender was not told so.
    """
    for folder in workspace.glob(f"*/{FOLDER}*"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            facts = json.loads((folder / _FACTS).read_bytes())
            if _take_rest(receive, notice, folder, facts):
                shutil.rmtree(folder)
        except (BlockingIOError, FileNotFoundError):  # the program is still at it
            continue
        finally:
            os.close(descriptor)


def _peeked(sock: socket.socket, within: float) -> bytes | None:
    """The content of the A-ASSOCIATE-RQ, which stays in the socket; None where nothing came."""
    until, wanted = time.monotonic() + within, _HEADER.size
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
        if time.monotonic() > until:
            raise PeerSilentError(f"the peer did not say what it wants within {within:g} s")


@contextmanager
def _folder(parent: Path, facts: Tags) -> Iterator[tuple[Path, int]]:
    """A folder for an association, with a lock that the program has too: it may outlive mroute."""
    folder = parent / f"{FOLDER}{uuid.uuid4()}"
    folder.mkdir()
    (folder / _FACTS).write_text(json.dumps(dict(facts)))
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder, lock
        if not _images(folder):  # otherwise what is left is tried again
            shutil.rmtree(folder)
    finally:
        os.close(lock)


def _begin(
    receiver: Receiver, sock: socket.socket, folder: Path, lock: int
) -> subprocess.Popen[bytes]:
    settings = receiver.settings
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pdu = min(settings.max_pdu, _LARGEST_PDU)
    return subprocess.Popen(
        [
            *(PROGRAM, "--inetd", "+B", "-tn", "-q", "-od", str(folder), "-pdu", str(pdu)),
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


def _take_while(
    receiver: Receiver, process: subprocess.Popen[bytes], folder: Path, facts: Tags
) -> None:
    """Take in images as long as the program runs, and then the rest."""
    while process.poll() is None:
        if receiver.stop.is_set():
            process.terminate()
        written = _opened_by(process.pid)
        for path in _images(folder):
            if path.stat().st_ino not in written:
                _take(receiver.receive, receiver.notice, path, facts)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GLANCE)
    _take_rest(receiver.receive, receiver.notice, folder, facts)


def _take_rest(
    receive: Callable[[Path, Tags], Path],
    notice: Callable[[str, str], None],
    folder: Path,
    facts: Tags,
) -> bool:
    """Take in what is in a folder into which nothing is written any more; whether all was."""
    for path in _images(folder):
        if is_whole(path):
            _take(receive, notice, path, facts)
        else:
            notice("receiver", "an image was cut off; its sender was not told that it is safe")
            path.unlink()
    return not _images(folder)


def _take(
    receive: Callable[[Path, Tags], Path],
    notice: Callable[[str, str], None],
    path: Path,
    facts: Tags,
) -> None:
    """Take an image in; what is no image for mroute has been answered, and must not be lost."""
    try:
        receive(path, facts)
    except MrouteError as error:
        kept = path.parent.parent.parent / f"refused-{uuid.uuid4()}.dcm"
        path.rename(kept)
        notice("receiver", f"an image cannot be routed, and is kept as '{kept}': {error}")
    except OSError as error:  # the disk is full, say: it stays where it is, and is tried again
        notice("receiver", f"an image cannot be taken in now: {error.strerror or error}")


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != _FACTS)


def _opened_by(pid: int) -> set[int]:
    """The numbers of the files that a process has open."""
    found = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(descriptor.stat().st_ino)
    return found
