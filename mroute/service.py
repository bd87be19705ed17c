"""Runs everything: router, workers, outbox and the services of plugins, once or until stopped.

Knows which part runs when, and that other runs may work on the same spool. Does not know what any
part does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from mroute import config
from mroute.contributions import ServiceContext, ServiceType
from mroute.errors import MrouteError, SpoolError, describe
from mroute.events import Started, Stopping, TroubleNoticed
from mroute.hooks import Hooks
from mroute.image_tags import read_image
from mroute.intake import Intake
from mroute.logs import log_plugin_error
from mroute.notices import deliver_due
from mroute.overview import Overview
from mroute.registry import Registry
from mroute.reload import Reload
from mroute.router import (
    Routing,
    resume_abandoned,
    route_error_files,
    route_series,
    route_studies,
)
from mroute.site import Site, utc_now
from mroute.spool.arrivals.receiving import resume_received
from mroute.spool.layout import Spool
from mroute.spool.outbox import Resting
from mroute.spool.queue import finish_moves
from mroute.spool.runs import registered, this_run
from mroute.types import Clock, Finish, Progress
from mroute.wakeups import Wakeups
from mroute.worker import Worker

PAUSE = 1.0
"""Seconds between two passes of a part that found nothing to do."""

ROUTER, NOTICES, QUEUE = "router", "notices", "queue "
"""Names of the parts; that of a queue follows its kind."""

_LATER = 0.005
"""Seconds after the time at which something is not yet, but in a moment complete."""

RULES = "rules"
"""Name of the part that loads edited rules."""

PATIENCE = 5.0
"""Seconds that rules which are being loaded are given to end when mroute stops."""


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
    holds them up must not hold up the end.
    """

    def __init__(
        self, site: Site, stop: threading.Event | None = None, patience: float = PATIENCE
    ) -> None:
        self._stop = stop or threading.Event()
        self._patience = patience
        self._reload = Reload(site, self._stop)
        self._routing = Routing(self._reload.take_over)
        self._told: set[str] = set()

    @property
    def _site(self) -> Site:
        return self._reload.current()

    def run_once(self) -> None:
        """Route all that is complete now and work every queue until nothing is due.

        Edited rules are waited for at the start of a pass. A part that fails does not keep the
        others from their work; `MrouteError` is raised in the end.
        """
        self._begin()
        parts = {RULES: self._reload.load_if_edited, **self._parts()}
        failed = dict[str, str]()
        while not self._stop.is_set():
            done = 0
            for name, part in parts.items():
                if name not in failed:
                    try:
                        done += part()
                    # As in `_supervise`; here it is not begun again.
                    except Exception as error:  # noqa: BLE001
                        failed[name] = f"{name} failed: {type(error).__name__}: {describe(error)}"
            if not done:
                break
        if failed:
            raise MrouteError("; ".join(failed.values()))

    def run_services(self) -> None:
        """Run the services of the plugins alone until it is asked to stop."""
        threads = [
            threading.Thread(target=self._supervise, args=(name, loop), name=name)
            for name, loop in self._services().items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def run(self) -> None:
        """Run every part in a thread of its own until it is asked to stop."""
        self._begin()
        wakeups = Wakeups(self._stop, self._notice)
        loops: dict[str, Callable[[], None]] = {"wake-ups": wakeups.run}
        spool = self._site.spool
        bell = wakeups.bell(spool.incoming, spool.studies)
        loops[ROUTER] = partial(self._repeat, self._route, bell, self._until_due)
        bell = wakeups.bell(spool.outbox)
        loops[NOTICES] = partial(self._repeat, self._notices(), bell, _pause)
        bells = {name: wakeups.bell(spool.queue(name)) for name in self._site.registry.queues}
        workers = {
            f"{QUEUE}{name}": Worker(self._reload.current, queue, self._stop, bells[name])
            for name, queue in self._site.registry.queues.items()
        }
        for name, worker in workers.items():
            bell = bells[name.removeprefix(QUEUE)]
            loops[name] = partial(self._repeat, worker.begin_due, bell, _pause)
        threads = [
            threading.Thread(target=self._supervise, args=(name, loop), name=name)
            for name, loop in {**loops, **self._services()}.items()
        ]
        watch = partial(self._repeat, self._reload.load_if_settled, self._stop, _pause)
        rules = threading.Thread(
            target=self._supervise, args=(RULES, watch), name=RULES, daemon=True
        )
        for thread in (rules, *threads):
            thread.start()
        # Not `self._stop.wait()`: a signal handler that sets the event its own thread waits for
        # can wait for ever.
        told = False
        for thread in threads:
            while thread.is_alive():
                thread.join(PAUSE)
                if self._stop.is_set() and not told:
                    self._site.hooks.event(Stopping())
                    told = True
        for worker in workers.values():
            worker.close()
        rules.join(self._patience)

    def _parts(self) -> dict[str, Callable[[], int]]:
        """Each part with the call that does what is due and returns how much that was."""
        queues = {
            f"{QUEUE}{name}": Worker(self._reload.current, queue, self._stop).work_due
            for name, queue in self._site.registry.queues.items()
        }
        return {ROUTER: self._route, **queues, NOTICES: self._notices()}

    def _notices(self) -> Callable[[], int]:
        return partial(deliver_due, self._reload.current, self._stop, Resting())

    def _services(self) -> dict[str, Callable[[], None]]:
        site, overview = self._site, Overview(self._reload.current)
        context = ServiceContext(
            clock=site.clock,
            settings=site.configuration.settings,
            receive=Intake(site.spool, site.files, read_image(site.registry)),
            workspace=site.spool.workspace,
            durability=site.configuration.core.durability,
            stop=self._stop,
            notice=self._notice,
            waiting=overview.waiting,
            targets=overview.targets,
            failures=site.hooks.failures,
        )
        return {
            f"service {name}": partial(service.run, context)
            for name, service in site.registry.services.items()
            if self._is_enabled(service)
        }

    def _is_enabled(self, service: ServiceType) -> bool:
        try:
            return service.enabled(self._site.configuration.settings)
        # The edge of a plugin call: a service that cannot say so does not run.
        except Exception as error:  # noqa: BLE001
            self._notice(f"service {service.name}", f"raised {type(error).__name__}: {error}")
            return False

    def _route(self) -> int:
        """Route what can be routed; raises `SpoolError` in the end where a folder hinders some."""
        self._routing.renew()
        site = self._site
        # A folder may have been deleted. One that cannot be used holds up what needs it.
        trouble = dict.fromkeys(site.spool.mend(site.registry.queues))
        routed = 0
        for step in (
            partial(resume_received, site.spool, site.files, self._notice_once),
            partial(resume_abandoned, self._routing, self._stop),
            partial(route_series, self._routing, self._stop),
            partial(route_error_files, self._routing, self._stop),
            partial(route_studies, self._routing, self._stop),
        ):
            try:
                routed += step()
            except OSError as error:
                trouble[describe(error)] = None
        if trouble:
            raise SpoolError("; ".join(trouble))
        return routed

    def _repeat(
        self, part: Callable[[], int], bell: threading.Event, pause: Callable[[], float]
    ) -> None:
        """Do what is due again and again; where nothing is, wait for the ``bell``."""
        while not self._stop.is_set():
            if bell is not self._stop:
                bell.clear()  # before looking: whatever changes from here on rings it again
            began = time.monotonic()
            if not part():
                # Where looking takes long, half of the time is left to the others.
                self._stop.wait(min(time.monotonic() - began, PAUSE))
                bell.wait(pause())

    def _until_due(self) -> float:
        """Seconds until the router should look again, unless it is woken."""
        due = self._routing.due
        if due is None:
            return PAUSE
        seconds = (due - self._site.clock()).total_seconds() + _LATER
        return max(_LATER, min(PAUSE, seconds))

    def _supervise(self, name: str, loop: Callable[[], None]) -> None:
        told = ""
        while not self._stop.is_set():
            try:
                loop()
                return
            # A part that fails must not take the others with it: it is told, and begun again. The
            # same again is told once: a folder that is gone is gone in every pass.
            except (Exception, SystemExit) as error:  # noqa: BLE001
                detail = f"failed and is started again: {type(error).__name__}: {error}"
                if detail != told:
                    self._notice(name, detail)
                told = detail
                self._stop.wait(PAUSE)

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

    def _notice_once(self, where: str, detail: str) -> None:
        if where not in self._told:
            self._told.add(where)
            self._notice(where, detail)

    def _notice(self, where: str, detail: str) -> None:
        self._site.hooks.event(TroubleNoticed(where, detail))
