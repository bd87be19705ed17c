"""The parts of mroute: the router, the outbox, the queues, and the services of plugins.

Knows what each of them does when it is its turn, and which of them are wanted in this process. Does
not know when that is (service).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from functools import partial

from mroute.contributions import FinishedTask, QueueType, ServiceContext, ServiceType
from mroute.errors import SpoolError, describe
from mroute.events import TaskRemoved
from mroute.image_tags import read_image
from mroute.intake import Intake
from mroute.notices import Notices
from mroute.overview import Overview
from mroute.reload import Reload
from mroute.router import (
    Routing,
    resume_abandoned,
    route_error_files,
    route_series,
    route_studies,
)
from mroute.site import Site
from mroute.spool import retention
from mroute.spool.arrivals.receiving import resume_received
from mroute.supervision import Notice
from mroute.worker import Worker

ROUTER, NOTICES, QUEUE, SERVICE = "router", "notices", "queue ", "service "
"""Names of the parts; that of a queue or of a service follows its kind."""

AtWork = Callable[[str], None]
"""Is told that a part goes on."""


class Parts:
    """What runs on a site.

    ``only`` names the parts that are wanted, as `names` has them: all where it names none.
    ``at_work(name)`` is called by a part that goes on, ``notice(where, detail)`` tells an
    administrator.
    """

    def __init__(
        self,
        reload: Reload,
        stop: threading.Event,
        only: Collection[str],
        at_work: AtWork,
        notice: Notice,
    ) -> None:
        self._reload, self._stop = reload, stop
        self._only = frozenset(only)
        self._at_work, self._notice = at_work, notice
        self.routing = Routing(self._current_for(ROUTER, reload.take_over))
        self._told: set[str] = set()

    def names(self) -> list[str]:
        """What ``only`` may name."""
        registry = self._site.registry
        return [ROUTER, NOTICES, *registry.queues, *registry.services]

    def is_wanted(self, name: str) -> bool:
        """Whether a part runs in this process."""
        return not self._only or name.removeprefix(QUEUE).removeprefix(SERVICE) in self._only

    def steps(self) -> dict[str, Callable[[], int]]:
        """Each part with the call that does what is due and returns how much that was."""
        queues = {
            f"{QUEUE}{queue.name}": Worker(self._reload.current, queue, self._stop).work_due
            for queue in self.queues()
        }
        steps = {ROUTER: self.route, **queues, NOTICES: self.notices().deliver_due}
        return {name: step for name, step in steps.items() if self.is_wanted(name)}

    def queues(self) -> list[QueueType]:
        """The queues that are worked on."""
        queues = self._site.registry.queues
        return [queue for name, queue in queues.items() if self.is_wanted(f"{QUEUE}{name}")]

    def services(self) -> dict[str, Callable[[], None]]:
        """The services that the configuration asks for; each runs until mroute stops."""
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
            finished=partial(retention.finished, site.spool),
            remove=self._remove,
        )
        return {
            f"{SERVICE}{name}": partial(service.run, context)
            for name, service in site.registry.services.items()
            if self.is_wanted(f"{SERVICE}{name}") and self._is_enabled(service)
        }

    def load(self, load: Callable[[], bool]) -> bool:
        """Load edited rules; without a router in this process nobody else puts them in force."""
        loaded = load()
        if not self.is_wanted(ROUTER):
            self._reload.take_over()
        return loaded

    def notices(self, bell: threading.Event | None = None) -> Notices:
        """What delivers the outbox; ``bell`` is set when it may go on."""
        current = self._current_for(NOTICES, self._reload.current)
        return Notices(current, self._stop, bell or threading.Event())

    def route(self) -> int:
        """Route what can be routed; raises `SpoolError` in the end where a folder hinders some."""
        self.routing.renew()
        site = self._site
        # A folder may have been deleted. One that cannot be used holds up what needs it.
        trouble = dict.fromkeys(site.spool.mend(site.registry.queues))
        routed = 0
        for step in (
            partial(resume_received, site.spool, site.files, self._notice_once),
            partial(resume_abandoned, self.routing, self._stop),
            partial(route_series, self.routing, self._stop),
            partial(route_error_files, self.routing, self._stop),
            partial(route_studies, self.routing, self._stop),
        ):
            try:
                routed += step()
            except OSError as error:
                trouble[describe(error)] = None
        if trouble:
            raise SpoolError("; ".join(trouble))
        return routed

    @property
    def _site(self) -> Site:
        return self._reload.current()

    def _current_for(self, name: str, current: Callable[[], Site]) -> Callable[[], Site]:
        """``current`` for a part that asks for it before each thing that it does: it goes on."""

        def look() -> Site:
            self._at_work(name)
            return current()

        return look

    def _remove(self, task: FinishedTask, because: str) -> None:
        site = self._site
        if retention.remove(site.spool, task):
            site.hooks.event(TaskRemoved(task.id, task.queue, because))

    def _is_enabled(self, service: ServiceType) -> bool:
        try:
            enabled = service.enabled(self._site.configuration.settings)
            if not enabled and service.name in self._only:
                self._notice(f"service {service.name}", "does not run: no setting asks for it")
            return enabled
        # The edge of a plugin call: a service that cannot say so does not run.
        except Exception as error:  # noqa: BLE001
            self._notice(f"service {service.name}", f"raised {type(error).__name__}: {error}")
            return False

    def _notice_once(self, where: str, detail: str) -> None:
        if where not in self._told:
            self._told.add(where)
            self._notice(where, detail)
