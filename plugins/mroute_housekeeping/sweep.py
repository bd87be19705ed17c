"""Deletes what was kept long enough, and more where a disk is nearly full.

Knows which task goes first. Does not know where tasks are, or how one is deleted: the spool does,
and lets nothing be deleted that is not done or discarded.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from mroute.api import Finish, FinishedTask, ServiceContext
from mroute_housekeeping.settings import HousekeepingSettings, settings_in

_DAY = timedelta(days=1)

FreePercent = Callable[[Path], float]
"""How much of the file system of a folder is free, in per cent."""


def free_percent(folder: Path) -> float:
    """As `FreePercent`, as the kernel says; raises `OSError`."""
    usage = shutil.disk_usage(folder)
    return 100 * usage.free / usage.total


def keep_house(context: ServiceContext, free: FreePercent = free_percent) -> None:
    """Look every now and then until ``stop`` is set; raises `OSError` where that is impossible."""
    settings = settings_in(context.settings)
    assert settings is not None
    while not context.stop.is_set():
        sweep(context, settings, free)
        context.stop.wait(settings.every.total_seconds())


def sweep(context: ServiceContext, settings: HousekeepingSettings, free: FreePercent) -> None:
    """Delete what was kept long enough now, and what must go for want of room."""
    kept = []
    now = context.clock()
    may_delete = settings.hours is None or now.astimezone().time() in settings.hours
    for task in context.finished():
        if context.stop.is_set():
            return
        if may_delete and _is_too_old(task, settings, now):
            _remove(context, task, f"it was kept for {(now - task.at) / _DAY:.1f} days")
        else:
            kept.append(task)
    _make_room(context, kept, settings.min_free, free)


def _remove(context: ServiceContext, task: FinishedTask, because: str) -> None:
    """Delete a task; one that cannot be deleted keeps no other."""
    try:
        context.remove(task, because)
    except OSError as error:
        context.notice("housekeeping", f"'{task.path}' cannot be deleted: {error.strerror}")


def _is_too_old(task: FinishedTask, settings: HousekeepingSettings, now: datetime) -> bool:
    """Whether its time is over; that of one that is dated in the future is not."""
    longest = {Finish.SUCCESS: settings.success, Finish.DISCARD: settings.discard}[task.queue]
    return longest is not None and now - task.at > longest


def _make_room(
    context: ServiceContext, tasks: list[FinishedTask], least: int, free: FreePercent
) -> None:
    """On each file system, delete the oldest until that much is free."""
    on_device: dict[int, list[FinishedTask]] = {context.workspace.stat().st_dev: []}
    for task in tasks:
        with suppress(FileNotFoundError):
            on_device.setdefault(task.path.stat().st_dev, []).append(task)
    for candidates in on_device.values():
        folder = candidates[0].path.parent if candidates else context.workspace
        for task in candidates:
            if context.stop.is_set() or free(folder) >= least:
                break
            _remove(context, task, f"less than {least} % of its disk was free")
        if free(folder) < least and not context.stop.is_set():
            context.notice(
                "housekeeping",
                f"less than {least} % are free in '{folder}', and nothing is left there that may "
                "be deleted: make room, or images will be refused",
            )
