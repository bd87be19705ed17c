"""A connection to a DICOM peer on which whole PDUs are sent and received (PS3.8, 9.3).

Knows deadlines, and that a peer may say anything, or say it slowly. Does not know what a PDU means.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from enum import IntEnum

_HEADER = struct.Struct(">BxI")


class PduType(IntEnum):
    """The types of PDUs (PS3.8, 9.3.1)."""

    ASSOCIATE_RQ = 0x01
    ASSOCIATE_AC = 0x02
    ASSOCIATE_RJ = 0x03
    P_DATA = 0x04
    RELEASE_RQ = 0x05
    RELEASE_RP = 0x06
    ABORT = 0x07


class PeerError(Exception):
    """The peer did not do what the protocol asks for; the text says what it did instead."""


class PeerGoneError(PeerError):
    """The peer closed the connection, or it broke."""


class PeerSilentError(PeerError):
    """The peer did not answer, or did not take what was sent, in time."""


class PeerAbortedError(PeerError):
    """The peer aborted the association."""


class Connection:
    """A connected socket, which it closes."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, content: bytes, within: float) -> None:
        """Send bytes; raises `PeerGoneError`, or `PeerSilentError` after ``within`` seconds."""
        self._socket.settimeout(within)
        try:
            self._socket.sendall(content)
        except TimeoutError as error:
            raise PeerSilentError(f"the peer took nothing for {within:g} s") from error
        except OSError as error:
            raise PeerGoneError(f"the connection broke: {error.strerror or error}") from error

    def hears(self, within: float) -> bool:
        """Whether something arrives within so many seconds, or the end; then `receive` has it."""
        pending = getattr(self._socket, "pending", None)  # what TLS has decrypted already
        if pending is not None and pending():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(within * 1000))

    def receive(
        self, within: float, largest: int, rest_within: float | None = None
    ) -> tuple[int, bytearray]:
        """The type and the content of the next PDU.

        Raises `PeerError` where it is not there after ``within`` seconds, whole, or is longer than
        ``largest`` bytes. With ``rest_within``, what follows its header has that time.
        """
        until = time.monotonic() + within
        kind, length = _HEADER.unpack(self._exactly(_HEADER.size, until, within))
        if rest_within is not None:
            until, within = time.monotonic() + rest_within, rest_within
        if kind not in PduType.__members__.values():
            raise PeerError("the peer sent what is no DICOM")
        if length > largest:
            raise PeerError(f"the peer sent a PDU of {length} bytes, {largest} are allowed")
        return kind, self._exactly(length, until, within)

    def _exactly(self, length: int, until: float, within: float) -> bytearray:
        content = bytearray(length)
        rest = memoryview(content)
        while rest:
            left = until - time.monotonic()
            if left <= 0:
                raise PeerSilentError(f"the peer said nothing for {within:g} s")
            self._socket.settimeout(left)
            try:
                read = self._socket.recv_into(rest)
            except TimeoutError as error:
                raise PeerSilentError(f"the peer said nothing for {within:g} s") from error
            except OSError as error:
                raise PeerGoneError(f"the connection broke: {error.strerror or error}") from error
            if not read:
                raise PeerGoneError("the peer closed the connection")
            rest = rest[read:]
        return content

    def close(self) -> None:
        """Close the connection; does nothing where that was done before."""
        self._socket.close()


def pdu(kind: PduType, content: bytes = b"\0\0\0\0") -> bytes:
    """A PDU; those of release and abort have four bytes of content."""
    return _HEADER.pack(kind, len(content)) + content
