"""What waits, as a scrape tells it: counts, ages, targets, and how often the spool is looked at.

Knows what services may ask. Does not know the spool.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from mroute.api import WaitingItem
from mroute.testing import NOW, MovingClock
from mroute_metrics.counting import Counting
from mroute_metrics.names import Names
from mroute_metrics.waiting import LEAST, SHARE, WaitingMetrics
from tests.plugins.metrics import Samples, context_of, page, parsed

HOUR = timedelta(hours=1)


@dataclass
class Spool:
    """What waits in it, how long a look takes, and how often it was looked at."""

    items: Sequence[WaitingItem] = ()
    targets: dict[str, datetime | None] = field(default_factory=dict)
    error: Exception | None = None
    takes: float = 0.0
    looks: int = 0
    seconds: float = 0.0

    def look(self) -> Sequence[WaitingItem]:
        self.looks += 1
        self.seconds += self.takes
        if self.error:
            raise self.error
        return self.items


class Scrapes:
    """Pages of metrics of a spool."""

    def __init__(self, spool: Spool) -> None:
        self.spool, self.clock = spool, MovingClock()
        self.failures: dict[str, int] = {}
        context = context_of(spool.look, lambda: spool.targets, self.clock, self.failures)
        self.counting = Counting()
        metrics = WaitingMetrics(context, Names(most=3), lambda: spool.seconds)
        self.counting.figures.registry.register(metrics)

    def scrape(self) -> Samples:
        return parsed(page(self.counting))

    def later(self, seconds: float) -> Samples:
        self.spool.seconds += seconds
        return self.scrape()


def task(state: str, hours: int, *targets: str) -> WaitingItem:
    return WaitingItem("outgoing", state, NOW - hours * HOUR, targets)


def test_what_waits_is_told_by_queue_state_and_target() -> None:
    items = [
        task("retry", 3, "pacs"),
        task("waiting", 2, "pacs", "archive"),
        WaitingItem("processing", "waiting", NOW - HOUR),
        WaitingItem("studies", "collecting", NOW - 5 * HOUR),
        WaitingItem("error", "dead", NOW),
    ]
    found = Scrapes(Spool(items, {"pacs": NOW, "archive": None})).scrape()
    expected = {
        'waiting_items{queue="outgoing",state="retry"}': 1.0,
        'waiting_items{queue="outgoing",state="waiting"}': 1.0,
        'waiting_items{queue="processing",state="waiting"}': 1.0,
        'waiting_items{queue="studies",state="collecting"}': 1.0,
        'waiting_items{queue="error",state="dead"}': 1.0,
        'waiting_items{queue="incoming",state="arriving"}': 0.0,
        'waiting_items{queue="outbox",state="waiting"}': 0.0,
        'waiting_oldest_seconds{queue="outgoing"}': 3 * 3600.0,
        'waiting_oldest_seconds{queue="processing"}': 3600.0,
        'waiting_oldest_seconds{queue="studies"}': 5 * 3600.0,
        'waiting_oldest_seconds{queue="error"}': 0.0,
        'waiting_oldest_seconds{queue="incoming"}': 0.0,
        'waiting_oldest_seconds{queue="outbox"}': 0.0,
        'target_waiting_tasks{queue="outgoing",target="pacs"}': 2.0,
        'target_waiting_tasks{queue="outgoing",target="archive"}': 1.0,
        'target_oldest_seconds{queue="outgoing",target="pacs"}': 3 * 3600.0,
        'target_oldest_seconds{queue="outgoing",target="archive"}': 2 * 3600.0,
        'target_up{target="pacs"}': 0.0,
        'target_up{target="archive"}': 1.0,
        "spool_readable": 1.0,
        "spool_look_seconds": 0.0,
    }
    told = ("mroute_waiting", "mroute_target_", "mroute_spool")
    assert {key: value for key, value in found.items() if key.startswith(told)} == {
        f"mroute_{key}": value for key, value in expected.items()
    }


def test_a_target_that_the_rule_file_does_not_have_is_not_named() -> None:
    items = [task("waiting", 1, "MARKED^PATIENT"), task("waiting", 2, "a", "b", "MARKED")]
    found = Scrapes(Spool(items, dict.fromkeys("abcde"))).scrape()
    key = 'mroute_target_waiting_tasks{queue="outgoing",target="%s"}'
    assert found[key % "other"] == 2.0
    assert found[key % "a"] == 1.0
    assert not [each for each in found if "MARKED" in each]
    assert sum(each.startswith("mroute_target_up") for each in found) == 4  # three, and the others


def test_an_age_grows_though_nobody_looks_and_is_never_below_zero() -> None:
    scrapes = Scrapes(Spool([task("waiting", 1)]))
    key = 'mroute_waiting_oldest_seconds{queue="outgoing"}'
    assert scrapes.scrape()[key] == 3600.0
    scrapes.clock.move(HOUR)
    assert scrapes.scrape()[key] == 7200.0
    scrapes.clock.move(-3 * HOUR)
    assert scrapes.scrape()[key] == 0.0
    assert scrapes.spool.looks == 1


def test_what_was_there_once_is_told_of_when_it_is_gone() -> None:
    scrapes = Scrapes(Spool([task("retry", 1, "pacs")], {"pacs": None}))
    scrapes.scrape()
    scrapes.spool.items = ()
    found = scrapes.later(LEAST)
    assert found['mroute_waiting_items{queue="outgoing",state="retry"}'] == 0.0
    assert found['mroute_waiting_oldest_seconds{queue="outgoing"}'] == 0.0
    assert found['mroute_target_waiting_tasks{queue="outgoing",target="pacs"}'] == 0.0


def test_the_spool_is_not_looked_at_more_often_than_is_good_for_it() -> None:
    scrapes = Scrapes(Spool(takes=0.01))
    for _ in range(10):
        scrapes.scrape()
    assert scrapes.spool.looks == 1
    scrapes.later(LEAST)
    assert scrapes.spool.looks == 2
    scrapes.spool.takes = 3.0
    assert scrapes.later(LEAST)["mroute_spool_look_seconds"] == 3.0
    scrapes.later(3.0 / SHARE - 0.1)
    assert scrapes.spool.looks == 3
    scrapes.later(0.2)
    assert scrapes.spool.looks == 4


@pytest.mark.parametrize("error", [OSError("gone"), KeyError("of a plugin")])
def test_a_spool_that_cannot_be_looked_at_is_told_and_hides_nothing_else(error: Exception) -> None:
    scrapes = Scrapes(Spool([task("retry", 1)]))
    scrapes.scrape()
    scrapes.spool.error = error
    found = scrapes.later(LEAST)
    assert found["mroute_spool_readable"] == 0.0
    assert found["mroute_series_received_total"] == 0.0
    assert not [key for key in found if key.startswith("mroute_waiting")]
    scrapes.later(0.1)
    assert scrapes.spool.looks == 2
    scrapes.spool.error = None
    found = scrapes.later(LEAST)
    assert found["mroute_spool_readable"] == 1.0
    assert found['mroute_waiting_items{queue="outgoing",state="retry"}'] == 1.0


def test_plugins_that_raised_are_counted() -> None:
    scrapes = Scrapes(Spool())
    assert not [key for key in scrapes.scrape() if "plugin_errors" in key]
    scrapes.failures |= {"webhook": 2, "1.2.840.10008.1": 1}
    found = scrapes.scrape()
    assert found['mroute_plugin_errors_total{plugin="webhook"}'] == 2.0
    assert found['mroute_plugin_errors_total{plugin="other"}'] == 1.0


def test_of_several_who_ask_at_once_one_looks() -> None:
    begun, may_end = threading.Event(), threading.Event()

    class Slow(Spool):
        def look(self) -> Sequence[WaitingItem]:
            begun.set()
            assert may_end.wait(30)
            return super().look()

    scrapes, pages = Scrapes(Slow([task("retry", 1)])), list[Samples]()
    threads = [
        threading.Thread(target=lambda: pages.append(scrapes.scrape()), daemon=True)
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    may_end.set()
    for thread in threads:
        thread.join()
    assert scrapes.spool.looks == 1
    key = 'mroute_waiting_items{queue="outgoing",state="retry"}'
    assert [each[key] for each in pages] == [1.0, 1.0, 1.0]
