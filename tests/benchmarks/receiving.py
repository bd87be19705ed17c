"""What receiving costs: images a second through each receiver, from four senders at once.

Run by ``python -m tests.benchmarks.receiving``. Each of four ``dcmsend`` sends a series of 64
images of 0.5 MB over loopback, to one receiver after the other in each round. mroute extracts tags
and puts images into ``incoming/``; the bare ``storescp`` writes files, and Orthanc keeps them in
its storage.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from pydicom import dcmread

from tests.benchmarks.series import IMAGES, write_series
from tests.interop.peers import ENVIRONMENT, HOST, free_port, mroute, orthanc, storescp, until

SENDERS = 4
ROUNDS = 5

RULES = """\
version: 1
timing: {{series_complete_after: 1h}}
settings:
  durability: {durability}
  dicom:
    receiver: {{port: {port}, bind: 127.0.0.1, backend: {backend}}}
"""


@contextmanager
def receiver(folder: Path, backend: str, durability: str) -> Iterator[int]:
    port = free_port()
    rules = RULES.format(port=port, backend=backend, durability=durability)
    with mroute(folder, rules, port):
        yield port


def sent(series: list[Path], port: int, incoming: Path | None) -> float:
    """Images a second from the first byte until all are answered, and in ``incoming/`` if there is.

    There each has its tags.
    """
    options = ["-pdu", "131072", "--max-send-pdu", "131072", "-nuc", "+sd"]
    began = time.perf_counter()
    senders = [
        subprocess.Popen(["dcmsend", *options, HOST, str(port), str(folder)], env=ENVIRONMENT)
        for folder in series
    ]
    assert [each.wait() for each in senders] == [0] * SENDERS
    if incoming is not None:
        for folder in series:
            there = incoming / dcmread(folder / "0.dcm").SeriesInstanceUID
            until(partial(_has_all, there), "all images")
    return SENDERS * IMAGES / (time.perf_counter() - began)


def _has_all(folder: Path) -> bool:
    return len(list(folder.glob("*.dcm"))) == IMAGES


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        ports = {
            "storescp --fork": stack.enter_context(storescp(root / "bare", fork=True)),
            "Orthanc": stack.enter_context(orthanc(root / "orthanc")).port,
            **{
                f"mroute, {backend}, {durability}": stack.enter_context(
                    receiver(root / f"{backend}-{durability}", backend, durability)
                )
                for backend, durability in (
                    ("pynetdicom", "process"),
                    ("pynetdicom", "power"),
                    ("dcmtk", "process"),
                )
            },
        }
        incoming = {
            name: root / f"{name.split(', ', 1)[1].replace(', ', '-')}/spool/incoming"
            for name in ports
            if name.startswith("mroute")
        }
        rates: dict[str, list[float]] = {each: [] for each in ports}
        for number in range(ROUNDS):
            for receiver_name, port in ports.items():
                series = [
                    write_series(root / f"series-{number}-{receiver_name}-{sender}")
                    for sender in range(SENDERS)
                ]
                rates[receiver_name].append(sent(series, port, incoming.get(receiver_name)))
        medians = {each: statistics.median(found) for each, found in rates.items()}
        for each, rate in medians.items():
            print(
                f"{each:28} {rate:6.0f} images/s  {rate / medians['Orthanc']:5.2f} of Orthanc  "
                f"{rate / medians['storescp --fork']:5.2f} of storescp"
            )


if __name__ == "__main__":
    main()
