"""What keeps images from a DICOM target, found out without sending one.

Knows the order of the questions: certificates, connection, association, C-ECHO, presentation
contexts. Does not know what waits for the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from mroute.api import DeliveryError, MrouteError, TargetDownError, tls_complaints
from mroute_dicom.sending.dcmtk import PROGRAM, is_installed
from mroute_dicom.sending.direct import associated, echo
from mroute_dicom.sending.instances import Instance, NotSendableError, read_instance
from mroute_dicom.sending.peer import Peer, peer_at
from mroute_dicom.sending.proposals import Round, rounds
from mroute_dicom.sending.report import name_of
from mroute_dicom.sending.target import SENDER, Backend, DicomTarget, TransferSyntaxes

_ROUNDS = 8
"""Associations that are tried for the presentation contexts; a task seldom needs a second one."""


def check_dicom(name: str, target: DicomTarget, files: Sequence[Path]) -> list[str]:
    """A sentence for each thing that is wrong; ``files`` are images that the target is to take."""
    return list(_complaints(target, files))


def _complaints(target: DicomTarget, files: Sequence[Path]) -> Iterator[str]:
    if target.backend is Backend.DCMTK and not is_installed():
        yield f"'{PROGRAM}' is not installed; install DCMTK, or leave 'backend' out"
    if target.tls is not None:
        yield from tls_complaints(target.tls, datetime.now(UTC))
    if target.host == SENDER:
        yield "its host is that of the sender of each task, so that no connection can be tried"
        return
    try:
        peer = peer_at(target, target.host, target.calling_aet, target.aet)
        yield from _echo(peer)
        instances, strange = _read(files)
        yield from strange
        decompressed = target.transfer_syntaxes is TransferSyntaxes.DECOMPRESS_IF_REFUSED
        for each in islice(rounds(_kinds(instances), decompressed=decompressed), _ROUNDS):
            yield from _not_taken(peer, each)
    except (DeliveryError, MrouteError) as error:
        yield str(error)


def _echo(peer: Peer) -> Iterator[str]:
    try:
        status = echo(peer)
    except TargetDownError:
        raise
    except DeliveryError as error:  # it may take images all the same
        yield str(error)
        return
    if status:
        yield f"{peer} answers C-ECHO with the status {status:04X}"


def _read(files: Sequence[Path]) -> tuple[list[Instance], list[str]]:
    """What the files hold, and a sentence for each that holds nothing that can be sent."""
    instances, strange = [], []
    for path in files:
        try:
            instances.append(read_instance(path))
        except NotSendableError as error:
            strange.append(f"'{path.name}' cannot be sent: {error}")
        except OSError as error:
            strange.append(f"'{path.name}' cannot be read: {error.strerror}")
    return instances, strange


def _kinds(instances: Sequence[Instance]) -> list[Instance]:
    """One instance of each SOP class and transfer syntax."""
    found = {(each.sop_class, each.transfer_syntax): each for each in reversed(instances)}
    return list(reversed(found.values()))


def _not_taken(peer: Peer, each: Round) -> Iterator[str]:
    with associated(peer, each.proposals) as (_, agreement):
        for instance in each.instances:
            if each.context_for(instance, agreement.accepted) is None:
                kind, syntax = name_of(instance.sop_class), name_of(instance.transfer_syntax)
                yield f"{peer} takes no {kind} in {syntax}"
