"""The back end ``dcmtk``: DCMTK's ``dcmsend``, one process for a shipment.

Knows its options and its report. Does not know what it writes: it decodes data sets and encodes
them anew, so that bytes may differ where their meaning does not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mroute.api import DeliveryError, Shipment, TargetDownError, WorkContext
from mroute_dicom.sending.instances import Instance
from mroute_dicom.sending.peer import Peer
from mroute_dicom.sending.report import not_accepted, report

PROGRAM = "dcmsend"

_LARGEST = "131072"
_STOPPED = "mroute was asked to stop"
_GLANCE = 0.01
"""Seconds between two looks whether the program has ended, or mroute was asked to stop."""
_ENTRY = re.compile(r"^Filename +: (.*)\n(?:.+\n)*?DIMSE Status +: (.*)$", re.MULTILINE)
_STATUS = re.compile(r"0x([0-9a-fA-F]{4})")
_LAST_WORDS = re.compile(r"^[FE]: (.*)$", re.MULTILINE)
_BROKEN = re.compile("0006:(?!0101)[0-9a-f]{4}")
"""An error of DCMTK's network; the other is about an image that no context was accepted for."""


def is_installed() -> bool:
    """Whether the program is there."""
    return shutil.which(PROGRAM) is not None


def send_by_dcmtk(
    shipment: Shipment,
    peer: Peer,
    instances: Sequence[Instance],
    context: WorkContext,
    *,
    decompressed: bool,
) -> None:
    """Send all instances; report those that the program reports. Raises `DeliveryError`.

    Where the association breaks in the middle, some of them may have arrived without a report: they
    are sent again.
    """
    with tempfile.TemporaryDirectory(prefix="mroute-dcmsend-") as folder:
        wanted, said = Path(folder, "files"), Path(folder, "report")
        wanted.write_text("".join(f'"{each.path}"\n' for each in instances), "utf-8")
        output = _run(_command(peer, wanted, said, decompressed=decompressed), context)
        try:
            text = said.read_text("utf-8", "surrogateescape")
        except FileNotFoundError as error:
            if context.stop.is_set():
                raise DeliveryError(_STOPPED) from error
            raise TargetDownError(f"{peer}: {_last_words(output)}") from error
    answered = dict(_answers(text))
    broken = _BROKEN.search(output)
    silent = 0
    for each in instances:
        status = answered.get(str(each.path))
        if status is not None:
            report(shipment, each.path, status)
        elif broken or context.stop.is_set():
            silent += 1
        else:
            not_accepted(shipment, each.path, each.sop_class, each.transfer_syntax)
    if silent and context.stop.is_set():
        raise DeliveryError(_STOPPED)
    if silent:
        raise DeliveryError(f"{peer}: {silent} images were not answered: {_last_words(output)}")


def _command(peer: Peer, wanted: Path, said: Path, *, decompressed: bool) -> list[str]:
    timeouts = {
        "-to": peer.connect_timeout,
        "-ta": peer.acse_timeout,
        "-td": peer.dimse_timeout,
    }
    return [
        PROGRAM,
        *("-aet", peer.calling, "-aec", peer.called),
        *(part for option, time in timeouts.items() for part in (option, str(max(1, round(time))))),
        *("-pdu", _LARGEST, "--max-send-pdu", _LARGEST),
        *("-nh", "-nuc", "+f", "+dly" if decompressed else "-dn"),
        *("+crf", str(said)),
        *(peer.host, str(peer.port), f"@{wanted}"),
    ]


def _run(command: list[str], context: WorkContext) -> str:
    """Run the program to its end, or until mroute is asked to stop; returns what it wrote."""
    environment = {**os.environ, "TCP_NODELAY": "1"}  # without it, each image waits for 40 ms
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as written:
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise DeliveryError(f"'{PROGRAM}' cannot be run: {error.strerror}") from error
        with process:
            while process.poll() is None:
                if context.stop.is_set():
                    process.terminate()
                    break
                try:
                    process.wait(_GLANCE)
                except subprocess.TimeoutExpired:
                    continue
        written.seek(0)
        return written.read()


def _answers(text: str) -> Iterator[tuple[str, int]]:
    """File and status of each instance that was answered."""
    for name, said in _ENTRY.findall(text):
        status = _STATUS.search(said)
        if status is not None:
            yield name, int(status[1], 16)


def _last_words(output: str) -> str:
    found = _LAST_WORDS.findall(output)
    return found[0].strip() if found else f"'{PROGRAM}' said nothing"
