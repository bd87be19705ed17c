"""What waiting costs: a scan of 10,000 series, the survey of one, and the memory for many images.

Run by ``python -m tests.benchmarks.scanning``. A scan may take 3 times as long as the bare
`os.scandir` and `stat` of the same folders; memory must not grow with the number of images.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import statistics
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from mroute.models import Durability
from mroute.router import Routing, route_series
from mroute.service import open_site
from mroute.spool.arrivals.incoming import Incoming
from mroute.spool.arrivals.survey import survey
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.types import Tags
from tests.e2e.sites import ROUTE, plugins_with, write_rules

SERIES = 10_000
ROUNDS = 15
QUIET = timedelta(seconds=60)
SENDERS = {"SCANNER1": timedelta(seconds=10), "SCANNER2": timedelta(minutes=5)}
UID = "1.2.826.0.1.3680043.8.498.1234567890"


def series(folder: Path, uid: str, images: int) -> None:
    """A series as it waits; its images are empty files."""
    folder.mkdir()
    for number in range(images):
        name = f"{uid}#{uid}.{number}"
        (folder / f"{name}.dcm").touch()
        tags = {"SeriesInstanceUID": uid, "SOPInstanceUID": f"{uid}.{number}", "SenderAET": "CT1"}
        (folder / f"{name}.tags").write_text(json.dumps(tags))


def bare(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.stat()


def interleaved(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of CPU that each call takes, the median of the rounds."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            before = time.process_time()
            call()
            found[name].append(time.process_time() - before)
    return {name: statistics.median(times) for name, times in found.items()}


def scans(root: Path) -> None:
    spool = Spool(root / "spool")
    spool.prepare(())
    now = datetime.now(UTC)
    for number in range(SERIES):
        folder = spool.incoming / f"{UID}.{number}"
        series(folder, f"{UID}.{number}", 1)
        # Between the times of the senders: whether it is complete depends on who sent it.
        os.utime(folder, (now.timestamp() - 30, now.timestamp() - 30))
    plain, chosen = Incoming(spool), Incoming(spool)
    before = time.process_time()
    chosen.scan(now, QUIET, SENDERS)
    print(f"{(time.process_time() - before) * 1000:8.1f} ms  the first scan, which reads all tags")
    waiting = plain.scan(now, QUIET).pending
    assert len(waiting) == SERIES
    chosen.pending_by_study(waiting)
    medians = interleaved(
        {
            "bare scandir and stat": lambda: bare(spool.incoming),
            "scan": lambda: plain.scan(now, QUIET),
            "scan, times of senders": lambda: chosen.scan(now, QUIET, SENDERS),
            "series of waiting studies": lambda: chosen.pending_by_study(waiting),
        }
    )
    for name, seconds in medians.items():
        ratio = seconds / medians["bare scandir and stat"]
        print(f"{seconds * 1000:8.1f} ms  {ratio:5.2f} times  {name}, {SERIES:,} series")


def surveys(root: Path) -> None:
    def no_reader(path: Path) -> Tags:
        raise AssertionError(path)

    for images in (64, 20_000):
        folder = root / str(images)
        series(folder, UID, images)
        files = Files(Durability.PROCESS)
        medians = interleaved(
            {
                "bare scandir and stat": partial(bare, folder),
                "survey": partial(survey, folder, no_reader, files),
            }
        )
        ratio = medians["survey"] / medians["bare scandir and stat"]
        for name, seconds in medians.items():
            print(f"{seconds * 1000:8.2f} ms  {name}, {2 * images:,} files")
        print(f"{ratio:8.2f} times")


def memory(root: Path, waiting: int, images: int) -> int:
    """Peak of bytes while a router routes one series of 8 images and ``waiting`` others wait."""
    spool = Spool(root / "spool")
    spool.incoming.mkdir(parents=True)
    file = write_rules(root, ROUTE.replace("after: 0s", "after: 1h", 1))
    series(spool.incoming / UID, UID, 8)
    os.utime(spool.incoming / UID, (1, 1))
    for number in range(waiting):
        series(spool.incoming / f"{UID}.{number}", f"{UID}.{number}", images)
    hooks, registry = plugins_with()
    with open_site(file, hooks, registry) as site:
        routing = Routing(lambda: site)
        gc.collect()
        tracemalloc.start()
        routed = route_series(routing, threading.Event())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert routed == 1
    return peak


def main() -> None:
    with tempfile.TemporaryDirectory() as root:
        scans(Path(root))
    with tempfile.TemporaryDirectory() as root:
        surveys(Path(root))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for waiting, images in ((1, 1), (1, 1), (20, 1), (20, 100), (20, 1000)):
        with tempfile.TemporaryDirectory() as root:
            peak = memory(Path(root), waiting, images)
        print(f"{peak / 1000:8.0f} kB  peak, {waiting * images:,} images in {waiting} series wait")


if __name__ == "__main__":
    main()
