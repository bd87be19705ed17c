"""What routing a series costs, beside the bare file operations that its durability needs.

Run by ``python -m tests.benchmarks.routing``. A series is 64 images of 0.5 MB with their tags. The
targets are ratios of 2 at most, for one rule to one target and for three rules to three targets.
What `mroute` is measured at is everything from the look into ``incoming/`` to the released source:
rules, plans, hooks, log lines, locks and all. `Bare` does what any router would have to do.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mroute.hooks import Hooks
from mroute.logs import configure_logs
from mroute.registry import Registry
from mroute.router import Routing, route_series
from mroute.service import open_site

IMAGE = 528_000
"""Bytes of an image. Nobody reads them here, so they are holes in a file: to write gigabytes before
each round would measure the disk."""
TAGS = 48

BATCH = 8
"""Series that wait at once: a pass routes them one after the other."""

Route = Callable[[list[str]], None]
"""Routes the series of these UIDs, which are all that wait."""


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: how many rules and targets, how many images, and the durability."""

    name: str
    targets: int
    images: int
    durability: str


CASES = (
    Case("one target", 1, 64, "power"),
    Case("one target", 1, 64, "process"),
    Case("three targets", 3, 64, "power"),
    Case("three targets", 3, 64, "process"),
    Case("one target", 1, 8, "power"),
    Case("one target", 1, 512, "power"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=12, help=f"passes over {BATCH} series each")
    rounds = parser.parse_args().rounds
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            _report(case, _measure(Path(folder), case, rounds))


def _report(case: Case, found: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(times) for name, times in found.items()}
    parts = ", ".join(f"{name} {seconds * 1000:.2f} ms" for name, seconds in medians.items())
    ratio = medians["mroute"] / medians["bare"]
    what = f"{case.name}, {case.images} images, durability {case.durability}"
    print(f"{ratio:5.2f} times   {what}: {parts}", flush=True)


def _measure(root: Path, case: Case, rounds: int) -> dict[str, list[float]]:
    """Seconds a series, by who routed it; they take turns to route a batch."""
    bare = Bare(root / "bare", case)
    found: dict[str, list[float]] = {}
    with _mroute(root / "site", case) as (incoming, route):
        ways: dict[str, tuple[Path, Route]] = {
            "mroute": (incoming, route),
            "bare": (bare.incoming, bare.route),
        }
        for number in range(rounds + 1):
            uids = [f"1.2.826.0.1.{number}.{index}" for index in range(BATCH)]
            for folder, _ in ways.values():
                for uid in uids:
                    _drop(folder, uid, case.images)
            os.sync()  # what arrived is on disk, and no part of what is measured
            order = list(ways.items())
            # Whoever is first after that pays for it, so they take turns.
            for name, (_, how) in order if number % 2 else reversed(order):
                before = time.perf_counter()
                how(uids)
                if number:  # the first round warms the caches
                    spent = (time.perf_counter() - before) / BATCH
                    found.setdefault(name, []).append(spent)
    return found


@contextmanager
def _mroute(root: Path, case: Case) -> Iterator[tuple[Path, Route]]:
    root.mkdir()
    targets = [f"target{number}" for number in range(case.targets)]
    rules = {
        "version": 1,
        "timing": {"series_complete_after": "0s"},
        "settings": {"durability": case.durability},
        "targets": {name: {"type": "folder", "path": name} for name in targets},
        "rules": {
            f"rule-{name}": {"when": "tags.Modality == 'CT'", "action": "route", "targets": [name]}
            for name in targets
        },
    }
    file = root / "mroute.json"
    file.write_text(json.dumps(rules))
    hooks = Hooks.load()
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stderr(nowhere),
        open_site(file, hooks, Registry.collect(hooks), _later) as site,
    ):
        configure_logs(log_phi=False, as_json=True)
        routing = Routing(lambda: site)

        def route(uids: list[str]) -> None:
            assert route_series(routing, threading.Event()) == len(uids)

        yield site.spool.incoming, route
        tasks = list((site.spool.root / "outgoing").iterdir())
        assert len({path.name for path in tasks}) == len(tasks)


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=5)


class Bare:
    """The file operations that are needed: links for all but one taker, task files, renames.

    With ``power`` the task files and the folders that changed are flushed, as late as may be.
    """

    def __init__(self, root: Path, case: Case) -> None:
        self.incoming = root / "incoming"
        self._staging = root / ".staging"
        self._outgoing = root / "outgoing"
        self._case = case
        self._task = json.dumps({"id": "0" * 36, "info": "x" * 1200}).encode()
        for folder in (self.incoming, self._staging, self._outgoing):
            folder.mkdir(parents=True)

    def route(self, uids: list[str]) -> None:
        for uid in uids:
            self._route(uid)

    def _route(self, uid: str) -> None:
        claimed = os.path.join(self._staging, uid)
        os.rename(os.path.join(self.incoming, uid), claimed)
        staged = [claimed]
        for number in range(1, self._case.targets):
            copy = f"{claimed}.{number}"
            os.mkdir(copy)
            for name in os.listdir(claimed):
                os.link(os.path.join(claimed, name), os.path.join(copy, name))
            staged.append(copy)
        for folder in staged:
            self._write(os.path.join(folder, "task.json"))
            if len(staged) > 1:
                self._flush(folder)
        for folder in staged:
            os.rename(folder, os.path.join(self._outgoing, os.path.basename(folder)))
        for changed in (self.incoming, self._staging, self._outgoing):
            self._flush(os.fspath(changed))

    def _write(self, path: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, self._task)
        if self._case.durability == "power":
            os.fsync(descriptor)
        os.close(descriptor)

    def _flush(self, folder: str) -> None:
        if self._case.durability == "power":
            descriptor = os.open(folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def _drop(incoming: Path, uid: str, images: int) -> None:
    """A series as a receiver leaves it."""
    folder = incoming / uid
    folder.mkdir()
    common = {f"Tag{number}": "a value of usual length" for number in range(TAGS)}
    for number in range(images):
        sop = f"{uid}.{number}"
        tags = {"SeriesInstanceUID": uid, "SOPInstanceUID": sop, "Modality": "CT", **common}
        with (folder / f"{uid}#{sop}.dcm").open("wb") as image:
            image.truncate(IMAGE)
        (folder / f"{uid}#{sop}.tags").write_text(json.dumps(tags))


if __name__ == "__main__":
    main()
