"""An action, a queue and a completion condition for mroute, from outside.

Knows which hooks the plugin implements. Does not know how elements are removed (removal) or when a
study is complete (announced).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mroute.api import (
    ActionType,
    ConditionType,
    Phase,
    PlanContext,
    QueueType,
    Subject,
    TaskPlan,
    TriggeredRule,
    hookimpl,
)
from mroute_example.announced import AnnouncedSeriesCondition, check_announced_series
from mroute_example.removal import QUEUE, SECTION, RemovalSection, remove_elements
from mroute_example.rule import ACTION, AnonymizeRule


@hookimpl
def mroute_actions() -> list[ActionType]:
    """The action; a rule that has it must be claimed by the hook of its phase, below."""
    return [ActionType(ACTION, Phase.PROCESSING, AnonymizeRule)]


@hookimpl
def mroute_queues() -> list[QueueType]:
    """The queue in which the elements are removed; it writes, so it gets copies of its own."""
    return [QueueType(QUEUE, remove_elements, section=SECTION, model=RemovalSection, writes=True)]


@hookimpl
def mroute_completion_conditions() -> list[ConditionType]:
    """The condition that waits for as many series as a tag announces."""
    return [ConditionType("announced_series", AnnouncedSeriesCondition, check_announced_series)]


@hookimpl
def mroute_processing(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> Iterator[TaskPlan]:
    """Plan one task for each rule of this action, with all that it needs until it is archived."""
    for triggered in rules:
        if isinstance(triggered.rule, AnonymizeRule):
            yield TaskPlan(
                queue=QUEUE,
                rules=(triggered.name,),
                action=ACTION,
                applied_rule=triggered.name,
                priority=triggered.rule.priority,
                sections={
                    SECTION: {"remove": list(triggered.rule.remove)},
                    **context.sections_for("outgoing", subject, [triggered]),
                },
            )
