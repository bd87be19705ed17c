"""The target type ``sftp``: a folder of another machine that is reached by SSH.

Knows that the library for it is loaded when something is sent, and not before. Does not know what
is said to the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mroute.api import Shipment, WorkContext
from mroute_storage.placement import named_task
from mroute_storage.sftp.target import SftpTarget

__all__ = ["SftpTarget", "check_sftp", "send_to_sftp"]


def send_to_sftp(shipment: Shipment, target: SftpTarget, context: WorkContext) -> None:
    """Store the images of a shipment over one connection, and tell of each.

    Raises `TargetDownError` where there is no connection, or one to an unknown server, or no login;
    `DeliveryError` where it breaks, or the server does not take a file; and `ValueError` for a task
    whose id is no name of a folder.
    """
    import asyncio

    from mroute_storage.sftp.send import send

    named_task(shipment.task)
    asyncio.run(send(shipment, target, context))


def check_sftp(name: str, target: SftpTarget, files: Sequence[Path]) -> list[str]:
    """A sentence for each thing that keeps the folder from taking files."""
    import asyncio

    from mroute_storage.sftp.check import complaints

    return asyncio.run(complaints(target, files))
