"""The queue ``outgoing`` at work: targets that are down, slow, halted or half done.

A target here does what the test says; those that talk DICOM are in tests/interop. The clock is the
test's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from mroute.api import (
    DeliveryError,
    Event,
    Shipment,
    TargetBase,
    TargetDownError,
    TargetType,
    WorkContext,
)
from mroute.service import open_site
from mroute.site import Site
from mroute.spool.layout import HALT_FILE, HALTED_SUFFIX
from mroute.testing import make_task
from mroute.types import JsonObject
from mroute.worker import Worker
from mroute_dispatch.section import add_dispatching
from tests.e2e.sites import plugins_with, write_rules
from tests.hooks.fakes import plugin

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

RULES = """\
version: 1
timing: {{retry_after: 15m, retry_max: 5, probe_after: 15s{timing}}}
settings: {{durability: process}}
targets:
  pacs: {{type: desk{pacs}}}
  other: {{type: desk}}
rules: {{}}
"""


class DeskTarget(TargetBase):
    type: Literal["desk"]


@dataclass
class Dispatcher:
    """A worker of the queue with its site; ``sent`` are pairs of target and task, in order."""

    root: Path
    now: datetime = START
    down: set[str] = field(default_factory=set)
    sent: list[tuple[str, str]] = field(default_factory=list)
    tries: list[tuple[str, str]] = field(default_factory=list)
    act: Callable[[Shipment], None] = lambda shipment: None
    events: list[Event] = field(default_factory=list)
    site: Site = field(init=False)
    worker: Worker = field(init=False)
    stop: threading.Event = field(default_factory=threading.Event)

    def send(self, shipment: Shipment, target: DeskTarget, context: WorkContext) -> None:
        name = shipment.target_name
        self.tries.append((name, shipment.task.id))
        if name in self.down:
            raise TargetDownError("connection refused")
        self.act(shipment)
        self.sent.append((name, shipment.task.id))

    def add(self, name: str, *targets: str, priority: str = "normal", images: int = 1) -> None:
        folder = self.site.spool.queue("outgoing") / name
        files = {f"{number:02}.dcm": b"image" for number in range(images)}
        sections: JsonObject = {"dispatch": add_dispatching(targets or ["pacs"], self.now)}
        make_task(folder, sections, files, task_id=name)
        content = json.loads((folder / "task.json").read_text())
        content["info"]["priority"] = priority
        content["journal"][0]["time"] = (START + timedelta(seconds=len(name))).isoformat()
        (folder / "task.json").write_text(json.dumps(content))

    def work(self, after: timedelta = timedelta()) -> None:
        self.now += after
        self.worker.work_due()

    def content(self, name: str, place: str = "outgoing") -> Any:
        return json.loads((self.site.spool.queue(place) / name / "task.json").read_text())

    def names(self, place: str) -> list[str]:
        folder = self.site.spool.queue(place)
        return sorted(each.name for each in folder.iterdir() if each.is_dir())

    def changes(self) -> list[tuple[str, bool]]:
        """Each target that went down, or came up."""
        facts = [each.facts() for each in self.events if each.name == "target_changed"]
        return [(each["target"], each["down"]) for each in facts]


@contextmanager
def dispatcher(root: Path, pacs: str = "", timing: str = "") -> Iterator[Dispatcher]:
    root.mkdir(exist_ok=True)
    found = Dispatcher(root)
    desk = plugin("mroute_target_types", lambda: [TargetType("desk", DeskTarget, found.send)])
    hooks, registry = plugins_with(desk=desk)
    hooks.listen(found.events.append)
    rules = RULES.format(pacs=f", {pacs}" if pacs else "", timing=f", {timing}" if timing else "")
    with open_site(write_rules(root, rules), hooks, registry, lambda: found.now) as site:
        found.site = site
        found.worker = Worker(lambda: site, registry.queues["outgoing"], found.stop)
        yield found
        found.worker.close()


def test_a_target_that_is_down_holds_only_its_own_tasks(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        run.down = {"pacs"}
        for name in ("a", "bb", "ccc"):
            run.add(name)
        run.add("mixed", "pacs", "other")
        run.work()
        assert len([name for name, _ in run.tries if name == "pacs"]) <= 2  # its concurrency
        assert ("other", "mixed") in run.sent
        assert run.names("success") == []
        assert run.changes() == [("pacs", True)]


def test_down_for_an_hour_then_a_probe_then_all_go(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site", "concurrency: 1") as run:
        run.down = {"pacs"}
        names = [f"task-{number:02}" for number in range(20)]
        for name in names:
            run.add(name)
        for _ in range(120):
            run.work(MINUTE / 2)
        tried = len(run.tries)
        assert run.names("outgoing") == names  # none was given up
        assert run.names("error") == []
        assert 5 <= tried < 20  # it was tried, and not by everybody
        run.down = set()
        run.work(15 * MINUTE)
        for _ in names:
            run.work()
        assert run.names("success") == names
        assert sorted(run.sent) == [("pacs", name) for name in names]
        assert run.changes() == [("pacs", True), ("pacs", False)]


def test_what_rests_because_the_target_was_down_goes_as_soon_as_it_is_up(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site", "concurrency: 1") as run:
        run.down = {"pacs"}
        run.add("first")
        run.work()
        assert run.content("first")["dispatch"]["next_retry_at"] is not None
        run.down = set()
        run.add("second", images=1)
        run.work(MINUTE / 2)  # after the wait of the target, long before that of the task
        run.work()
        assert run.names("success") == ["first", "second"]


def test_after_retry_max_a_task_is_given_up_and_a_redrive_sends_it(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        run.down = {"pacs"}
        run.add("a")
        for _ in range(7):
            run.work(15 * MINUTE)
        assert run.names("error") == ["a"]
        reason = json.loads((run.site.spool.queue("error") / "a/reason.json").read_text())
        assert "given up after 5 retries" in reason["reason"]
        assert "target 'pacs': connection refused" in reason["reason"]
        assert len(run.tries) == 6


def test_a_retry_carries_only_what_is_missing(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        asked: list[list[str]] = []

        def half(shipment: Shipment) -> None:
            asked.append([image.name for image in shipment.images])
            for image in shipment.images[: 2 if len(asked) == 1 else None]:
                shipment.stored(image, "0000", "")
            if len(asked) == 1:
                shipment.refused(shipment.images[2], "A700", "Out of Resources")
                raise DeliveryError("the peer closed the connection")

        run.act = half
        run.add("a", images=4)
        run.work()
        status = run.content("a")["dispatch"]["status"]["pacs"]
        assert status["state"] == "waiting"
        assert {name: each["state"] for name, each in status["instances"].items()} == {
            "00.dcm": "stored",
            "01.dcm": "stored",
            "02.dcm": "refused",
        }
        run.work(15 * MINUTE)
        assert asked == [["00.dcm", "01.dcm", "02.dcm", "03.dcm"], ["02.dcm", "03.dcm"]]
        content = run.content("a", "success")
        assert content["dispatch"]["status"]["pacs"]["state"] == "complete"
        assert len(content["dispatch"]["status"]["pacs"]["instances"]) == 4


def test_a_refused_image_is_asked_again_and_in_the_end_is_the_reason(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:

        def one(shipment: Shipment) -> None:
            for image in shipment.images:
                if image.name == "01.dcm":
                    shipment.refused(image, "C000", "Cannot Understand")
                else:
                    shipment.stored(image, "0000", "")

        run.act = one
        run.add("a", images=3)
        for _ in range(8):
            run.work(15 * MINUTE)
        assert run.names("error") == ["a"]
        reason = json.loads((run.site.spool.queue("error") / "a/reason.json").read_text())
        assert "1 of 1 images refused: C000 Cannot Understand" in reason["reason"]


def test_a_warning_is_told(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:

        def warn(shipment: Shipment) -> None:
            for image in shipment.images:
                shipment.stored(image, "B007", "Data Set Does Not Match SOP Class")

        run.act = warn
        run.add("a", images=2)
        run.work()
        journal = run.content("a", "success")["journal"]
        assert {
            "time": START.isoformat(),
            "actor": "outgoing",
            "action": "warning",
            "outcome": "target 'pacs' stored 2 images with a warning: "
            "B007 Data Set Does Not Match SOP Class",
        } in journal
        assert journal[-1]["outcome"] == "sent to 'pacs' (2 images with a warning)"


def test_an_attempt_that_was_killed_is_told_of_and_its_images_go_again(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        run.add("a", images=3)
        folder = run.site.spool.queue("outgoing") / "a"
        content = run.content("a")
        content["dispatch"]["status"]["pacs"] = {
            "state": "sending",
            "time": START.isoformat(),
            "instances": {"00.dcm": {"state": "stored", "status": "0000"}},
        }
        (folder / "task.json").write_text(json.dumps(content))
        asked: list[str] = []
        run.act = lambda shipment: asked.extend(image.name for image in shipment.images)
        run.work()
        assert asked == ["01.dcm", "02.dcm"]
        outcomes = [each["outcome"] for each in run.content("a", "success")["journal"]]
        assert any("2 images that are not confirmed are sent again" in each for each in outcomes)


def test_the_alternate_takes_what_waits_when_a_target_stays_down(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site", "alternate: other, alternate_after: 30m") as run:
        run.down = {"pacs"}
        run.add("a")
        for _ in range(4):
            run.work(10 * MINUTE)
        assert run.names("outgoing") == ["a"]
        run.work(15 * MINUTE)
        assert run.names("success") == ["a"]
        assert run.sent == [("other", "a")]
        status = run.content("a", "success")["dispatch"]["status"]["pacs"]
        assert (status["state"], status["alternate"]) == ("complete", "other")
        assert run.content("a", "success")["journal"][-1]["outcome"] == "sent to 'other' for 'pacs'"


def test_a_halted_target_gets_nothing_and_its_queue_goes_on(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        marker = run.site.spool.target_file("pacs", HALTED_SUFFIX)
        marker.touch()
        run.add("a")
        run.add("b", "other")
        run.work(60 * MINUTE)
        assert (run.sent, run.names("outgoing")) == ([("other", "b")], ["a"])
        assert run.content("a")["dispatch"]["retries"] is None
        marker.unlink()
        run.work()
        assert run.names("success") == ["a", "b"]


def test_a_target_that_is_gone_is_not_tried_without_end_while_another_is_down(
    tmp_path: Path,
) -> None:
    with dispatcher(tmp_path / "site") as run:
        run.site.spool.target_file("pacs", HALTED_SUFFIX).touch()
        run.add("a", "pacs", "gone")
        for _ in range(5):
            run.work()
        journal = run.content("a")["journal"]
        assert [each["action"] for each in journal] == ["created", "retry"]
        assert journal[-1]["outcome"] == (
            "target 'gone' is not configured any more; waiting for target 'pacs'"
        )


def test_no_task_is_given_up_before_all_of_its_targets_had_their_turn(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        marker = run.site.spool.target_file("pacs", HALTED_SUFFIX)
        marker.touch()
        run.add("a", "pacs", "gone")
        for _ in range(10):  # more often than retry_max
            run.work(16 * MINUTE)
        assert (run.sent, run.names("outgoing")) == ([], ["a"])
        marker.unlink()
        run.work(16 * MINUTE)
        assert (run.sent, run.names("error")) == ([("pacs", "a")], ["a"])
        states = run.content("a", "error")["dispatch"]["status"]
        assert {name: each["state"] for name, each in states.items()} == {
            "pacs": "complete",
            "gone": "error",
        }


def test_a_lock_that_cannot_be_taken_holds_up_its_target_alone(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site", "concurrency: 1") as run:
        run.add("a")
        run.add("bb", "other")
        lock = run.site.spool.target_file("pacs", ".0")
        lock.mkdir(parents=True)
        with pytest.raises(IsADirectoryError):
            run.work()
        assert run.sent == [("other", "bb")]
        lock.rmdir()
        run.work()
        assert run.sent == [("other", "bb"), ("pacs", "a")]


def test_what_is_no_exception_strands_no_task(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        run.add("a")

        def panic(shipment: Shipment) -> None:
            raise GeneratorExit("a library in another language")

        run.act = panic
        with pytest.raises(GeneratorExit):
            run.work()
        run.act = lambda shipment: None
        run.work(16 * MINUTE)
        assert (run.sent, run.names("success")) == ([("pacs", "a")], ["a"])


@pytest.mark.parametrize("error", [PermissionError("the disk"), ValueError("no such sender")])
def test_only_a_target_that_was_reached_is_up_again(tmp_path: Path, error: Exception) -> None:
    with dispatcher(tmp_path / "site") as run:
        run.add("a")
        run.down.add("pacs")
        run.work()
        run.down.clear()

        def fail(shipment: Shipment) -> None:
            raise error

        run.act = fail
        run.work(16 * MINUTE)
        assert (len(run.tries), run.changes()) == (2, [("pacs", True)])


def test_a_halted_queue_begins_nothing(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:
        halt = run.site.spool.queue("outgoing") / HALT_FILE
        halt.touch()
        run.add("a")
        run.work()
        assert run.tries == []
        halt.unlink()
        run.work()
        assert run.sent == [("pacs", "a")]


def test_so_many_at_once_for_each_target(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site", "concurrency: 3") as run:
        together = threading.Barrier(3, timeout=30)

        def act(shipment: Shipment) -> None:
            together.wait()

        run.act = act
        for number in range(6):
            run.add("n" * (number + 1))
        run.work()
        run.work()
        assert len(run.sent) == 6
        assert not together.broken


def test_a_slow_target_holds_up_no_other(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site", "concurrency: 1") as run:
        slow, done = threading.Event(), threading.Event()

        def act(shipment: Shipment) -> None:
            if shipment.target_name == "pacs":
                assert slow.wait(30)
            else:
                done.set()

        run.act = act
        run.add("a")
        run.add("bb")
        run.add("ccc", "other")
        assert run.worker.begin_due() == 2
        assert done.wait(30)
        assert run.names("success") in ([], ["ccc"])
        slow.set()
        run.work()
        run.work()
        assert run.names("success") == ["a", "bb", "ccc"]


def test_off_peak_tasks_wait_for_their_hours(tmp_path: Path) -> None:
    hour = (START.astimezone() + timedelta(hours=2)).strftime("%H:00")
    end = (START.astimezone() + timedelta(hours=3)).strftime("%H:00")
    with dispatcher(tmp_path / "site", timing=f"offpeak: '{hour}-{end}'") as run:
        run.add("night", priority="offpeak")
        run.add("day")
        run.work(timedelta(hours=1))
        assert run.sent == [("pacs", "day")]
        run.work(timedelta(hours=1, minutes=1))
        assert run.sent == [("pacs", "day"), ("pacs", "night")]


def test_two_urgent_ones_for_each_normal_one(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site", "concurrency: 1") as run:
        for number in range(1, 5):
            run.add("u" * number, priority="urgent")
            run.add("n" * number)
        for _ in range(8):
            run.work()
        assert [name[0] for _, name in run.sent] == list("uunuunnn")


def test_two_dispatchers_send_each_task_once(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as one:
        other = Worker(lambda: one.site, one.site.registry.queues["outgoing"], one.stop)
        names = [f"task-{number:02}" for number in range(30)]
        for name in names:
            one.add(name)
        threads = [threading.Thread(target=each.work_due) for each in (one.worker, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while one.names("outgoing"):
            one.work()
        other.close()
        assert sorted(one.sent) == [("pacs", name) for name in names]
        assert one.names("success") == names


def test_asked_to_stop_a_task_stays_without_a_try_less(tmp_path: Path) -> None:
    with dispatcher(tmp_path / "site") as run:

        def act(shipment: Shipment) -> None:
            run.stop.set()
            raise DeliveryError("mroute was asked to stop")

        run.act = act
        run.add("a")
        run.work()
        assert run.names("outgoing") == ["a"]
        assert run.content("a")["dispatch"]["retries"] is None
