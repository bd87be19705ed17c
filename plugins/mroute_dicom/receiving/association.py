"""One association from its request to its end: each image into a file, and an answer for it.

Knows the order of messages, and that an image is answered when it is safe. Does not know who may
send (acceptance), or how connections come about (listening).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from mroute.api import Tags
from mroute_dicom.network import messages
from mroute_dicom.network.connection import (
    Connection,
    PduType,
    PeerAbortedError,
    PeerError,
    PeerGoneError,
    PeerSilentError,
    pdu,
)
from mroute_dicom.network.negotiation import LARGEST_NEGOTIATION
from mroute_dicom.receiving.acceptance import accepted_syntax, refused
from mroute_dicom.receiving.image import SUCCESS, ArrivingImage, Receiver
from mroute_dicom.receiving.negotiation import decoded_request, encoded_answer, encoded_refusal

UNKNOWN_OPERATION = 0x0211
"""The status of a message that is neither C-STORE nor C-ECHO (PS3.7, annex C)."""

_LARGEST_COMMAND = 16_384
_GLANCE = 0.5
"""Seconds between two looks whether mroute stops, while the peer says nothing."""


def serve_association(
    receiver: Receiver,
    connection: Connection,
    address: str,
    slot: Callable[[], AbstractContextManager[bool]],
) -> None:
    """Serve one connection to its end.

    ``slot`` holds a place among the associations that there may be; False where there is none.
    Raises `PeerError` where the peer does not keep to the protocol.
    """
    settings = receiver.settings
    within = settings.acse_timeout.total_seconds()
    try:
        kind, content = connection.receive(within, LARGEST_NEGOTIATION)
    except PeerGoneError:  # somebody has looked whether the port is open
        return
    if kind != PduType.ASSOCIATE_RQ:
        raise PeerError(f"the peer began with a PDU of type {kind}")
    asked = decoded_request(bytes(content))
    with slot() as free:
        why = refused(receiver, asked, address, free=free)
        if why is not None:
            connection.send(encoded_refusal(why), within)
            return
        answer, accepted = encoded_answer(
            asked,
            lambda sop_class, syntaxes: accepted_syntax(settings, sop_class, syntaxes),
            settings.max_pdu,
        )
        connection.send(answer, within)
        facts = {"SenderAddress": address, "SenderAET": asked.calling, "ReceiverAET": asked.called}
        _Association(receiver, connection, facts, accepted, asked.largest).serve()


class _Association:
    """An association that was accepted."""

    def __init__(
        self,
        receiver: Receiver,
        connection: Connection,
        facts: Tags,
        accepted: dict[int, tuple[str, str]],
        largest: int,
    ) -> None:
        self._receiver, self._connection = receiver, connection
        self._facts, self._accepted, self._largest = facts, accepted, largest
        self._idle = receiver.settings.idle_timeout.total_seconds()
        self._within = receiver.settings.pdu_timeout.total_seconds()

    def serve(self) -> None:
        """Answer messages until the peer releases the association, or mroute stops.

        A peer that does not keep to the protocol is told by an A-ABORT (PS3.8, 9.2).
        """
        try:
            self._serve()
        except (PeerGoneError, PeerAbortedError):
            raise
        except PeerError:
            with suppress(PeerError):
                self._connection.send(pdu(PduType.ABORT), self._within)
            raise

    def _serve(self) -> None:
        image: ArrivingImage | None = None
        command = bytearray()
        try:
            while (content := self._next(image is not None or bool(command))) is not None:
                for context_id, is_command, is_last, part in messages.fragments(content):
                    if is_command == (image is not None):
                        raise PeerError("the peer sent a command where a data set belongs, or so")
                    if image is not None:
                        image.add(part)
                        if is_last:
                            self._answer(context_id, image.request, image.end())
                            image = None
                        continue
                    command += part
                    if len(command) > _LARGEST_COMMAND:
                        raise PeerError("the peer sent a command without an end")
                    if is_last:
                        image = self._begin(context_id, messages.decoded(command))
                        command = bytearray()
        finally:
            if image is not None:
                image.discard()

    def _begin(self, context_id: int, command: messages.Command) -> ArrivingImage | None:
        """Answer a message without a data set; otherwise what its data set is for."""
        if context_id not in self._accepted:
            raise PeerError("the peer used a context that was not accepted")
        operation = command.get(messages.COMMAND_FIELD)
        if operation == messages.C_STORE_RQ and messages.has_data_set(command):
            return ArrivingImage(self._receiver, command, self._accepted[context_id], self._facts)
        if operation is None or int(operation) & 0x8000:
            raise PeerError("the peer answered where it should ask")
        if messages.has_data_set(command):
            raise PeerError("the peer sent a data set with what is no C-STORE")
        is_echo = operation == messages.C_ECHO_RQ
        self._answer(context_id, command, SUCCESS if is_echo else UNKNOWN_OPERATION)
        return None

    def _answer(self, context_id: int, request: messages.Command, status: int) -> None:
        answer = messages.response(request, status)
        self._connection.send(
            messages.command_pdus(context_id, answer, self._largest), self._within
        )

    def _next(self, in_message: bool) -> bytearray | None:
        """The content of the next P-DATA; None where the association ended in order."""
        if not in_message and not self._hears():
            self._connection.send(pdu(PduType.ABORT), self._within)
            return None
        kind, content = self._connection.receive(
            self._idle, self._receiver.settings.max_pdu + 6, self._within
        )
        if kind == PduType.RELEASE_RQ:
            self._connection.send(pdu(PduType.RELEASE_RP), self._within)
            return None
        if kind == PduType.ABORT:
            raise PeerAbortedError("the peer aborted the association")
        if kind != PduType.P_DATA:
            raise PeerError(f"the peer sent a PDU of type {kind} in an association")
        return content

    def _hears(self) -> bool:
        """Wait for the next message; False where mroute stops."""
        until = time.monotonic() + self._idle
        while not self._receiver.stop.is_set():
            if self._connection.hears(_GLANCE):
                return True
            if time.monotonic() > until:
                raise PeerSilentError(f"the peer said nothing for {self._idle:g} s")
        return False
