"""What STOW-RS costs: images a second for batches of several sizes, beside C-STORE to one peer.

Run by ``python -m tests.benchmarks.storing``. In each round every sender gets a new series of 64
images of 0.5 MB, for Orthanc does less for one that it has already; all take turns.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mroute.api import Shipment, Task
from mroute.testing import make_task, work_context
from mroute_dicom.sending.send import send_to_dicom
from mroute_dicom.sending.target import DicomTarget
from mroute_web.dicomweb import DicomwebTarget, send_to_dicomweb
from tests.benchmarks.series import IMAGES, write_series
from tests.interop.peers import DICOMWEB, HOST, Orthanc, orthanc

ROUNDS = 7
BATCHES = (1, 2, 5, 10, 20, 64)


def shipment_of(task: Task, stored: list[Path]) -> Shipment:
    return Shipment(
        task, "pacs", task.images(), lambda image, status, warning: stored.append(image)
    )


def by_stow(peer: Orthanc, batch: int, task: Task) -> int:
    stored: list[Path] = []
    model = {"type": "dicomweb", "url": peer.dicomweb, "batch": batch}
    shipment = shipment_of(task, stored)
    send_to_dicomweb(shipment, DicomwebTarget.model_validate(model), work_context(task))
    return len(stored)


def by_c_store(peer: Orthanc, task: Task) -> int:
    stored: list[Path] = []
    model = {"type": "dicom", "host": HOST, "port": peer.port, "aet": "ORTHANC"}
    shipment = shipment_of(task, stored)
    send_to_dicom(shipment, DicomTarget.model_validate(model), work_context(task))
    return len(stored)


def new_task(folder: Path) -> Task:
    task = make_task(folder, {"dispatch": {}}, images={})
    for image in write_series(folder / "series").iterdir():
        image.rename(task.folder / image.name)
    (folder / "series").rmdir()
    return task


def main() -> None:
    os.environ["NO_PROXY"] = HOST
    with (
        tempfile.TemporaryDirectory() as name,
        orthanc(Path(name, "peer"), Plugins=[DICOMWEB]) as peer,
    ):
        senders: dict[str, Callable[[Task], int]] = {"C-STORE": partial(by_c_store, peer)}
        senders |= {f"STOW-RS, batch {each:2}": partial(by_stow, peer, each) for each in BATCHES}
        rates: dict[str, list[float]] = {each: [] for each in senders}
        for _ in range(ROUNDS):
            for each, send in senders.items():
                task = new_task(Path(name, "task"))
                began = time.perf_counter()
                assert send(task) == IMAGES
                rates[each].append(IMAGES / (time.perf_counter() - began))
                shutil.rmtree(task.folder)
        for each, found in rates.items():
            print(f"{each:20} {statistics.median(found):6.0f} images/s")


if __name__ == "__main__":
    main()
