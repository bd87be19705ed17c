"""Whether an association is accepted, and which of its presentation contexts.

Knows allow-lists, SOP classes and transfer syntaxes. Does not know sockets or files.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from mroute_dicom.receiving.image import Receiver
from mroute_dicom.receiving.settings import ReceiverSettings

VERIFICATION = "1.2.840.10008.1.1"
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
"""The one that there is (PS3.7, annex A)."""

_STANDARD = "1.2.840.10008."
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_PLAIN = frozenset(
    {
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.2",
    }
)


class Refusal(Enum):
    """Why an association is rejected: result, source and reason (PS3.8, 9.3.4)."""

    APPLICATION_CONTEXT = (1, 1, 2)
    CALLING = (1, 1, 3)
    CALLED = (1, 1, 7)
    VERSION = (1, 2, 2)
    CONGESTED = (2, 3, 1)
    LIMIT = (2, 3, 2)


class ContextResult(Enum):
    """What becomes of a presentation context (PS3.8, 9.3.3.2)."""

    ACCEPTED = 0
    NO_SOP_CLASS = 3
    NO_TRANSFER_SYNTAX = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sender asks for.

    ``contexts`` maps the id of a context to its SOP class and its transfer syntaxes, ``largest`` is
    how many bytes a PDU for the sender may have; 0 stands for no limit. ``version`` has a bit for
    each version of the protocol.
    """

    calling: str
    called: str
    contexts: Mapping[int, tuple[str, tuple[str, ...]]]
    largest: int = 0
    application_context: str = APPLICATION_CONTEXT
    version: int = 1


def refusal(settings: ReceiverSettings, asked: Asked) -> Refusal | None:
    """Why the association is not wanted; None where it is."""
    allow = settings.allow
    if not asked.version & 1:
        return Refusal.VERSION
    if asked.application_context != APPLICATION_CONTEXT:
        return Refusal.APPLICATION_CONTEXT
    if allow.calling and asked.calling not in allow.calling:
        return Refusal.CALLING
    if allow.called and asked.called not in allow.called:
        return Refusal.CALLED
    return None


def refused(receiver: Receiver, asked: Asked, address: str, *, free: bool) -> Refusal | None:
    """As `refusal`, but also where no association is ``free`` or the spool is nearly full.

    An administrator is told.
    """
    why = refusal(receiver.settings, asked)
    if why is None and not free:
        why = Refusal.LIMIT
    if why is None and not receiver.has_room():
        why = Refusal.CONGESTED
    if why is not None:
        where = f"receiver, sender '{asked.calling}' at {address}"
        receiver.notice(where, f"an association is rejected: {why.name.lower()}")
    return why


def is_allowed_address(settings: ReceiverSettings, address: str) -> bool:
    """Whether images are taken from an IP address; an IPv4 one may be written as IPv6."""
    networks = settings.allow.addresses
    if not networks:
        return True
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in ipaddress.ip_network(network) for network in networks)


def accepted_syntax(
    settings: ReceiverSettings, sop_class: str, syntaxes: tuple[str, ...]
) -> str | ContextResult:
    """The transfer syntax of a context: the first that is taken, so that nothing is converted."""
    if sop_class == VERIFICATION or _is_taken(settings, sop_class):
        for syntax in syntaxes:
            if _is_taken_syntax(settings, syntax):
                return syntax
        return ContextResult.NO_TRANSFER_SYNTAX
    return ContextResult.NO_SOP_CLASS


def _is_taken(settings: ReceiverSettings, sop_class: str) -> bool:
    if sop_class.startswith(_STANDARD):
        return sop_class.startswith(_STORAGE) or sop_class in _other_storage_classes()
    return settings.private_sop_classes


def _is_taken_syntax(settings: ReceiverSettings, syntax: str) -> bool:
    if syntax in _PLAIN:
        return True
    if not settings.compressed:
        return False
    return syntax.startswith("1.2.840.10008.1.2.") or (
        settings.private_sop_classes and not syntax.startswith(_STANDARD)
    )


@cache
def _other_storage_classes() -> frozenset[str]:
    """Storage SOP classes that are not called as the others are."""
    from pynetdicom import AllStoragePresentationContexts

    return frozenset(str(each.abstract_syntax) for each in AllStoragePresentationContexts)
