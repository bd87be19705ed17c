"""What metrics cost: an event that is counted, and a scrape while 10,000 tasks wait.

Run by ``python -m tests.benchmarks.metrics``. A task is for two targets, one of which has confirmed
100 images; beside the look for a scrape stands that of ``mroute spool ls``.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import mroute_metrics
from mroute.api import Event, SeriesDecided, SeriesReceived, SubjectPlanned, TaskSettled
from mroute.overview import Overview
from mroute.service import open_site
from mroute.site import Site
from mroute.spool.upkeep.listing import Look
from mroute.testing import hooks_of
from mroute_metrics.counting import Counting
from mroute_metrics.recorder import RECORDER
from mroute_metrics.waiting import WaitingMetrics
from tests.benchmarks.scanning import interleaved
from tests.e2e.sites import HEAD, plugins_with, write_rules
from tests.hooks.fakes import plugin
from tests.plugins.metrics import context_of, page
from tests.unit.spool.test_queue import NOW, make_task

TASKS = 10_000
EVENTS = 20_000
ROUNDS = 7

CALLS: dict[str, Event] = {
    "not counted": SubjectPlanned("claim", "1.2.3", ("outgoing",), 0, 0, 500, 0.01),
    "series received": SeriesReceived("claim", "1.2.3", 500, 0, 0.01),
    "series decided, 3 rules": SeriesDecided("claim", "1.2", ("a", "b", "c"), None, False, 0.001),
    "task settled": TaskSettled("task", "outgoing", "done", "sent to 'pacs'", 1.0),
}


def microseconds(tell: Callable[[Event], None], event: Event) -> float:
    """What telling an event takes of the processor, the median of the rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(EVENTS):
            tell(event)
        found.append((time.process_time() - began) / EVENTS * 1e6)
    return statistics.median(found)


def ignore(event: Event) -> None:
    """An observer that does nothing."""


def measure_events() -> None:
    without = hooks_of(plugin("mroute_event", ignore))
    with_it = hooks_of(plugin("mroute_event", ignore), mroute_metrics)
    off = {name: microseconds(with_it.event, event) for name, event in CALLS.items()}
    RECORDER.begin()
    print("microseconds of an event: without the plugin, with it and no metrics, with metrics")
    for name, event in CALLS.items():
        bare, on = microseconds(without.event, event), microseconds(with_it.event, event)
        print(f"{bare:8.2f} {off[name]:8.2f} {on:8.2f}  {name}")
    RECORDER.end()


def make_tasks(site: Site) -> None:
    later = (NOW + timedelta(minutes=1)).isoformat()
    stored = {"state": "stored", "status": "0000", "reason": ""}
    instances = {f"1.2.3.4.5#1.2.3.4.5.{number}.dcm": stored for number in range(100)}
    tried = {"state": "waiting", "time": NOW.isoformat(), "reason": "", "instances": instances}
    section = {"target_name": ["pacs", "archive"], "status": {"pacs": tried}}
    for number in range(TASKS):
        path = make_task(site.spool, str(number)) / "task.json"
        content = json.loads(path.read_text())
        content["dispatch"] = {**section, "retries": 1, "next_retry_at": later}
        path.write_text(json.dumps(content))


def measure_scrapes() -> None:
    hooks, registry = plugins_with()
    with tempfile.TemporaryDirectory() as folder:
        file = write_rules(Path(folder), HEAD)
        with open_site(file, hooks, registry, lambda: NOW) as site:
            make_tasks(site)
            known = Overview(lambda: site)
            known.waiting()
            counting = Counting()
            context = context_of(known.waiting, known.targets)
            once = WaitingMetrics(context, counting.targets, lambda: 0.0)
            counting.figures.registry.register(once)
            sections = {name: queue.section for name, queue in registry.queues.items()}
            medians = interleaved(
                {
                    "the first look": lambda: Overview(lambda: site).waiting(),
                    "each look after it": known.waiting,
                    "the rest of a scrape": lambda: page(counting),
                    "the look of mroute spool ls": lambda: Look(site.spool, NOW, sections).items(),
                }
            )
    for name, seconds in medians.items():
        print(f"{seconds * 1000:8.1f} ms  {name}, {TASKS:,} tasks")


if __name__ == "__main__":
    measure_events()
    measure_scrapes()
