"""Refuses plans that would lose, double or strand an image.

Knows what must be true of a plan, whoever made it. Does not know who that was, or how a plan is
carried out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator

from mroute.errors import RejectedError, UnsafeNameError
from mroute.names import safe_name
from mroute.types import Finish, Plan, Subject, TaskPlan


def refuse_unsound(plan: Plan, subject: Subject, queues: Collection[str]) -> None:
    """Raise `RejectedError` with what is wrong with ``plan``, if anything is.

    Every image must be in a task or a study, every task in one of the known ``queues`` or a folder
    in which tasks end, no two tasks may be the same one, and all of it must fit into JSON.
    """
    for fault in _faults(plan, subject, queues):
        raise RejectedError(f"the plan cannot be carried out: {fault}")


def _faults(plan: Plan, subject: Subject, queues: Collection[str]) -> Iterator[str]:
    for task in plan.tasks:
        yield from _task_faults(task, subject, queues)
    if not plan.studies and not any(task.files is None for task in plan.tasks):
        taken = {name for task in plan.tasks for name in task.files or ()}
        left_out = [name for name in subject.images if name not in taken]
        if left_out:
            yield f"it leaves out {len(left_out)} of {len(subject.images)} images"
    ids = Counter(task.task_id(subject.claim_id) for task in plan.tasks)
    ids += Counter(f"{study.study_uid}#{study.rule_name}" for study in plan.studies)
    if any(count > 1 for count in ids.values()):
        yield "it makes the same task twice; give each a 'key' of its own"
    for study in plan.studies:
        try:
            safe_name(study.study_uid, "StudyInstanceUID")
            safe_name(study.rule_name, "rule name")
        except UnsafeNameError as error:
            yield str(error)
        parts = (study.rule, study.create, study.append, study.latest)
        yield from _json_faults([dict(part) for part in parts], f"study '{study.rule_name}'")
        if not isinstance(study.rule.get("action"), str):
            yield f"the study plan of rule '{study.rule_name}' does not say the rule's action"
    for delivery in plan.deliveries:
        content = [dict(delivery.options), delivery.body]
        yield from _json_faults(content, f"a delivery of rule '{delivery.rule_name}'")


def _task_faults(task: TaskPlan, subject: Subject, queues: Collection[str]) -> Iterator[str]:
    if task.queue not in queues and task.queue not in frozenset(Finish):
        yield f"no installed plugin has the queue '{task.queue}'"
    known = set(subject.images)
    for rejected in getattr(subject, "rejected", ()):
        known |= {rejected.name, *rejected.beside}
    strange = [name for name in task.files or () if name not in known]
    if strange:
        yield f"it takes {strange[0]!a}, which is no file of the {subject.uid_type}"
    yield from _json_faults(dict(task.sections), f"the task in '{task.queue}'")


def _json_faults(value: object, what: str) -> Iterator[str]:
    try:
        json.dumps(value, allow_nan=False)  # programs in other languages read it
    except (TypeError, ValueError, RecursionError) as error:
        yield f"{what} is no JSON: {error}"
