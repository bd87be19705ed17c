"""What sending costs: images a second of each back end, and of what they are compared with.

Run by ``python -m tests.benchmarks.sending``. A series of 64 images of 0.5 MB is sent over loopback
to ``storescp``, by one sender after the other in each round: both back ends of the target type
``dicom``, the bare ``dcmsend`` with the same environment, and pynetdicom's ``send_c_store`` as its
documentation shows it.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydicom import dcmread
from pynetdicom import AE

from mroute.api import Shipment, Task
from mroute.testing import make_task, work_context
from mroute_dicom.sending.send import send_to_dicom
from mroute_dicom.sending.target import DicomTarget
from tests.benchmarks.series import IMAGES, write_series
from tests.interop.peers import ENVIRONMENT, HOST, storescp

ROUNDS = 7
CT = "1.2.840.10008.5.1.4.1.1.2"


def by_mroute(task: Task, port: int, backend: str) -> None:
    stored: list[Path] = []
    shipment = Shipment(
        task, "pacs", task.images(), lambda image, status, warning: stored.append(image)
    )
    model = {"type": "dicom", "host": HOST, "port": port, "aet": "PACS", "backend": backend}
    send_to_dicom(shipment, DicomTarget.model_validate(model), work_context(task))
    assert len(stored) == IMAGES


def by_dcmsend(task: Task, port: int) -> None:
    options = ["-pdu", "131072", "--max-send-pdu", "131072", "-nuc"]
    files = map(str, task.images())
    subprocess.run(["dcmsend", *options, HOST, str(port), *files], env=ENVIRONMENT, check=True)


def by_send_c_store(task: Task, port: int) -> None:
    scu = AE(ae_title="PLAIN")
    scu.add_requested_context(CT, "1.2.840.10008.1.2.1")
    association = scu.associate(HOST, port)
    for image in task.images():
        assert association.send_c_store(dcmread(image)).Status == 0
    association.release()


def main() -> None:
    with tempfile.TemporaryDirectory() as name, storescp(Path(name, "peer")) as port:
        task = make_task(Path(name, "task"), {"dispatch": {}}, images={})
        for image in write_series(Path(name, "series")).iterdir():
            image.rename(task.folder / image.name)
        senders: dict[str, Callable[[], None]] = {
            "dcmsend": partial(by_dcmsend, task, port),
            "send_c_store": partial(by_send_c_store, task, port),
            "mroute, dcmtk": partial(by_mroute, task, port, "dcmtk"),
            "mroute, pynetdicom": partial(by_mroute, task, port, "pynetdicom"),
        }
        rates: dict[str, list[float]] = {each: [] for each in senders}
        for _ in range(ROUNDS):
            for each, send in senders.items():
                began = time.perf_counter()
                send()
                rates[each].append(IMAGES / (time.perf_counter() - began))
        medians = {each: statistics.median(found) for each, found in rates.items()}
        for each, rate in medians.items():
            print(
                f"{each:20} {rate:6.0f} images/s  {rate / medians['dcmsend']:5.2f} of dcmsend  "
                f"{rate / medians['send_c_store']:5.2f} of send_c_store"
            )


if __name__ == "__main__":
    main()
