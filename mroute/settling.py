"""Settles one leased task: lets the plugin work on it, and does what comes of that.

Knows retry, giving up, handing over and dead letters, and that they are announced. Does not know
what the work is, or which task is next (worker).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from mroute.contributions import QueueType, WorkContext
from mroute.errors import TaskNotSavedError, describe
from mroute.events import TargetChanged, TaskSettled, seconds_since, snake_case
from mroute.image_tags import read_image
from mroute.models import NoticeEvent
from mroute.settlement import Done, Failed, HandOver, Retry, Settlement
from mroute.site import Site
from mroute.spool import outbox
from mroute.spool.layout import tags_file
from mroute.spool.manifest import reason_content
from mroute.spool.queue import Lease, with_retry_state
from mroute.spool.tags import read_tags
from mroute.spool.targets import Targets
from mroute.spool.upkeep.redrive import REDRIVEN
from mroute.spool.waiting import retry_state
from mroute.types import Finish, Tags


@dataclass(frozen=True, slots=True)
class Settling:
    """The work on one leased task, by the configuration of ``site`` from its begin to its end."""

    site: Site
    queue: QueueType
    lease: Lease
    targets: Targets
    stop: threading.Event

    def settle(self) -> bool:
        """Work on the task and settle it; whether it left the queue."""
        site, queue, lease = self.site, self.queue, self.lease
        started = time.perf_counter()
        settlement = self._checked(self._call())
        if isinstance(settlement, Retry) and settlement.counts:
            settlement = self._retry(settlement)
        detail = self._carry_out(settlement)
        kind = snake_case(type(settlement).__name__)
        seconds = seconds_since(started)
        task_id = str(lease.content["id"])
        site.hooks.event(TaskSettled(task_id, queue.name, kind, detail, seconds))
        return not isinstance(settlement, Retry)

    def _call(self) -> Any:
        site, queue, lease = self.site, self.queue, self.lease
        configuration, takes = site.configuration, lease.admission.takes
        context = WorkContext(
            clock=site.clock,
            targets=configuration.targets,
            modules=configuration.modules,
            settings=configuration.settings,
            target_types=site.registry.target_types,
            runners=site.registry.runners,
            save=_saving(lease.save),
            note=_saving(self._note),
            stop=self.stop,
            tags=self._tags,
            takes=takes.get,
            served=self._served,
            tell=site.hooks.event,
        )
        try:
            return queue.work(lease.task, context)
        except TaskNotSavedError:
            raise
        # The edge of a plugin call: the task is kept, with the plugin's name in the reason.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            plugin = site.registry.contributed_by[("queue", queue.name)]
            return Failed(f"plugin '{plugin}' raised {type(error).__name__}: {error}", queue.name)

    def _tags(self, image: Path) -> Tags:
        beside = tags_file(image)
        if beside.exists():
            return read_tags(beside)[0]
        return read_image(self.site.registry)(image)

    def _note(self, action: str, outcome: str) -> None:
        self.lease.note(self.site.clock(), self.queue.name, action, outcome)

    def _served(self, name: str, down: str) -> None:
        """Remember how a target took what it was sent; tell observers where that is new."""
        site, timing = self.site, self.site.configuration.timing
        target = site.configuration.targets.get(name)
        if target is None:
            return
        if down:
            longest = timing.retry_after
            if self.targets.went_down(
                name, target, down, site.clock(), timing.probe_after, longest
            ):
                site.hooks.event(TargetChanged(name, True, down))
            return
        was_down = self.targets.came_up(name, target, site.clock())
        if was_down is not None:
            seconds = round(was_down.total_seconds())
            site.hooks.event(TargetChanged(name, False, f"it was down for {seconds} s"))

    def _checked(self, settlement: Any) -> Settlement:
        """What a plugin returned, or that it cannot be done."""
        site, queue = self.site, self.queue
        plugin = site.registry.contributed_by[("queue", queue.name)]
        if not isinstance(settlement, Settlement) or not all(
            isinstance(value, str | bool) for value in astuple(settlement)
        ):
            return Failed(f"plugin '{plugin}' returned {settlement!r}, which is no settlement")
        if isinstance(settlement, HandOver) and settlement.queue not in site.registry.queues:
            return Failed(f"no installed plugin has the queue '{settlement.queue}' that comes next")
        return settlement

    def _retry(self, retry: Retry) -> Settlement:
        """Write down when to try again, or that it was tried often enough."""
        site, queue, lease = self.site, self.queue, self.lease
        timing = site.configuration.timing
        section = lease.content.get(queue.section)
        retries = (retry_state(section).get("retries") or 0) + 1
        if retries > timing.retry_max and retry.gives_up:
            return Failed(f"given up after {timing.retry_max} retries: {retry.reason}", queue.name)
        next_retry_at = site.clock() + timing.retry_after
        lease.save(queue.section, with_retry_state(section, retries, next_retry_at))
        return retry

    def _carry_out(self, settlement: Settlement) -> str:
        site, queue, lease = self.site, self.queue, self.lease
        now, info = site.clock(), lease.content["info"]
        rules = [info["applied_rule"]] if info["applied_rule"] else info["triggered_rules"]
        match settlement:
            case Retry(reason, counts, _):
                if counts:
                    lease.note(now, queue.name, "retry", reason)
                lease.let_go()
                return reason
            case HandOver(following, detail):
                lease.note(now, queue.name, "handed over", detail or f"to {following}")
                lease.move(site.spool, following)
                return detail or f"to {following}"
            case Done(detail):
                lease.note(now, queue.name, "done", detail)
                self._announce(NoticeEvent.COMPLETED, rules, detail)
                lease.move(site.spool, Finish.SUCCESS)
                return detail
            case Failed(reason, stage):
                lease.note(now, queue.name, "failed", reason)
                self._announce(NoticeEvent.ERROR, rules, reason)
                dead = reason_content(stage or queue.name, reason, rules, now, queue.name)
                lease.move(site.spool, Finish.ERROR, dead)
                return reason

    def _announce(self, event: NoticeEvent, rules: list[str], details: str) -> None:
        site, lease = self.site, self.lease
        # Before the task moves: a process that dies in between announces twice, but never not at
        # all. A task that cannot be moved announces itself once, however often that is tried; one
        # that an administrator has redriven does so anew.
        redriven = ""
        for each in reversed(lease.content["journal"]):
            if each["action"] == REDRIVEN:
                redriven = str(each["time"])
                break
            if (each["action"], each["outcome"]) == ("announced", event.value):
                return
        deliveries = site.announce(event, rules, lease.content, details)
        if deliveries:
            outbox.put(site.spool, site.files, deliveries, site.clock(), redriven)
            lease.note(site.clock(), "notices", "announced", event.value)


def _saving(write: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    """Writes to the task file for a worker; what cannot be written is no fault of the worker's."""

    def save(name: str, value: Any) -> None:
        try:
            write(name, value)
        except OSError as error:
            raise TaskNotSavedError(f"task.json cannot be written: {describe(error)}") from error

    return save
