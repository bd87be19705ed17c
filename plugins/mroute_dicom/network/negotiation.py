"""How two application entities agree on an association, seen from the one that asks for it.

Knows what a refusal means (PS3.8, 9.3.4). Does not know what is sent afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mroute_dicom.network.connection import (
    Connection,
    PduType,
    PeerAbortedError,
    PeerError,
    pdu,
)
from mroute_dicom.network.items import known_items

if TYPE_CHECKING:
    from pynetdicom.pdu import A_ASSOCIATE_RJ
    from pynetdicom.pdu_primitives import A_ASSOCIATE

LARGEST_PDU = 131_072
"""Bytes of a PDU that we take: what DCMTK takes at most."""

LARGEST_NEGOTIATION = 1 << 20
"""Bytes of a PDU before anything is agreed upon."""

_REASONS = {
    (1, 1): "it gave no reason",
    (1, 2): "it does not know this application context",
    (
        1,
        3,
    ): "it does not know our AE title '{calling}'; have it entered there, or see 'calling_aet'",
    (1, 7): "it is not called '{called}'; see 'aet'",
    (2, 1): "it gave no reason",
    (2, 2): "it does not know this version of the protocol",
    (3, 1): "it is congested for the moment",
    (3, 2): "it has reached the limit of its associations",
}


class RejectedByPeerError(PeerError):
    """The peer does not want this association; ``transient`` where it may want it later."""

    def __init__(self, message: str, *, transient: bool) -> None:
        self.transient = transient
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A presentation context that is asked for."""

    sop_class: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed upon.

    ``accepted`` maps the id of an accepted context to its transfer syntax; the ids of proposals are
    1, 3, 5 ... in their order. ``largest`` is how many bytes a PDU for the peer may have; 0 stands
    for no limit.
    """

    accepted: Mapping[int, str]
    largest: int


def request_association(
    connection: Connection,
    calling: str,
    called: str,
    proposals: Sequence[Proposal],
    within: float,
) -> Agreement:
    """Ask for an association with at most 128 contexts; raises `PeerError` where there is none."""
    from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ

    asked = A_ASSOCIATE_RQ()
    asked.from_primitive(_primitive(calling, called, proposals))
    connection.send(asked.encode(), within)
    kind, content = connection.receive(within, LARGEST_NEGOTIATION)
    whole = pdu(PduType(kind), bytes(content))
    if kind == PduType.ABORT:
        raise PeerAbortedError("the peer aborted the association while it was asked for")
    try:
        if kind == PduType.ASSOCIATE_RJ:
            refusal = A_ASSOCIATE_RJ()
            refusal.decode(whole)
            raise _rejected(refusal, calling, called)
        if kind != PduType.ASSOCIATE_AC:
            raise PeerError(f"the peer answered the request with a PDU of type {kind}")
        answer = A_ASSOCIATE_AC()
        answer.decode(pdu(PduType.ASSOCIATE_AC, known_items(bytes(content))))
        agreed = answer.to_primitive()
        accepted = {
            int(context.context_id or 0): str(context.transfer_syntax[0])
            for context in agreed.presentation_context_definition_results_list
            if context.result == 0
        }
        return Agreement(accepted, agreed.maximum_length_received or 0)
    except PeerError:
        raise
    # The decoder raises whatever comes up in bytes that are no DICOM.
    except Exception as error:
        raise PeerError("the peer answered what is no DICOM") from error


def release_association(connection: Connection, within: float) -> None:
    """End the association in order; a peer that does not answer is left to itself."""
    with suppress(PeerError):  # all that it was asked is answered: nothing hangs on this
        connection.send(pdu(PduType.RELEASE_RQ), within)
        connection.receive(within, LARGEST_NEGOTIATION)


def introduce(primitive: A_ASSOCIATE, largest: int) -> None:
    """Have a request or answer say who we are, and how many bytes a PDU for us may have."""
    from pynetdicom import PYNETDICOM_IMPLEMENTATION_UID
    from pynetdicom.pdu_primitives import (
        ImplementationClassUIDNotification,
        ImplementationVersionNameNotification,
        MaximumLengthNotification,
    )

    length = MaximumLengthNotification()
    length.maximum_length_received = largest
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = PYNETDICOM_IMPLEMENTATION_UID
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = "MROUTE"
    primitive.user_information = [length, implementation, version]


def _primitive(calling: str, called: str, proposals: Sequence[Proposal]) -> A_ASSOCIATE:
    from pynetdicom.pdu_primitives import A_ASSOCIATE
    from pynetdicom.presentation import PresentationContext

    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = calling, called
    contexts = []
    for number, proposal in enumerate(proposals):
        context = PresentationContext()
        context.context_id = 2 * number + 1
        context.abstract_syntax = proposal.sop_class
        context.transfer_syntax = list(proposal.transfer_syntaxes)
        contexts.append(context)
    primitive.presentation_context_definition_list = contexts
    introduce(primitive, LARGEST_PDU)
    return primitive


def _rejected(refusal: A_ASSOCIATE_RJ, calling: str, called: str) -> RejectedByPeerError:
    source, reason = refusal.source or 0, refusal.reason_diagnostic or 0
    why = _REASONS.get((source, reason), f"source {source}, reason {reason}")
    transient = refusal.result == 2
    return RejectedByPeerError(
        f"it rejected the association {'for now' if transient else 'for good'}: "
        + why.format(calling=calling, called=called),
        transient=transient,
    )
