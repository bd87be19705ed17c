"""What collecting studies cost: a pass over 5,000 that did not change, and a study of many series.

Run by ``python -m tests.benchmarks.collecting``. A pass is compared with the bare `os.scandir` and
the ``stat`` of each study and its task file, and with reading every task file.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from mroute.router import Routing, route_series, route_studies
from mroute.service import open_site
from mroute.spool.layout import TASK_FILE, Spool
from mroute.spool.studies import read_study
from tests.benchmarks.scanning import interleaved
from tests.e2e.sites import plugins_with, write_rules

STUDIES = 5_000
SERIES = (10, 100, 500)
UID = "1.2.826.0.1.3680043.8.498.1234567890"

RULES = """\
version: 1
timing: {series_complete_after: 0s, study_complete_after: 1h}
settings: {durability: process}
targets: {pacs: {type: dummy}}
rules:
  quiet: {when: "tags.Modality == 'CT'", action: route, targets: [pacs], on: study,
          study: {complete: timeout, after: 2d}}
  named: {when: "tags.Modality == 'MR'", action: route, targets: [pacs], on: study,
          study: {complete: received_series, series: "'T1' and ('T2' or 'FLAIR')", after: 2d}}
"""


def arrive(spool: Spool, number: int, study: int) -> None:
    """A series of one image of a study; its folder is dated into the past."""
    uid = f"{UID}.{study}.{number}"
    folder = spool.incoming / uid
    folder.mkdir()
    name = f"{uid}#{uid}.0"
    (folder / f"{name}.dcm").touch()
    tags = {
        "SeriesInstanceUID": uid,
        "SOPInstanceUID": f"{uid}.0",
        "StudyInstanceUID": f"{UID}.{study}",
        "SeriesDescription": f"T1 {number}",
        "Modality": ("CT", "MR")[study % 2],
        **{f"Tag{each}": "a value of usual length" for each in range(40)},
    }
    (folder / f"{name}.tags").write_text(json.dumps(tags))
    os.utime(folder, (1, 1))


def bare(spool: Spool) -> None:
    with os.scandir(spool.studies) as entries:
        for entry in entries:
            entry.stat()
            Path(entry.path, TASK_FILE).lstat()


def parsed(spool: Spool) -> None:
    for folder in spool.studies.glob("[!.]*"):
        read_study(folder)


def passes(root: Path) -> None:
    file = write_rules(root, RULES)
    hooks, registry = plugins_with()
    stop = threading.Event()

    def soon() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=1)

    with open_site(file, hooks, registry, soon) as site:
        routing = Routing(lambda: site)
        for study in range(STUDIES):
            arrive(site.spool, 0, study)
        assert route_series(routing, stop) == STUDIES
        before = time.process_time()
        assert route_studies(routing, stop) == 0
        print(
            f"{(time.process_time() - before) * 1000:8.1f} ms  the first pass, which asks for all"
        )
        medians = interleaved(
            {
                "bare scandir and stat": lambda: bare(site.spool),
                "a pass": lambda: route_studies(routing, stop),
                "every task file read": lambda: parsed(site.spool),
            }
        )
    for name, seconds in medians.items():
        ratio = seconds / medians["bare scandir and stat"]
        print(f"{seconds * 1000:8.1f} ms  {ratio:5.2f} times  {name}, {STUDIES:,} studies")


def joins(root: Path) -> None:
    file = write_rules(root, RULES)
    hooks, registry = plugins_with()
    with open_site(file, hooks, registry) as site:
        routing = Routing(lambda: site)
        done = 0
        for many in SERIES:
            for number in range(done, many):
                arrive(site.spool, number, 0)
            before = time.process_time()
            routed = route_series(routing, threading.Event())
            seconds = time.process_time() - before
            print(f"{seconds / routed * 1000:8.2f} ms  to join, of {done} to {many} series")
            done = many


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as root:
        passes(Path(root))
    with tempfile.TemporaryDirectory() as root:
        joins(Path(root))


if __name__ == "__main__":
    main()
