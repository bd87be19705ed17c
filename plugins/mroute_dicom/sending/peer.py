"""Whom the images of a task are sent to, in plain values.

Knows what a back end must know about the other end. Does not know where that comes from.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from mroute.api import Task, client_context
from mroute_dicom.sending.target import DicomTarget


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of an association; timeouts are in seconds."""

    host: str
    port: int
    calling: str
    called: str
    tls: ssl.SSLContext | None
    connect_timeout: float
    acse_timeout: float
    dimse_timeout: float

    def __str__(self) -> str:
        return f"'{self.called}' at {self.host}:{self.port}"


def peer_for(target: DicomTarget, task: Task) -> Peer:
    """Whom to send a task to.

    Raises `ValueError` where the task does not say who sent it, and `TargetDownError` where
    certificates or secrets cannot be read: no task can be sent until they can.
    """
    host = target.host_for(task)
    if not host:
        raise ValueError("the images go back to their sender, whose address is not known")
    calling, called = target.called_by(task)
    return peer_at(target, host, calling, called)


def peer_at(target: DicomTarget, host: str, calling: str, called: str) -> Peer:
    """The target as it is at a host, by these AE titles; raises `TargetDownError`."""
    return Peer(
        host=host,
        port=target.port,
        calling=calling,
        called=called,
        tls=client_context(target.tls) if target.tls is not None else None,
        connect_timeout=target.connect_timeout.total_seconds(),
        acse_timeout=target.acse_timeout.total_seconds(),
        dimse_timeout=target.dimse_timeout.total_seconds(),
    )
