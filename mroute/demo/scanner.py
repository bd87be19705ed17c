"""The scanner of the demonstration: it sends images by C-STORE, as any scanner does.

Knows pynetdicom, and nothing of mroute but its address. Does not know what becomes of an image.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from pathlib import Path

from pydicom import dcmread
from pydicom.filereader import read_file_meta_info
from pynetdicom import AE

_PATIENCE = 30.0
"""Seconds until a receiver that does not listen is given up."""


def send(images: Iterable[Path], port: int) -> None:
    """Send the images over one association to whoever listens on a port of loopback.

    Raises `RuntimeError` where one is not answered with success.
    """
    paths = list(images)
    scanner = AE(ae_title="DEMO")
    for sop_class, syntax in sorted({_kind(path) for path in paths}):
        scanner.add_requested_context(sop_class, syntax)
    _wait_for(port)
    association = scanner.associate("127.0.0.1", port, ae_title="MROUTE")
    if not association.is_established:
        raise RuntimeError("the receiver of the demonstration wants no association")
    try:
        for path in paths:
            answer = association.send_c_store(dcmread(path))
            if answer.get("Status") != 0:
                raise RuntimeError(f"the receiver did not take '{path.name}': {answer}")
    finally:
        association.release()


def _kind(path: Path) -> tuple[str, str]:
    """SOP class and transfer syntax of a file."""
    meta = read_file_meta_info(path)
    return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)


def _wait_for(port: int) -> None:
    """Return when somebody listens."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
