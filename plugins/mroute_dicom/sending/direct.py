"""The back end ``pynetdicom``: mroute itself asks for the association, and sends.

Knows the order of messages. Does not decode what it sends, unless the target takes nothing else.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from mroute.api import DeliveryError, Shipment, TargetDownError, WorkContext, raise_exhaustion
from mroute_dicom.network import messages
from mroute_dicom.network.connection import Connection, PduType, PeerError, PeerGoneError, pdu
from mroute_dicom.network.negotiation import (
    LARGEST_PDU,
    Agreement,
    Proposal,
    release_association,
    request_association,
)
from mroute_dicom.sending.instances import Instance
from mroute_dicom.sending.peer import Peer
from mroute_dicom.sending.proposals import Round
from mroute_dicom.sending.report import not_accepted, report
from mroute_dicom.sending.transcoding import CannotTranscodeError, transcoded


def send_directly(
    shipment: Shipment, peer: Peer, rounds: Iterator[Round], context: WorkContext
) -> None:
    """Send all instances, an association for each round; raises `DeliveryError`."""
    for each in rounds:
        with associated(peer, each.proposals) as (connection, agreement):
            _send_round(shipment, peer, each, connection, agreement, context)


@contextmanager
def associated(
    peer: Peer, proposals: tuple[Proposal, ...]
) -> Iterator[tuple[Connection, Agreement]]:
    """An association with a peer, released in the end; `TargetDownError` where there is none."""
    connection = connect(peer)
    try:
        try:
            agreement = request_association(
                connection, peer.calling, peer.called, proposals, peer.acse_timeout
            )
        except PeerError as error:
            raise TargetDownError(f"{peer}: {error}") from error
        try:
            yield connection, agreement
            release_association(connection, peer.acse_timeout)
        except PeerError as error:
            raise DeliveryError(f"{peer}: {error}") from error
    finally:
        connection.close()


def connect(peer: Peer) -> Connection:
    """A connection to a peer, secured where that is wanted; raises `TargetDownError`.

    Raises `OSError` where this machine is short of something: the peer has nothing to do with it.
    """
    try:
        sock = socket.create_connection((peer.host, peer.port), peer.connect_timeout)
    except OSError as error:
        raise_exhaustion(error)
        raise TargetDownError(f"{peer} cannot be reached: {error.strerror or error}") from error
    if peer.tls is None:
        return Connection(sock)
    try:
        return Connection(peer.tls.wrap_socket(sock, server_hostname=peer.host))
    except (ssl.SSLError, ssl.CertificateError) as error:
        sock.close()
        raise TargetDownError(f"{peer}: no secure connection: {_tls_reason(error)}") from error
    except OSError as error:
        sock.close()
        raise TargetDownError(f"{peer}: no secure connection: {error.strerror or error}") from error


def echo(peer: Peer) -> int:
    """The status of a C-ECHO; raises `DeliveryError`."""
    verification = Proposal("1.2.840.10008.1.1", ("1.2.840.10008.1.2",))
    with associated(peer, (verification,)) as (connection, agreement):
        if not agreement.accepted:
            raise DeliveryError(f"{peer}: it does not take C-ECHO")
        command = messages.command_pdus(1, messages.echo_request(1), agreement.largest)
        connection.send(command, peer.dimse_timeout)
        return _status(connection, 1, peer.dimse_timeout)


def _send_round(
    shipment: Shipment,
    peer: Peer,
    each: Round,
    connection: Connection,
    agreement: Agreement,
    context: WorkContext,
) -> None:
    for number, instance in enumerate(each.instances):
        if context.stop.is_set():
            connection.send(pdu(PduType.ABORT), peer.dimse_timeout)
            raise DeliveryError("mroute was asked to stop")
        taken = each.context_for(instance, agreement.accepted)
        if taken is None:
            not_accepted(shipment, instance.path, instance.sop_class, instance.transfer_syntax)
            continue
        context_id, syntax = taken
        message_id = number % 65_535 + 1
        try:
            _send(connection, instance, context_id, syntax, message_id, agreement.largest, peer)
        except CannotTranscodeError as error:
            shipment.refused(instance.path, "", str(error))
            continue
        report(shipment, instance.path, _status(connection, message_id, peer.dimse_timeout))


def _send(
    connection: Connection,
    instance: Instance,
    context_id: int,
    syntax: str,
    message_id: int,
    largest: int,
    peer: Peer,
) -> None:
    request = messages.store_request(message_id, instance.sop_class, instance.sop_instance)
    command = messages.command_pdus(context_id, request, largest)
    if syntax != instance.transfer_syntax:
        data_set = memoryview(transcoded(instance.path, syntax))
        connection.send(command, peer.dimse_timeout)
        for part in messages.data_pdus(context_id, data_set, largest):
            connection.send(part, peer.dimse_timeout)
        return
    with instance.data_set() as data_set:
        for part in messages.data_pdus(context_id, data_set, largest):
            connection.send(command + part if command else part, peer.dimse_timeout)
            command = b""


def _status(connection: Connection, message_id: int, within: float) -> int:
    """The status that the peer answers; raises `PeerError` where it answers something else."""
    command = bytearray()
    while True:
        kind, content = connection.receive(within, LARGEST_PDU)
        if kind == PduType.ABORT:
            raise PeerGoneError("the peer aborted the association")
        if kind == PduType.RELEASE_RQ:
            connection.send(pdu(PduType.RELEASE_RP), within)
            raise PeerGoneError("the peer released the association")
        if kind != PduType.P_DATA:
            raise PeerError(f"the peer sent a PDU of type {kind} in an association")
        for _, is_command, is_last, part in messages.fragments(content):
            if not is_command:
                raise PeerError("the peer answered with a data set")
            command += part
            if is_last:
                answer = messages.decoded(command)
                status = answer.get(messages.STATUS)
                if answer.get(messages.ANSWERED_ID) != message_id or not isinstance(status, int):
                    raise PeerError("the peer answered what was not asked")
                return status


def _tls_reason(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or error)
