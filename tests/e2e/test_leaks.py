"""``mroute run`` under a steady load for minutes: neither its memory nor its open files grow.

Knows how processes are measured from outside. Does not know what runs inside.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from mroute.testing import make_task, write_dicom
from tests.interop.images import CT
from tests.interop.peers import free_port, mroute, storescp, until
from tests.interop.test_receiving import all_below
from tests.interop.test_sending import send

pytestmark = [pytest.mark.slow, pytest.mark.interop]

RULES = """\
version: 1
timing: {{series_complete_after: 1s, study_complete_after: 2s}}
settings:
  durability: process
  dicom:
    receiver: {{port: {port}, bind: 127.0.0.1}}
  housekeeping: {{success: 20s, discard: 20s, min_free: 0, every: 5s}}
targets:
  pacs: {{type: dicom, host: 127.0.0.1, port: {pacs}, aet: PACS}}
  archive: {{type: folder, path: archive}}
rules:
  everything:
    when: tags.Modality == 'CT'
    action: route
    targets: [pacs, archive]
  studies:
    when: tags.Modality == 'CT'
    action: route
    on: study
    study: {{complete: timeout}}
    targets: [archive]
"""

IMAGES = 4
PAUSE = 0.3
"""Seconds between two series: the load of three of them a second is steady on two processors."""
EVERY = 2.0
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Look:
    """What all processes of mroute hold together: memory in MB, and open files."""

    memory: float
    files: float


def look_at(pid: int) -> Look:
    pages = files = 0
    for each in all_below(pid):
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
            files += len(list(Path(f"/proc/{each}/fd").iterdir()))
        except FileNotFoundError:  # it has ended meanwhile
            continue
    return Look(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, files)


def average(looks: list[Look]) -> Look:
    return Look(mean(each.memory for each in looks), mean(each.files for each in looks))


def sent_series(folder: Path, port: int) -> Iterator[int]:
    """Send one series after the other, each of its own study; the number of images so far."""
    image = dcmread(write_dicom(folder / "image.dcm", SOPClassUID=CT, Modality="CT"))
    sent = 0
    while True:
        task = make_task(folder / "series", {"dispatch": {}}, images={})
        image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
        for number in range(IMAGES):
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            image.save_as(task.folder / f"{number}.dcm")
        stored, refused = send(task, port)
        assert (len(stored), refused) == (IMAGES, {})
        shutil.rmtree(task.folder)
        sent += IMAGES
        yield sent


def count(folder: Path, pattern: str) -> int:
    return sum(1 for _ in folder.glob(pattern))


def test_neither_memory_nor_open_files_grow(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    minutes = float(request.config.getoption("--leak-minutes"))
    port, looks = free_port(), list[Look]()
    site, pacs = tmp_path / "site", tmp_path / "pacs"
    with storescp(pacs, fork=True) as storing:
        rules = RULES.format(port=port, pacs=storing)
        with mroute(site, rules, port) as process:
            sent = _load(sent_series(tmp_path, port), process.pid, minutes * 60, looks.append)
            until(lambda: count(pacs, "*.dcm") == sent, "the last images")
            until(lambda: count(site / "archive", "[!.]*/*.dcm") == 2 * sent, "the last studies")
            log = (site / "log").read_text()
    before, after = average(looks[len(looks) // 4 : len(looks) // 2]), average(looks[-30:])
    sys.stdout.write(f"\n{sent} images in {minutes:g} minutes: {before} became {after}\n")
    assert sent > 100 * minutes
    assert "is started again" not in log
    assert after.memory < before.memory * 1.03 + 2
    assert after.files < before.files + 3


def _load(series: Iterator[int], pid: int, seconds: float, note: Callable[[Look], None]) -> int:
    """Send series for so many seconds, and look at the processes; the number of images sent."""
    end, due, sent = time.monotonic() + seconds, 0.0, 0
    while (now := time.monotonic()) < end:
        sent = next(series)
        if now >= due:
            note(look_at(pid))
            due = now + EVERY
        time.sleep(PAUSE)
    return sent
