"""The actions ``process`` and ``both``, the queue ``processing``, and the runner ``command``.

Knows which hooks the plugin implements. Does not know how tasks are planned (planning), what is
done with them (work, chain, moves), or how a command is run (command).
"""

from __future__ import annotations

from collections.abc import Sequence

from mroute.api import (
    ActionType,
    Phase,
    PlanContext,
    QueueType,
    RunnerType,
    Subject,
    TaskPlan,
    TriggeredRule,
    hookimpl,
)
from mroute_processing.command import CommandModule, run_command
from mroute_processing.planning import BothRule, ProcessRule, plan_tasks
from mroute_processing.section import QUEUE, SECTION, ProcessSection
from mroute_processing.work import process


@hookimpl
def mroute_actions() -> list[ActionType]:
    """Process the images; or process them and send what comes out of it."""
    return [
        ActionType("process", Phase.PROCESSING, ProcessRule),
        ActionType("both", Phase.PROCESSING, BothRule),
    ]


@hookimpl
def mroute_queues() -> list[QueueType]:
    """The queue in which modules run; they may write into images, so it gets its own copies."""
    return [QueueType(QUEUE, process, SECTION, ProcessSection, writes=True)]


@hookimpl
def mroute_runners() -> list[RunnerType]:
    """A module that is a command of this machine."""
    return [RunnerType("command", CommandModule, run_command)]


@hookimpl
def mroute_processing(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> list[TaskPlan]:
    """Plan a task for each rule of the two actions; those of others are left alone."""
    return plan_tasks(subject, rules, context)
