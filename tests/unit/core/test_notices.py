"""Notifications are tried again, given up in time, and no destination delays another.

Knows a site with channels of its own and a clock that is moved by hand. Does not know any channel
of mroute's.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from mroute.api import (
    ChannelBase,
    ChannelType,
    Delivery,
    DeliveryError,
    DeliverySettled,
    Event,
    NoticeEvent,
    hookimpl,
)
from mroute.notices import Notices
from mroute.service import open_site
from mroute.site import Site
from mroute.spool import outbox
from tests.e2e.sites import plugins_with, write_rules

MINUTE = timedelta(minutes=1)
SECONDS = 60.0


@dataclass
class Channel:
    """A channel that notes what it is given; ``fails`` maps a destination to what it raises."""

    given: list[tuple[str, str]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    hangs: dict[str, threading.Event] = field(default_factory=dict)
    begun: dict[str, threading.Event] = field(default_factory=dict)

    @hookimpl
    def mroute_notification_channels(self) -> list[ChannelType]:
        return [ChannelType("bell", ChannelBase, self.deliver)]

    def deliver(self, delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
        self.given.append((delivery.destination, delivery.body))
        if begun := self.begun.get(delivery.destination):
            begun.set()
        if hang := self.hangs.get(delivery.destination):
            assert hang.wait(SECONDS)
        if error := self.fails.get(delivery.body) or self.fails.get(delivery.destination):
            raise error


@dataclass
class Run:
    """A site, the channel, and the notices that are delivered by it."""

    site: Site
    channel: Channel
    now: list[datetime]
    settled: list[DeliverySettled]
    stop: threading.Event = field(default_factory=threading.Event)
    age: int = 0

    def __post_init__(self) -> None:
        self.notices = Notices(lambda: self.site, self.stop)

    def put(self, destination: str, *bodies: str) -> None:
        """Put messages into the outbox, each older than the next."""
        for body in bodies:
            delivery = Delivery(
                "bell", "r", NoticeEvent.ERROR, f"task {body}", {}, body, destination
            )
            outbox.put(self.site.spool, self.site.files, [delivery], self.now[0])
            self.age += 1  # a file system may date two of them alike
            path = self.site.spool.outbox / f"{delivery.delivery_id(0)}.json"
            os.utime(path, (self.age, self.age))

    def later(self, time: timedelta) -> int:
        self.now[0] += time
        return self.notices.deliver_due()

    def attempts(self, step: timedelta, steps: int) -> list[int]:
        """The steps at which a message was tried."""
        tried = []
        for number in range(steps):
            before = len(self.channel.given)
            self.later(step if number else timedelta())
            if len(self.channel.given) > before:
                tried.append(number)
        return tried

    def waiting(self) -> list[dict[str, Any]]:
        found = []
        for path in self.site.spool.outbox.glob("*.json"):
            with suppress(FileNotFoundError):  # it was delivered just now
                found.append(json.loads(path.read_text()))
        return found

    def dead(self) -> list[str]:
        letters = self.site.spool.queue("error").glob("*/reason.json")
        return sorted(json.loads(path.read_text())["reason"] for path in letters)

    def kinds(self) -> list[str]:
        return [each.settlement for each in self.settled]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Begins a run on the same spool; another one knows nothing but what is in that."""
    with contextmanager(_runs)(tmp_path) as begin:
        yield begin


def _runs(folder: Path) -> Iterator[Callable[..., Run]]:
    begun: list[Run] = []
    sites = []

    def begin(timing: str = "", now: datetime | None = None) -> Run:
        channel, settled = Channel(), list[DeliverySettled]()
        hooks, registry = plugins_with(bell=channel)

        def listen(event: Event) -> None:
            if isinstance(event, DeliverySettled):
                settled.append(event)

        hooks.listen(listen)
        clock = [now or datetime(2026, 11, 23, 12, tzinfo=UTC)]
        file = write_rules(folder, f"version: 1\ntiming: {{{timing}}}\nrules: {{}}\n")
        opened = open_site(file, hooks, registry, lambda: clock[0])
        sites.append(opened)
        run = Run(opened.__enter__(), channel, clock, settled)
        begun.append(run)
        return run

    try:
        yield begin
    finally:
        for run in begun:
            run.notices.close()
        for site in sites:
            site.__exit__(None, None, None)


Begin = Callable[..., Run]


def test_what_is_due_is_delivered_in_order(begin: Begin) -> None:
    run = begin()
    run.put("a", "1", "2", "3")
    assert run.notices.deliver_due() == 3
    assert run.channel.given == [("a", "1"), ("a", "2"), ("a", "3")]
    assert run.kinds() == ["done"] * 3
    assert run.waiting() == []


def test_a_destination_that_fails_rests_and_no_other_does(begin: Begin) -> None:
    run = begin()
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", "1", "2", "3")
    run.put("b", "4", "5")
    assert run.notices.deliver_due() == 2
    assert sorted(run.channel.given) == [("a", "1"), ("b", "4"), ("b", "5")]
    assert run.later(timedelta(seconds=14)) == 0
    assert len(run.channel.given) == 3


def test_rests_grow_up_to_retry_after(begin: Begin) -> None:
    run = begin("probe_after: 15s, retry_after: 2m")
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", "1")
    tried = run.attempts(timedelta(seconds=1), 600)
    assert tried == [0, 15, 45, 105, 225, 345, 465, 585]


def test_the_growth_goes_on_whichever_message_is_tried(begin: Begin) -> None:
    run = begin("probe_after: 1m, retry_after: 4m")
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", *"123456")
    tried = run.attempts(MINUTE, 12)
    assert tried == [0, 1, 3, 7, 11]
    assert len({body for _, body in run.channel.given}) == 5  # the older before the newer, in turn


def test_a_message_that_is_refused_for_ever_does_not_starve_the_others(begin: Begin) -> None:
    run = begin()
    run.channel.fails["poison"] = DeliveryError("400 Bad Request")
    run.put("a", "poison", *"1234")
    assert run.notices.deliver_due() == 0
    assert run.later(timedelta(seconds=15)) == 4
    assert [each["body"] for each in run.waiting()] == ["poison"]
    run.put("a", "5")
    assert run.later(MINUTE) + run.later(MINUTE) == 1


def test_a_destination_that_is_back_gets_everything_once(begin: Begin) -> None:
    run = begin()
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", *"123")
    for _ in range(23 * 60 // 5):
        run.later(5 * MINUTE)
    assert len(run.waiting()) == 3
    assert run.dead() == []
    run.channel.fails.clear()
    run.channel.given.clear()
    for _ in range(4):
        run.later(5 * MINUTE)
    assert sorted(body for _, body in run.channel.given) == ["1", "2", "3"]
    assert run.waiting() == []


def test_after_a_day_it_is_given_up_with_the_reason(begin: Begin) -> None:
    run = begin()
    run.channel.fails["a"] = DeliveryError("'https://a.example:443' answered 404 Not Found")
    run.put("a", "1", "2")
    for _ in range(24 * 60 - 1):
        run.later(MINUTE)
    assert len(run.waiting()) == 2
    run.later(MINUTE)
    assert run.waiting() == []
    reason = "given up after 1 day, 0:00:00: 'https://a.example:443' answered 404 Not Found"
    assert run.dead() == [reason, reason]
    assert run.kinds()[-2:] == ["failed", "failed"]


def test_each_message_has_an_attempt_of_its_own_before_it_is_given_up(begin: Begin) -> None:
    run = begin()
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", *"1234")
    run.later(timedelta(hours=48))  # mroute was off
    assert {body for _, body in run.channel.given} == set("1234")
    assert len(run.dead()) == 4


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("odd"), "plugin 'bell' raised ValueError: odd"),
        (KeyError("x"), "plugin 'bell' raised KeyError: 'x'"),
    ],
)
def test_any_other_error_is_final_and_keeps_no_other_waiting(
    begin: Begin, error: Exception, reason: str
) -> None:
    run = begin()
    run.channel.fails["bad"] = error
    run.put("a", "bad", "good")
    assert run.notices.deliver_due() == 2
    assert run.dead() == [reason]
    assert run.waiting() == []


def test_a_shortage_of_this_machine_is_not_final(begin: Begin) -> None:
    run = begin()
    run.channel.fails["a"] = OSError(24, "Too many open files")
    run.put("a", "1")
    run.notices.deliver_due()
    assert (run.kinds(), len(run.waiting())) == (["retry"], 1)


def test_a_channel_that_is_gone_is_final(begin: Begin) -> None:
    run = begin()
    delivery = Delivery("gong", "r", NoticeEvent.ERROR, "t", {}, "1")
    outbox.put(run.site.spool, run.site.files, [delivery], run.now[0])
    assert run.notices.deliver_due() == 1
    assert run.dead() == ["no installed plugin has the channel 'gong'"]


def test_one_that_hangs_delays_no_other(begin: Begin) -> None:
    run = begin()
    go_on = run.channel.hangs["a"] = threading.Event()
    begun = run.channel.begun["b"] = threading.Event()
    run.put("a", "1", "2")
    run.notices.begin_due()
    run.put("b", "3")
    run.notices.begin_due()
    assert begun.wait(SECONDS)
    assert ("a", "2") not in run.channel.given
    assert run.channel.given.count(("a", "1")) == 1
    go_on.set()
    run.notices.deliver_due()
    run.notices.deliver_due()
    assert sorted(run.channel.given) == [("a", "1"), ("a", "2"), ("b", "3")]
    assert run.waiting() == []


def test_the_bell_rings_when_a_destination_is_done(begin: Begin) -> None:
    run, bell = begin(), threading.Event()
    notices = Notices(lambda: run.site, run.stop, bell)
    run.put("a", "1")
    assert notices.begin_due() == 0
    assert bell.wait(SECONDS)
    assert notices.begin_due() == 1
    notices.close()


def test_it_ends_after_the_delivery_in_hand(begin: Begin) -> None:
    run = begin()
    go_on = run.channel.hangs["a"] = threading.Event()
    begun = run.channel.begun["a"] = threading.Event()
    run.put("a", "1", "2")
    run.notices.begin_due()
    assert begun.wait(SECONDS)
    run.stop.set()
    go_on.set()
    run.notices.close()
    assert run.channel.given == [("a", "1")]
    assert [each["body"] for each in run.waiting()] == ["2"]


def test_two_runs_deliver_each_message_once(begin: Begin) -> None:
    one, other = begin(), begin()
    one.put("a", *"123456789")
    one.notices.begin_due()
    other.notices.begin_due()
    while one.waiting():
        one.notices.deliver_due()
        other.notices.deliver_due()
    given = [body for _, body in one.channel.given + other.channel.given]
    assert sorted(given) == sorted("123456789")


def test_a_run_that_begins_anew_goes_on_where_the_last_one_was(begin: Begin) -> None:
    run = begin()
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", "1")
    run.notices.deliver_due()
    again = begin(now=run.now[0])
    assert again.later(timedelta(seconds=14)) == 0
    assert again.later(timedelta(seconds=1)) == 1
    assert again.channel.given == [("a", "1")]


def test_a_disk_that_is_full_loses_nothing(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin()
    run.put("a", "1")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "outbox")

    run.channel.fails["a"] = DeliveryError("no")
    with monkeypatch.context() as patch:
        patch.setattr("mroute.spool.files.Files.write_json", fail)
        assert run.notices.deliver_due() == 0
    run.channel.fails.clear()
    assert run.later(20 * MINUTE) == 1


def test_what_cannot_be_put_aside_does_not_run_hot(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin("give_up_notices_after: 0s")
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", "1")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "error")

    with monkeypatch.context() as patch:
        patch.setattr("mroute.spool.outbox._bury", fail)
        for _ in range(5):
            run.notices.deliver_due()
        assert run.channel.given == [("a", "1")]
    run.later(20 * MINUTE)
    assert run.dead() == ["given up after 0:00:00: no"]


def test_rests_of_no_time_do_not_run_hot(begin: Begin) -> None:
    run = begin("probe_after: 0s, retry_after: 0s")
    run.channel.fails["a"] = DeliveryError("no")
    run.put("a", "1")
    for _ in range(5):
        run.notices.deliver_due()
    assert len(run.channel.given) == 1
    run.later(timedelta(seconds=1))
    assert len(run.channel.given) == 2
