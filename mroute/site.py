"""What a running mroute works with: the spool, the plugins, the configuration and the clock.

Knows how these make the context that plugins plan in. Does not know any use of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from mroute import engine
from mroute.config import Configuration
from mroute.contributions import PlanContext
from mroute.hooks import Hooks
from mroute.models import NoticeEvent
from mroute.registry import Registry
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.types import Clock, Delivery, JsonObject, TriggeredRule


def utc_now() -> datetime:
    """The time now, aware, in UTC: the clock of a running mroute."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """A configured spool with its plugins.

    It never changes: an edited rule file makes another one (`mroute.reload`). What works on a
    subject keeps to the site that it began with, and so to one configuration. ``run`` is the id by
    which claims say whose they are (`mroute.spool.runs`); a site that only looks has none.
    """

    spool: Spool
    hooks: Hooks
    registry: Registry
    configuration: Configuration
    clock: Clock = utc_now
    run: str = ""

    @property
    def files(self) -> Files:
        """File operations of the durability that is configured."""
        return Files(self.configuration.core.durability)

    def plan_context(self) -> PlanContext:
        """What planning may look at now."""
        return PlanContext(
            now=self.clock(),
            targets=self.configuration.targets,
            modules=self.configuration.modules,
            settings=self.configuration.settings,
            queues=self.registry.queues,
            log_phi=self.configuration.core.log_phi,
        )

    def announce(
        self, event: NoticeEvent, rule_names: Iterable[str], task: JsonObject, details: str
    ) -> tuple[Delivery, ...]:
        """The deliveries with which rules, as they are configured now, announce an event of a task.

        ``task`` is what its task file says. A rule that is not configured any more announces
        nothing.
        """
        rules = self.configuration.rules
        triggered = [TriggeredRule(name, rules[name].rule) for name in rule_names if name in rules]
        task_id, info = str(task["id"]), task["info"]
        assert isinstance(info, dict), "its task file was checked when it was read"
        return engine.announce(
            event, triggered, task_id, info, self.hooks, self.plan_context(), details
        )
