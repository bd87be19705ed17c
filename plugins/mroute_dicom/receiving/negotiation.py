"""How two application entities agree on an association, seen from the one that is asked.

Knows the PDUs. Does not know what is accepted (acceptance).
"""

from __future__ import annotations

from collections.abc import Callable

from mroute_dicom.network.connection import PduType, PeerError, pdu
from mroute_dicom.network.items import known_items
from mroute_dicom.network.negotiation import introduce
from mroute_dicom.receiving.acceptance import (
    APPLICATION_CONTEXT,
    Asked,
    ContextResult,
    Refusal,
)

_ANY_SYNTAX = "1.2.840.10008.1.2"


def decoded_request(content: bytes) -> Asked:
    """What an A-ASSOCIATE-RQ asks for; raises `PeerError` where it is none."""
    from pynetdicom.pdu import A_ASSOCIATE_RQ

    request = A_ASSOCIATE_RQ()
    try:
        request.decode(pdu(PduType.ASSOCIATE_RQ, known_items(content)))
        primitive = request.to_primitive()
        return Asked(
            calling=str(primitive.calling_ae_title).strip(),
            called=str(primitive.called_ae_title).strip(),
            contexts={
                int(context.context_id or 0): (
                    str(context.abstract_syntax),
                    tuple(str(each) for each in context.transfer_syntax),
                )
                for context in primitive.presentation_context_definition_list
            },
            largest=primitive.maximum_length_received or 0,
            application_context=str(primitive.application_context_name),
            version=int(request.protocol_version),
        )
    # The decoder raises whatever comes up in bytes that are no DICOM.
    except Exception as error:
        raise PeerError("the peer asked for an association with what is no DICOM") from error


def encoded_answer(
    asked: Asked, syntax_for: Callable[[str, tuple[str, ...]], str | ContextResult], largest: int
) -> tuple[bytes, dict[int, tuple[str, str]]]:
    """The A-ASSOCIATE-AC, and the accepted contexts: id to SOP class and transfer syntax.

    ``largest`` is how many bytes a PDU of the sender may have.
    """
    from pynetdicom.pdu import A_ASSOCIATE_AC
    from pynetdicom.pdu_primitives import A_ASSOCIATE
    from pynetdicom.presentation import PresentationContext

    results, accepted = [], {}
    for number, (sop_class, syntaxes) in asked.contexts.items():
        found = syntax_for(sop_class, syntaxes)
        context = PresentationContext()
        context.context_id, context.abstract_syntax = number, sop_class
        if isinstance(found, str):
            accepted[number] = sop_class, found
            context.result, context.transfer_syntax = 0, [found]
        else:
            # An answer has one, whatever it says.
            context.result = found.value
            context.add_transfer_syntax(syntaxes[0] if syntaxes else _ANY_SYNTAX)
        results.append(context)
    primitive = A_ASSOCIATE()
    primitive.application_context_name = APPLICATION_CONTEXT
    primitive.calling_ae_title, primitive.called_ae_title = asked.calling, asked.called
    primitive.result, primitive.result_source = 0, 1
    primitive.presentation_context_definition_results_list = results
    introduce(primitive, largest)
    answer = A_ASSOCIATE_AC()
    answer.from_primitive(primitive)
    return answer.encode(), accepted


def encoded_refusal(refusal: Refusal) -> bytes:
    """The A-ASSOCIATE-RJ."""
    return pdu(PduType.ASSOCIATE_RJ, bytes([0, *refusal.value]))
