"""The action ``route``, the queue ``outgoing``, and the target type ``dummy``.

Knows which hooks the plugin implements. Does not know how tasks are planned (planning), what is
done with them (delivery), or how a target takes them (dummy; other plugins have other types).
"""

from __future__ import annotations

from collections.abc import Sequence

from mroute.api import (
    ActionType,
    Phase,
    PlanContext,
    QueueType,
    Subject,
    TargetType,
    TaskPlan,
    TriggeredRule,
    hookimpl,
)
from mroute_dispatch.delivery import deliver
from mroute_dispatch.dummy import DummyTarget, send_to_dummy
from mroute_dispatch.planning import RouteRule, compose_sections, plan_tasks
from mroute_dispatch.section import QUEUE, SECTION, DispatchSection, pending_targets

CONCURRENCY = 16
"""Tasks that are sent at once, whatever the targets would take: each needs a thread."""


@hookimpl
def mroute_actions() -> list[ActionType]:
    """The action: send the images to targets."""
    return [ActionType("route", Phase.DISPATCH, RouteRule)]


@hookimpl
def mroute_target_types() -> list[TargetType]:
    """A target for trying things out."""
    return [TargetType("dummy", DummyTarget, send_to_dummy)]


@hookimpl
def mroute_queues() -> list[QueueType]:
    """The queue whose tasks are sent; other queues hand their tasks over to it."""
    return [
        QueueType(
            QUEUE,
            deliver,
            SECTION,
            DispatchSection,
            compose_sections,
            concurrency=CONCURRENCY,
            pending=pending_targets,
        )
    ]


@hookimpl
def mroute_dispatch(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> list[TaskPlan]:
    """Plan what is sent where for the rules of the action; those of others are left alone."""
    return plan_tasks(subject, rules, context)
