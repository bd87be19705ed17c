"""A Storage SCP that does what a test tells it to, image by image.

Knows the protocol from the side of the peer. Does not know mroute.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from mroute_dicom.network import messages
from mroute_dicom.network.connection import Connection, PduType, PeerError, pdu
from mroute_dicom.receiving.acceptance import Asked, ContextResult, Refusal
from mroute_dicom.receiving.negotiation import decoded_request, encoded_answer, encoded_refusal

_LARGEST = 1 << 20
_WITHIN = 30.0

Answer = Callable[[int], int | str]
"""What becomes of the n-th image, counted from 1: a status, or ``close``, ``abort``, ``hang``."""


def well(number: int) -> int:
    """Store every image."""
    return 0


@dataclass(slots=True)
class Peer:
    """The SCP: ``stored`` maps a SOPInstanceUID to the data set, ``asked`` are the associations."""

    port: int = 0
    answer: Answer = well
    refusal: Refusal | None = None
    refused_classes: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    stored: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    images: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def syntax_for(self, sop_class: str, syntaxes: tuple[str, ...]) -> str | ContextResult:
        if sop_class in self.refused_classes:
            return ContextResult.NO_SOP_CLASS
        taken = [each for each in syntaxes if not self.only or each in self.only]
        return taken[0] if taken else ContextResult.NO_TRANSFER_SYNTAX


@contextmanager
def scripted_peer() -> Iterator[Peer]:
    """Listen on a free port of loopback until the context ends."""
    peer = Peer()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, peer), daemon=True).start()
        try:
            yield peer
        finally:
            peer.released.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, peer: Peer) -> None:
    with suppress(OSError):
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=_serve, args=(Connection(sock), peer), daemon=True).start()


def _serve(connection: Connection, peer: Peer) -> None:
    with suppress(PeerError):
        _, content = connection.receive(_WITHIN, _LARGEST)
        asked = decoded_request(bytes(content))
        peer.asked.append(asked)
        if peer.refusal is not None:
            connection.send(encoded_refusal(peer.refusal), _WITHIN)
        else:
            answer, _ = encoded_answer(asked, peer.syntax_for, 16_384)
            connection.send(answer, _WITHIN)
            _messages(connection, peer)
    connection.close()


def _messages(connection: Connection, peer: Peer) -> None:
    while (message := _message(connection)) is not None:
        context_id, request, data_set = message
        status = _status(peer, request, data_set)
        if status == "hang":
            peer.released.wait()
        if status == "abort":
            connection.send(pdu(PduType.ABORT), _WITHIN)
        if isinstance(status, str):
            return
        answer = messages.response(request, status)
        connection.send(messages.command_pdus(context_id, answer, 0), _WITHIN)


def _message(connection: Connection) -> tuple[int, messages.Command, bytes] | None:
    """Context, command and data set of the next message; None at the end of the association."""
    parts = {True: bytearray(), False: bytearray()}
    command: dict[int, int | str] = {}
    while True:
        kind, content = connection.receive(_WITHIN, _LARGEST)
        if kind == PduType.RELEASE_RQ:
            connection.send(pdu(PduType.RELEASE_RP), _WITHIN)
        if kind != PduType.P_DATA:
            return None
        for context_id, is_command, is_last, part in messages.fragments(content):
            parts[is_command] += part
            if is_last and is_command:
                command = messages.decoded(parts[True])
            if is_last and not (is_command and messages.has_data_set(command)):
                return context_id, command, bytes(parts[False])


def _status(peer: Peer, request: messages.Command, data_set: bytes) -> int | str:
    if request[messages.COMMAND_FIELD] == messages.C_ECHO_RQ:
        return 0
    peer.images += 1
    status = peer.answer(peer.images)
    if isinstance(status, int) and (status == 0 or status >> 12 == 0xB):
        peer.stored[str(request[messages.SOP_INSTANCE])] = data_set
    return status
