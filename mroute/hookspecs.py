"""The hooks of mroute: a flat list of what a plugin may implement (blueprint section 4).

Knows their names, arguments and results. Does not know who calls them: `mroute.hooks` alone does.
The prose for plugin authors is in ``docs/reference/hooks.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
import pluggy
from pydantic import BaseModel

from mroute.contributions import (
    ActionType,
    ChannelType,
    ConditionType,
    HealthCheck,
    PlanContext,
    QueueType,
    RuleFunction,
    RunnerType,
    ServiceType,
    TagReader,
    TargetType,
)
from mroute.events import Event
from mroute.types import (
    Delivery,
    Notice,
    Series,
    StudyPlan,
    Subject,
    TaskPlan,
    TriggeredRule,
)

hookspec = pluggy.HookspecMarker("mroute")


# Contributions: called once, when the plugins are loaded.


@hookspec
def mroute_actions() -> Iterable[ActionType]:  # type: ignore[empty-body]
    """Contribute actions of rules."""


@hookspec
def mroute_target_types() -> Iterable[TargetType]:  # type: ignore[empty-body]
    """Contribute types of targets."""


@hookspec
def mroute_notification_channels() -> Iterable[ChannelType]:  # type: ignore[empty-body]
    """Contribute channels of notifications."""


@hookspec
def mroute_completion_conditions() -> Iterable[ConditionType]:  # type: ignore[empty-body]
    """Contribute completion conditions of studies."""


@hookspec
def mroute_rule_functions() -> Iterable[RuleFunction]:  # type: ignore[empty-body]
    """Contribute functions of the rule language."""


@hookspec
def mroute_queues() -> Iterable[QueueType]:  # type: ignore[empty-body]
    """Contribute queues, each with the work that is done on its tasks."""


@hookspec
def mroute_runners() -> Iterable[RunnerType]:  # type: ignore[empty-body]
    """Contribute runners of processing modules."""


@hookspec
def mroute_services() -> Iterable[ServiceType]:  # type: ignore[empty-body]
    """Contribute services that run beside the router."""


@hookspec
def mroute_tag_readers() -> Iterable[TagReader]:  # type: ignore[empty-body]
    """Contribute readers that make the tag list of an image."""


@hookspec
def mroute_health_checks() -> Iterable[HealthCheck]:  # type: ignore[empty-body]
    """Contribute checks of the installation."""


@hookspec
def mroute_settings() -> type[BaseModel] | None:
    """Contribute the model of the plugin's own section of the settings."""


@hookspec
def mroute_commands(cli: click.Group) -> None:
    """Add sub-commands to the command line."""


# Planning: pure; an implementation touches nothing outside its arguments.


@hookspec
def mroute_study_collection(
    series: Series, rules: Sequence[TriggeredRule], context: PlanContext
) -> Iterable[StudyPlan] | None:
    """Plan into which collecting studies a series goes; ``rules`` are those with ``on: study``."""


@hookspec
def mroute_dispatch(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> Iterable[TaskPlan] | None:
    """Plan the tasks of the triggered rules whose action has the phase *dispatch*."""


@hookspec
def mroute_processing(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> Iterable[TaskPlan] | None:
    """Plan the tasks of the triggered rules whose action has the phase *processing*."""


@hookspec
def mroute_notification(notice: Notice, context: PlanContext) -> Iterable[Delivery] | None:
    """Plan the deliveries of one notice."""


# Observation: an exception is logged with the plugin's name; it stops nothing.


@hookspec
def mroute_event(event: Event) -> None:
    """Observe something that happened."""
