"""What ``mroute doctor`` looks at for this plugin: the receiver, and the programs of DCMTK.

Knows what would keep the receiver from receiving, and what to do about it. Does not know how
targets are: they are checked by their type.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from mroute.api import HealthContext, MrouteError, Tls, tls_complaints
from mroute_dicom.receiving.port import listeners, program_of, try_port
from mroute_dicom.receiving.security import server_context
from mroute_dicom.receiving.service import storescp_complaints
from mroute_dicom.receiving.settings import MEGABYTE, Backend, ReceiverSettings
from mroute_dicom.sending.dcmtk import PROGRAM, is_installed
from mroute_dicom.sending.target import Backend as SendingBackend
from mroute_dicom.sending.target import DicomTarget
from mroute_dicom.settings import settings_in

_ADVICE = {
    errno.EACCES: "take a port from 1024 on, or give this user the capability CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "'bind' has to be an address of this machine",
}


def check_receiver(context: HealthContext) -> Iterator[str]:
    """What would keep the receiver from receiving: its port, room, certificates."""
    receiver = settings_in(context.settings).receiver
    if receiver is not None:
        yield from _port(receiver, context.runs)
        yield from _room(receiver, context.spool / "incoming")
        if receiver.tls is not None:
            yield from _tls(receiver.tls)


def check_programs(context: HealthContext) -> Iterator[str]:
    """Which of DCMTK's programs is asked for and cannot be used."""
    receiver = settings_in(context.settings).receiver
    if receiver is not None and receiver.backend is Backend.DCMTK:
        yield from storescp_complaints(context.durability)
    asking = [
        f"'{name}'"
        for name, target in context.targets.items()
        if isinstance(target, DicomTarget) and target.backend is SendingBackend.DCMTK
    ]
    if asking and not is_installed():
        yield (
            f"'{PROGRAM}' is not installed, and asked for by {', '.join(asking)}; install DCMTK, "
            "or leave 'backend' out"
        )


def _port(receiver: ReceiverSettings, runs: Collection[int]) -> Iterator[str]:
    """Whether the port is free, or the receiver's already."""
    try:
        try_port(receiver.bind, receiver.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            advice = _ADVICE.get(error.errno or 0, "see 'bind' and 'port'")
            where = f"port {receiver.port} of '{receiver.bind}'"
            yield f"the receiver cannot have {where}: {error.strerror or error}; {advice}"
            return
        holders = listeners(receiver.port)
        # Of a run that is another user's it cannot be seen what it listens on.
        if holders.isdisjoint(runs) and (holders or not runs):
            named = [f"process {each} ('{program_of(each)}')" for each in sorted(holders)]
            yield (
                f"port {receiver.port} of the receiver is taken by "
                f"{', '.join(named) or 'a process of another user'}; stop that one, or give the "
                "receiver another 'port'"
            )


def _room(receiver: ReceiverSettings, folder: Path) -> Iterator[str]:
    """Whether there is as much free as images are taken with."""
    while not folder.exists():
        folder = folder.parent
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize // MEGABYTE
    if free < receiver.min_free:
        yield (
            f"{free} MB are free in the spool, and with less than {receiver.min_free} the receiver "
            "refuses images; make room, or lower 'min_free'"
        )


def _tls(tls: Tls) -> Iterator[str]:
    yield from tls_complaints(tls, datetime.now(UTC))
    try:
        server_context(tls)
    except MrouteError as error:
        yield str(error)
