"""The work of the queue ``outgoing``: sends a task to each of its targets.

Knows that one target that fails keeps no other from its images, and that none gets them twice.
Does not know how a task is sent to one of them (attempt), or which of them must wait (worker).
"""

from __future__ import annotations

from pydantic import ValidationError

from mroute.api import Done, Failed, Retry, Settlement, Task, WorkContext
from mroute_dispatch.attempt import Attempt
from mroute_dispatch.section import (
    SECTION,
    DispatchSection,
    InstanceState,
    State,
    TargetStatus,
)

STAGE = "dispatching"


def deliver(task: Task, context: WorkContext) -> Settlement:
    """Send the task to every target that has not got it yet; note each result at once.

    A target that may take it later, or has not had its turn yet, is waited for. Only when none of
    these is left does the task fail over a target that never will.
    """
    try:
        section = DispatchSection.model_validate(task.content.get(SECTION))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (SECTION, *first["loc"]))
        return Failed(f"'{where}' in task.json is damaged: {first['msg']}", STAGE)
    if not section.target_name:
        return Failed("the task has no target to be sent to", STAGE)
    held = []
    for name in section.target_name:
        if section.state(name) is State.COMPLETE:
            continue
        to = None if context.stop.is_set() else context.takes(name)
        if to is None:
            held.append(name)
        else:
            section = _serve(task, section, name, to, context)
            context.save(SECTION, section.model_dump(mode="json"))
            if context.stop.is_set() and section.state(name) is State.WAITING:
                held.append(name)  # it was interrupted, which is no fault of the target's
    return _settlement(section, held)


def _serve(
    task: Task, section: DispatchSection, name: str, to: str, context: WorkContext
) -> DispatchSection:
    """The section after the task was sent to a target, or to the alternate that is there for it."""
    if section.state(to) is not State.COMPLETE:
        section = Attempt(task, section, to, context).make()
    if to == name:
        return section
    taken = section.status[to]
    reason = taken.reason
    if taken.state is State.COMPLETE:
        reason = f"target '{name}' stays down; its alternate '{to}' took the images"
        context.note("alternate", reason)
    state = State.COMPLETE if taken.state is State.COMPLETE else State.WAITING
    before = section.status.get(name)
    instances = before.instances if before else {}  # what it has stored itself, it has
    status = TargetStatus(
        state=state,
        time=taken.time,
        reason=reason,
        alternate=to if state is State.COMPLETE else "",
        instances=instances,
    )
    return section.with_status(name, status)


def _settlement(section: DispatchSection, held: list[str]) -> Settlement:
    of = {name: section.status.get(name) for name in section.target_name}
    tried = {name: status for name, status in of.items() if status and name not in held}
    problems = [each.reason for each in tried.values() if each.state is not State.COMPLETE]
    if held:
        waiting = "waiting for " + ", ".join(f"target '{name}'" for name in held)
        # Whatever was tried in vain rests: a task that is due at once would be tried without end.
        return Retry("; ".join([*problems, waiting]), counts=bool(problems), gives_up=False)
    if any(status.state is State.WAITING for status in tried.values()):
        return Retry("; ".join(problems))
    if problems:
        return Failed("; ".join(problems), STAGE)
    return Done("sent to " + ", ".join(_sent(section, name) for name in of))


def _sent(section: DispatchSection, name: str) -> str:
    status = section.status[name]
    if status.alternate:
        return f"'{status.alternate}' for '{name}'"
    warned = sum(
        each.state is InstanceState.STORED and bool(each.reason)
        for each in status.instances.values()
    )
    return f"'{name}'" + (f" ({warned} images with a warning)" if warned else "")
