"""Works a queue: lease a task, let the plugin work on it, settle it. The same for every queue.

Knows retry, giving up, handing over and dead letters, and that they are announced. Does not know
what the work is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from mroute.contributions import QueueType, WorkContext
from mroute.errors import TaskNotSavedError, describe
from mroute.events import TaskSettled, seconds_since, snake_case
from mroute.models import NoticeEvent
from mroute.settlement import Done, Failed, HandOver, Retry, Settlement
from mroute.site import Site
from mroute.spool import outbox
from mroute.spool.manifest import reason_content
from mroute.spool.queue import (
    Lease,
    due_tasks,
    is_halted,
    with_retry_state,
)
from mroute.spool.upkeep.redrive import REDRIVEN
from mroute.spool.waiting import Waiting, is_due, retry_state
from mroute.types import Finish

RESTS_FOR = timedelta(seconds=30)
"""How long a task that could not even be settled is left alone."""


def work_due(
    current: Callable[[], Site],
    queue: QueueType,
    stop: threading.Event,
    resting: dict[str, datetime],
    waiting: Waiting,
) -> int:
    """Work on the tasks of a queue that are due; returns how many left the queue.

    ``current`` returns the site as it is configured now; it is asked once for each task. Ends after
    the task in hand once ``stop`` is set. Does nothing while the queue is halted. ``resting`` maps
    tasks that could not be settled to the time of the next attempt; it and ``waiting`` are kept
    from one call to the next.
    """
    settled, site = 0, current()
    retry_after = site.configuration.timing.retry_after
    tasks = due_tasks(site.spool, queue.name, waiting, site.clock(), site.files, retry_after)
    while not (stop.is_set() or is_halted(site.spool, queue.name)):
        lease = next(tasks, None)
        _tell_buried(site, queue, waiting)
        if lease is None:
            break
        until = resting.pop(lease.folder.name, None)
        if until is not None and not is_due(until, site.clock(), RESTS_FOR):
            resting[lease.folder.name] = until
            lease.let_go()
            continue
        site = current()
        lease = replace(lease, files=site.files)
        try:
            settled += _work(site, queue, lease)
        # The disk is full, say, or a plugin returned nonsense: the task is as it was, and stays.
        except Exception as error:  # noqa: BLE001
            lease.let_go()
            resting[lease.folder.name] = site.clock() + RESTS_FOR
            task_id = str(lease.content["id"])
            site.hooks.event(TaskSettled(task_id, queue.name, "retry", describe(error), 0.0))
    return settled


def _tell_buried(site: Site, queue: QueueType, waiting: Waiting) -> None:
    """Tell observers of folders that were no tasks and went to ``error/``."""
    buried, waiting.buried = waiting.buried, []
    for name, because in buried:
        site.hooks.event(TaskSettled(name, queue.name, "failed", because, 0.0))


def _work(site: Site, queue: QueueType, lease: Lease) -> bool:
    """Work on one task; whether it left the queue."""
    started = time.perf_counter()
    settlement = _checked(site, queue, lease, _call(site, queue, lease))
    if isinstance(settlement, Retry):
        settlement = _retry(site, queue, lease, settlement)
    detail = _settle(site, queue, lease, settlement)
    kind = snake_case(type(settlement).__name__)
    seconds = seconds_since(started)
    task_id = str(lease.content["id"])
    site.hooks.event(TaskSettled(task_id, queue.name, kind, detail, seconds))
    return not isinstance(settlement, Retry)


def _call(site: Site, queue: QueueType, lease: Lease) -> Any:
    configuration = site.configuration
    context = WorkContext(
        clock=site.clock,
        targets=configuration.targets,
        modules=configuration.modules,
        settings=configuration.settings,
        target_types=site.registry.target_types,
        runners=site.registry.runners,
        save=_saving(lease.save),
        note=_saving(partial(_note, site, queue, lease)),
    )
    try:
        return queue.work(lease.task, context)
    except TaskNotSavedError:
        raise
    # The edge of a plugin call: the task is kept, with the plugin's name in the reason.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        plugin = site.registry.contributed_by[("queue", queue.name)]
        return Failed(f"plugin '{plugin}' raised {type(error).__name__}: {error}", queue.name)


def _note(site: Site, queue: QueueType, lease: Lease, action: str, outcome: str) -> None:
    lease.note(site.clock(), queue.name, action, outcome)


def _saving(write: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    """Writes to the task file for a worker; what cannot be written is no fault of the worker's."""

    def save(name: str, value: Any) -> None:
        try:
            write(name, value)
        except OSError as error:
            raise TaskNotSavedError(f"task.json cannot be written: {describe(error)}") from error

    return save


def _checked(site: Site, queue: QueueType, lease: Lease, settlement: Any) -> Settlement:
    """What a plugin returned, or that it cannot be done."""
    plugin = site.registry.contributed_by[("queue", queue.name)]
    if not isinstance(settlement, Settlement) or not all(
        isinstance(text, str) for text in astuple(settlement)
    ):
        return Failed(f"plugin '{plugin}' returned {settlement!r}, which is no settlement")
    if isinstance(settlement, HandOver) and settlement.queue not in site.registry.queues:
        return Failed(f"no installed plugin has the queue '{settlement.queue}' that comes next")
    return settlement


def _retry(site: Site, queue: QueueType, lease: Lease, retry: Retry) -> Settlement:
    """Write down when to try again, or that it was tried often enough."""
    timing = site.configuration.timing
    section = lease.content.get(queue.section)
    retries = (retry_state(section).get("retries") or 0) + 1
    if retries > timing.retry_max:
        return Failed(f"given up after {timing.retry_max} retries: {retry.reason}", queue.name)
    next_retry_at = site.clock() + timing.retry_after
    lease.save(queue.section, with_retry_state(section, retries, next_retry_at))
    return retry


def _settle(site: Site, queue: QueueType, lease: Lease, settlement: Settlement) -> str:
    now, info = site.clock(), lease.content["info"]
    rules = [info["applied_rule"]] if info["applied_rule"] else info["triggered_rules"]
    match settlement:
        case Retry(reason):
            lease.note(now, queue.name, "retry", reason)
            lease.let_go()
            return reason
        case HandOver(following, detail):
            lease.note(now, queue.name, "handed over", detail or f"to {following}")
            lease.move(site.spool, following)
            return detail or f"to {following}"
        case Done(detail):
            lease.note(now, queue.name, "done", detail)
            _announce(site, lease, NoticeEvent.COMPLETED, rules, detail)
            lease.move(site.spool, Finish.SUCCESS)
            return detail
        case Failed(reason, stage):
            lease.note(now, queue.name, "failed", reason)
            _announce(site, lease, NoticeEvent.ERROR, rules, reason)
            dead = reason_content(stage or queue.name, reason, rules, now, queue.name)
            lease.move(site.spool, Finish.ERROR, dead)
            return reason


def _announce(site: Site, lease: Lease, event: NoticeEvent, rules: list[str], details: str) -> None:
    # Before the task moves: a process that dies in between announces twice, but never not at all.
    # A task that cannot be moved announces itself once, however often that is tried; one that an
    # administrator has redriven does so anew.
    journal = lease.content["journal"]
    for each in reversed(journal):
        if each["action"] == REDRIVEN:
            break
        if (each["action"], each["outcome"]) == ("announced", event.value):
            return
    deliveries = site.announce(event, rules, str(lease.content["id"]), details)
    if deliveries:
        outbox.put(site.spool, site.files, deliveries)
        lease.note(site.clock(), "notices", "announced", event.value)
