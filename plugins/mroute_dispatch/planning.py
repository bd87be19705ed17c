"""Plans the tasks of the action ``route``.

Knows that the rules of a series share one task a target, and that a study goes on as one task. Does
not know how anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from mroute.api import (
    JsonObject,
    PlanContext,
    Priority,
    RuleBase,
    Series,
    Subject,
    TargetName,
    TaskPlan,
    TriggeredRule,
)
from mroute_dispatch.section import QUEUE, SECTION, add_dispatching

ACTION = "route"


class RouteRule(RuleBase):
    """Send the images to targets."""

    action: Literal["route"]
    targets: Annotated[tuple[TargetName, ...], Field(min_length=1)] = Field(
        description="Names of the targets that get the images; each gets them once, however many "
        "rules name it.",
        examples=[["archive"]],
    )


def plan_tasks(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> list[TaskPlan]:
    """The tasks of the rules whose action is ``route``; pure."""
    mine = [triggered for triggered in rules if isinstance(triggered.rule, RouteRule)]
    if isinstance(subject, Series):
        return [_pooled(target, mine, context) for target in _targets(mine)]
    return [
        TaskPlan(
            queue=QUEUE,
            rules=(triggered.name,),
            action=ACTION,
            applied_rule=triggered.name,
            sections=compose_sections(subject, [triggered], context),
            priority=triggered.rule.priority,
        )
        for triggered in mine
    ]


def compose_sections(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> JsonObject:
    """What a task needs to be taken over by the queue ``outgoing``.

    Every rule that has ``targets`` can have its task sent, whichever plugin its action is from.
    """
    return {SECTION: add_dispatching(_targets(rules), context.now)}


def _pooled(target: str, rules: Sequence[TriggeredRule], context: PlanContext) -> TaskPlan:
    asking = [triggered for triggered in rules if target in _targets([triggered])]
    return TaskPlan(
        queue=QUEUE,
        rules=tuple(triggered.name for triggered in asking),
        action=ACTION,
        key=target,
        sections={SECTION: add_dispatching([target], context.now)},
        priority=_most_urgent(triggered.rule.priority for triggered in asking),
    )


def _targets(rules: Iterable[TriggeredRule]) -> list[str]:
    """The targets of the rules, each once, in the order in which they are first mentioned."""
    found: dict[str, None] = {}
    for triggered in rules:
        targets = getattr(triggered.rule, "targets", ())
        found |= dict.fromkeys([targets] if isinstance(targets, str) else targets)
    return list(found)


def _most_urgent(priorities: Iterable[Priority]) -> Priority:
    """The first in the order of declaration: urgent, normal, off-peak."""
    order = list(Priority)
    return min(priorities, key=order.index)
