"""Runs everything: router, workers, outbox and the services of plugins, once or until stopped.

Knows which part runs when, and that other runs may work on the same spool. Does not know what any
part does, or what becomes of one that fails (supervision).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from mroute import config
from mroute.errors import MrouteError, describe
from mroute.events import Started, Stopping, TroubleNoticed
from mroute.hooks import Hooks
from mroute.logs import log_plugin_error
from mroute.parts import NOTICES, QUEUE, ROUTER, Parts
from mroute.registry import Registry
from mroute.reload import Reload
from mroute.site import Site, utc_now
from mroute.spool.layout import Spool
from mroute.spool.queue import finish_moves
from mroute.spool.runs import registered, this_run
from mroute.supervision import Supervisor
from mroute.systemd import ServiceManager
from mroute.types import Clock, Finish, Progress
from mroute.wakeups import Wakeups
from mroute.worker import Worker

PAUSE = 1.0
"""Seconds between two passes of a part that found nothing to do."""

_LATER = 0.005
"""Seconds after the time at which something is not yet, but in a moment complete."""

RULES, STOPPING = "rules", "stopping"
"""The part that loads edited rules; and the end of mroute, among what was told."""

PATIENCE = 5.0
"""Seconds that rules which are being loaded are given to end when mroute stops."""

HANGS = 600.0
"""Seconds after which a part that does not go on is taken to hang: a series may be large, and the
disk slow, and whoever watches would end and begin mroute over the same series again."""


def _pause() -> float:
    return PAUSE


@contextmanager
def open_site(
    file: Path,
    hooks: Hooks,
    registry: Registry,
    clock: Clock = utc_now,
    progress: Progress | None = None,
) -> Iterator[Site]:
    """The site that the rule file describes, with its spool, which other runs may share.

    ``progress`` is told how far the rule file is loaded. Raises `ConfigurationError` or
    `PluginError` where it cannot be loaded, and `SpoolError` where the spool cannot be used or
    a run on another host has it.
    """
    registry.raise_conflicts()
    registry.raise_broken()
    hooks.on_observer_error = log_plugin_error
    configuration = config.load(file, registry, progress)
    spool = Spool(configuration.spool)
    spool.prepare(registry.queues)
    run = this_run(file, clock())
    site = Site(spool, hooks, registry, configuration, clock, run.id)
    # A rule whose plugin is gone is told which one it was (mroute.config).
    with registered(spool, site.files, run, registry.origins()) as others:
        for other in others:
            if other.rule_file != str(file.resolve()):
                detail = (
                    f"process {other.pid} works on it by another rule file, '{other.rule_file}'; "
                    "who is first with a series decides by which rules it goes"
                )
                hooks.event(TroubleNoticed(str(spool.root), detail))
        yield site


class Service:
    """Everything that runs on a site, until ``stop`` is set.

    ``patience`` is how many seconds rules that are being loaded are waited for then: whatever
    holds them up must not hold up the end. ``only`` names the parts that run; all where it names
    none. ``manager`` is told how mroute is.
    """

    def __init__(
        self,
        site: Site,
        stop: threading.Event | None = None,
        patience: float = PATIENCE,
        only: Collection[str] = (),
        manager: ServiceManager | None = None,
    ) -> None:
        self._stop = stop or threading.Event()
        self._patience = patience
        self._manager = manager or ServiceManager()
        self._supervisor = Supervisor(self._stop, self._notice)
        self._reload = Reload(site, self._stop)
        self.parts = Parts(self._reload, self._stop, only, self._supervisor.at_work, self._notice)

    def run_once(self) -> None:
        """Route all that is complete now and work every queue until nothing is due.

        Edited rules are waited for at the start of a pass. A part that fails does not keep the
        others from their work; `MrouteError` is raised in the end.
        """
        self._begin()
        load = partial(self.parts.load, self._reload.load_if_edited)
        steps: dict[str, Callable[[], int]] = {RULES: load, **self.parts.steps()}
        failed = dict[str, str]()
        while not self._stop.is_set():
            done = 0
            for name, step in steps.items():
                if name not in failed:
                    try:
                        done += step()
                    # As in `mroute.supervision`; here it is not begun again.
                    except Exception as error:  # noqa: BLE001
                        failed[name] = f"{name} failed: {type(error).__name__}: {describe(error)}"
            if not done:
                break
        if failed:
            raise MrouteError("; ".join(failed.values()))

    def run_services(self) -> None:
        """Run the services of the plugins alone until it is asked to stop."""
        for name, loop in self.parts.services().items():
            self._supervisor.begin(name, loop)
        self._supervisor.wait(lambda: None)

    def run(self) -> None:
        """Run every part in a thread of its own until it is asked to stop."""
        self._begin()
        spool, parts = self._site.spool, self.parts
        wakeups = Wakeups(self._stop, self._notice)
        loops: dict[str, Callable[[], None]] = {"wake-ups": wakeups.run}
        working = list[Callable[[], None]]()
        if parts.is_wanted(ROUTER):
            bell = wakeups.bell(spool.incoming, spool.studies)
            loops[ROUTER] = partial(self._repeat, ROUTER, parts.route, bell, self._until_due)
        if parts.is_wanted(NOTICES):
            bell = wakeups.bell(spool.outbox)
            notices = parts.notices(bell)
            working.append(notices.close)
            loops[NOTICES] = partial(self._repeat, NOTICES, notices.begin_due, bell, _pause)
        for queue in parts.queues():
            name, bell = f"{QUEUE}{queue.name}", wakeups.bell(spool.queue(queue.name))
            worker = Worker(self._reload.current, queue, self._stop, bell)
            working.append(worker.close)
            loops[name] = partial(self._repeat, name, worker.begin_due, bell, _pause)
        load = partial(parts.load, self._reload.load_if_settled)
        watch = partial(self._repeat, RULES, load, self._stop, _pause)
        rules = self._supervisor.begin(RULES, watch, waited_for=False)
        for name, loop in {**loops, **parts.services()}.items():
            self._supervisor.begin(name, loop)
        self._manager.ready()
        self._supervisor.wait(self._looking_around())
        for close in working:
            close()
        rules.join(self._patience)

    @property
    def _site(self) -> Site:
        return self._reload.current()

    def _looking_around(self) -> Callable[[], None]:
        """Tells that mroute is alive, of parts that hang, and, once, that it stops."""
        told = set[str]()

        def look() -> None:
            if self._stop.is_set():
                if STOPPING not in told:
                    told.add(STOPPING)
                    self._manager.stopping()
                    self._site.hooks.event(Stopping())
                return
            hanging = self._supervisor.stalled(HANGS)
            for name in {*hanging} - told:
                self._notice(name, f"has not gone on for {HANGS:g} s")
            told.clear()
            told.update(hanging)
            if not hanging:
                self._manager.alive()

        return look

    def _repeat(
        self, name: str, step: Callable[[], int], bell: threading.Event, pause: Callable[[], float]
    ) -> None:
        """Do what is due again and again; where nothing is, wait for the ``bell``."""
        while not self._stop.is_set():
            self._supervisor.at_work(name)
            if bell is not self._stop:
                bell.clear()  # before looking: whatever changes from here on rings it again
            began = time.monotonic()
            if not step():
                # Where looking takes long, half of the time is left to the others.
                self._stop.wait(min(time.monotonic() - began, PAUSE))
                bell.wait(pause())

    def _until_due(self) -> float:
        """Seconds until the router should look again, unless it is woken."""
        due = self.parts.routing.due
        if due is None:
            return PAUSE
        seconds = (due - self._site.clock()).total_seconds() + _LATER
        return max(_LATER, min(PAUSE, seconds))

    def _begin(self) -> None:
        site = self._site
        try:
            finish_moves(site.spool, site.files, (*site.registry.queues, *Finish))
        except OSError as failure:  # its queue tries again, and nothing else needs it
            self._notice(str(site.spool.root), f"a task cannot be moved: {describe(failure)}")
        rules = len(self._site.configuration.rules)
        self._site.hooks.event(Started(str(self._site.spool.root), rules))
        for path in self._site.spool.strangers(self._site.registry.queues):
            self._notice(str(path), "no installed plugin works on this; it stays where it is")
        for error in self._site.registry.errors:
            self._notice(f"plugin '{error.plugin}'", str(error))

    def _notice(self, where: str, detail: str) -> None:
        self._site.hooks.event(TroubleNoticed(where, detail))
