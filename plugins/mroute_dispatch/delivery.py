"""The work of the queue ``outgoing``: sends a task to each of its targets.

Knows that one target that fails keeps no other from its images, and that none gets them twice.
Does not know how a target takes them: its type does.
"""

from __future__ import annotations

from pydantic import ValidationError

from mroute.api import (
    DeliveryError,
    Done,
    Failed,
    Retry,
    Settlement,
    Task,
    WorkContext,
)
from mroute_dispatch.section import SECTION, DispatchSection, State, TargetStatus

STAGE = "dispatching"


def deliver(task: Task, context: WorkContext) -> Settlement:
    """Send the task to every target that has not got it yet; note each result at once.

    A target that may take it later is waited for. Only when none of these is left does the task
    fail over a target that never will.
    """
    try:
        section = DispatchSection.model_validate(task.content.get(SECTION))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (SECTION, *first["loc"]))
        return Failed(f"'{where}' in task.json is damaged: {first['msg']}", STAGE)
    if not section.target_name:
        return Failed("the task has no target to be sent to", STAGE)
    for name in section.target_name:
        if _state(section, name) is not State.COMPLETE:
            section = _with_status(section, name, _send(task, name, context))
            context.save(SECTION, section.model_dump(mode="json"))
    return _settlement(section)


def _send(task: Task, name: str, context: WorkContext) -> TargetStatus:
    state, reason = State.COMPLETE, ""
    target = context.targets.get(name)
    if target is None:
        state, reason = State.ERROR, f"target '{name}' is not configured any more"
    elif target.type not in context.target_types:
        state, reason = State.ERROR, f"no installed plugin has targets of type '{target.type}'"
    else:
        try:
            context.target_types[target.type].send(task, name, target, context)
        except DeliveryError as error:
            state, reason = State.WAITING, f"target '{name}': {error}"
        # The edge of a call into another plugin: whatever it raises is about this target alone.
        except Exception as error:  # noqa: BLE001
            state, reason = State.ERROR, f"target '{name}': {type(error).__name__}: {error}"
    return TargetStatus(state=state, time=context.clock(), reason=reason)


def _state(section: DispatchSection, name: str) -> State:
    status = section.status.get(name)
    return status.state if status else State.WAITING


def _with_status(section: DispatchSection, name: str, status: TargetStatus) -> DispatchSection:
    return section.model_copy(update={"status": {**section.status, name: status}})


def _settlement(section: DispatchSection) -> Settlement:
    of = {name: section.status[name] for name in section.target_name}
    problems = [status.reason for status in of.values() if status.state is not State.COMPLETE]
    if any(status.state is State.WAITING for status in of.values()):
        return Retry("; ".join(problems))
    if problems:
        return Failed("; ".join(problems), STAGE)
    return Done("sent to " + ", ".join(f"'{name}'" for name in of))
