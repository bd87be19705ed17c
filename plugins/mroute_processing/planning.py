"""Plans the tasks of the actions ``process`` and ``both``.

Knows that every rule has a task of its own, and what its modules are told. Does not know how a
module is run, or how images are sent afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StrictBool

from mroute.api import (
    ModuleBase,
    ModuleName,
    PlanContext,
    RuleBase,
    Subject,
    TargetName,
    TaskPlan,
    TriggeredRule,
)
from mroute_processing.section import QUEUE, SECTION, ModuleEntry, as_section


class _ModulesRule(RuleBase):
    modules: Annotated[tuple[ModuleName, ...], Field(min_length=1)] = Field(
        description="Names of the modules, in the order in which they run; each gets what the one "
        "before it made.",
        examples=[["segmentation"]],
    )
    settings: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Settings for every module of the rule; they go over its own, key by key.",
        examples=[{"threshold": 0.4}],
    )
    retain_input_images: StrictBool = Field(
        False,
        description="Whether the task keeps the images that came beside those that the modules "
        "make; otherwise these take their place.",
    )


class ProcessRule(_ModulesRule):
    """Run modules on the images."""

    action: Literal["process"]


class BothRule(_ModulesRule):
    """Run modules on the images and send what they make to targets."""

    action: Literal["both"]
    targets: Annotated[tuple[TargetName, ...], Field(min_length=1)] = Field(
        description="Names of the targets that get what the modules make.",
        examples=[["archive"]],
    )


def plan_tasks(
    subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
) -> list[TaskPlan]:
    """One task for each rule of the two actions, never pooled; pure."""
    tasks = []
    for triggered in rules:
        rule = triggered.rule
        if not isinstance(rule, ProcessRule | BothRule):
            continue
        sections = {SECTION: add_processing(rule, context.modules)}
        if isinstance(rule, BothRule):
            sections |= context.sections_for("outgoing", subject, [triggered])
        tasks.append(
            TaskPlan(
                queue=QUEUE,
                rules=(triggered.name,),
                action=rule.action,
                applied_rule=triggered.name,
                sections=sections,
                priority=rule.priority,
            )
        )
    return tasks


def add_processing(rule: ProcessRule | BothRule, modules: Mapping[str, ModuleBase]) -> JsonValue:
    """The section of a task: an entry for each module, its settings those of the rule over its own.

    A module that is not configured has no ``module_config``; the work fails over it later.
    """
    return as_section([_entry(name, modules.get(name), rule) for name in rule.modules])


def _entry(name: str, module: ModuleBase | None, rule: ProcessRule | BothRule) -> ModuleEntry:
    return ModuleEntry(
        module_name=name,
        module_config=module.model_dump(mode="json") if module else None,
        settings={**(module.settings if module else {}), **rule.settings},
        retain_input_images=rule.retain_input_images,
    )
