"""A plan as a program reads it, and in lines for a person.

Knows what of a plan is shown: which queue, for which rules, with which targets and modules, and who
is told. Does not know plugins, so their sections of a task are not shown; nor are the options of a
channel or a module, which may hold secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from mroute.config import Configuration
from mroute.models import ConditionBase
from mroute.types import Delivery, Finish, Plan, StudyPlan, TaskPlan

_LONGEST = 400
"""Characters of a reason that a line shows; it may name any number of rules."""

Entry = Mapping[str, Any]
"""A task (``queue``), a series that joins a study (``study``), or a message (``channel``)."""


def entries(plan: Plan, configuration: Configuration) -> list[Entry]:
    """One object for each task, each study joined and each message of ``plan``."""
    return [
        *(_task(task, configuration) for task in plan.tasks),
        *(_study(study, configuration) for study in plan.studies),
        *(_delivery(delivery) for delivery in plan.deliveries),
    ]


def lines(planned: Sequence[Entry]) -> Iterator[str]:
    """The plan in words, a line for each task and study, and one for each that is told."""
    for entry in planned:
        if "queue" in entry:
            yield _task_line(entry)
        elif "study" in entry:
            yield _study_line(entry)
    told: dict[tuple[str, str], list[str]] = {}
    for entry in planned:
        if "channel" in entry:
            told.setdefault((entry["channel"], entry["rule"]), []).append(entry["event"])
    for (channel, rule), events in told.items():
        yield f"tell '{channel}': {', '.join(events)} (rule '{rule}')"


def quoted(names: Iterable[str]) -> str:
    """The names in quotes, with commas between them."""
    return ", ".join(f"'{name}'" for name in names)


def _task(task: TaskPlan, configuration: Configuration) -> Entry:
    ends = task.queue in frozenset(Finish)
    return {
        "queue": str(task.queue),
        "rules": list(task.rules),
        "action": task.action,
        "applied_rule": task.applied_rule,
        "targets": [] if ends else _targets(task, configuration),
        "modules": [] if ends else _named(task, configuration, "modules"),
        "priority": task.priority.value,
        "key": task.key,
        "reason": task.reason,
    }


def _targets(task: TaskPlan, configuration: Configuration) -> list[str]:
    """Those of the rules; a task that is told apart by a target is for that one."""
    asked = _named(task, configuration, "targets")
    return [task.key] if task.key in asked else asked


def _named(task: TaskPlan, configuration: Configuration, field: str) -> list[str]:
    """What the rules of a task name in a field that every plugin spells alike."""
    found: dict[str, None] = {}
    for name in task.rules:
        rule = configuration.rules.get(name)
        names = getattr(rule.rule, field, ()) if rule else ()
        found |= dict.fromkeys([names] if isinstance(names, str) else names)
    return list(found)


def _study(study: StudyPlan, configuration: Configuration) -> Entry:
    condition = configuration.rules[study.rule_name].rule.study
    after = condition.after if condition else None
    return {
        "study": study.study_uid,
        "rule": study.rule_name,
        "complete": condition.complete if condition else "",
        "series": getattr(condition, "series", ""),
        "condition": in_words(condition) if condition else "",
        "after": None if after is None else written(after),
        "else": condition.otherwise.value if condition else "",
        "when": condition.when if condition else None,
        "latecomers": condition.latecomers.value if condition else "",
    }


def in_words(condition: ConditionBase) -> str:
    """What a study waits for: ``any_of (received_series 'T1'; timeout quiet=20m)``."""
    asked: list[str] = []
    for name in type(condition).model_fields:
        value = getattr(condition, name)
        if (
            name in ConditionBase.model_fields
            or value == type(condition).model_fields[name].default
        ):
            continue
        if isinstance(value, tuple) and all(isinstance(each, ConditionBase) for each in value):
            asked.append(f"({'; '.join(map(in_words, value))})")
        elif name == "series":
            asked.append(str(value))
        else:
            shown = written(value) if isinstance(value, timedelta) else value
            asked.append(f"{name}={shown}")
    return " ".join([condition.complete, *asked])


def written(duration: timedelta) -> str:
    """A duration as a rule file has it: ``1h30m``."""
    seconds = int(duration.total_seconds())
    parts = (seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def _delivery(delivery: Delivery) -> Entry:
    return {
        "channel": delivery.channel,
        "rule": delivery.rule_name,
        "event": delivery.event.value,
    }


def _task_line(entry: Entry) -> str:
    place = f"{entry['queue']}/:"
    if reason := entry["reason"]:
        return f"{place} {reason if len(reason) <= _LONGEST else reason[:_LONGEST] + '...'}"
    what = entry["action"]
    if entry["modules"]:
        what += f" by {quoted(entry['modules'])}"
    if entry["targets"]:
        what += f" to {quoted(entry['targets'])}"
    rules = f"rule{'' if len(entry['rules']) == 1 else 's'} {quoted(entry['rules'])}"
    priority = "" if entry["priority"] == "normal" else f", {entry['priority']}"
    return f"{place} {what} ({rules}{priority})"


def _study_line(entry: Entry) -> str:
    """Where the series is collected, and what that study waits for."""
    line = f"studies/: join study {entry['study']} (rule '{entry['rule']}')"
    if entry["condition"]:
        line += f", complete by {entry['condition']}"
    if entry["after"] is not None:
        line += f", or after {entry['after']}: {entry['else']}"
    if entry["when"]:
        line += f"; acted on if {entry['when']}"
    return line if entry["latecomers"] == "new" else f"{line}; latecomers: {entry['latecomers']}"
