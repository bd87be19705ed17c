"""Decides and plans: values in, values out, nothing touched (blueprint section 2).

Knows how a decision becomes a plan: which hook claims which triggered rule, and that every one is
claimed. Does not know how a condition is evaluated (ruleset), what an action means (plugins) or
how a plan is made true (spool).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mroute.contributions import ActionType, Phase, PlanContext
from mroute.errors import UnclaimedRuleError
from mroute.expr import Outcome
from mroute.facts import FACTS, PATIENT, UNKNOWN, discreet, facts_in, tag_facts
from mroute.hooks import Hooks
from mroute.models import ForcedCompletion, Latecomers, NoticeEvent, Trigger
from mroute.ruleset import RuleSet
from mroute.soundness import refuse_unsound
from mroute.types import (
    Decision,
    Delivery,
    Finish,
    JsonObject,
    Notice,
    Plan,
    Series,
    Study,
    StudyPlan,
    Subject,
    TaskPlan,
    TriggeredRule,
    UidType,
    Verdict,
)


def evaluate(series: Series, rules: RuleSet) -> Decision:
    """Decide what happens to a series.

    Raises `ForceRuleError` where the series asks for a rule that there is not.
    """
    return rules.evaluate(series.tags, series.force_rule)


def plan(
    subject: Subject,
    decision: Decision,
    hooks: Hooks,
    actions: Mapping[str, ActionType],
    context: PlanContext,
) -> Plan:
    """Plan all that a decision asks for; ``actions`` maps the names of the known actions.

    Raises `RejectedError` where a triggered rule is claimed by nobody, a plugin rejects the subject
    or the plan is not sound, and `PluginError` where a plugin fails: then nothing must be done.
    """
    by_phase = _by_phase(subject, decision.rules, actions)
    studies = _collect(subject, decision.rules, hooks, actions, context)
    held = _held(subject, decision.rules, hooks, context)
    tasks = (
        *hooks.dispatch(subject, by_phase[Phase.DISPATCH], context),
        *hooks.processing(subject, by_phase[Phase.PROCESSING], context),
        *held.tasks,
    )
    _refuse_unclaimed(decision, tasks, studies, by_phase)
    if not tasks and not studies:
        tasks = (_terminal(subject, decision),)
    tasks = _as_additions(subject, tasks)
    deliveries = (*_announcements(subject, by_phase, tasks, hooks, context), *held.deliveries)
    made = Plan((*tasks, *rejected_files(subject)), studies, deliveries)
    refuse_unsound(made, subject, context.queues)
    return made


def plan_study(
    study: Study,
    rule: TriggeredRule,
    verdict: Verdict,
    wanted: Outcome | None,
    hooks: Hooks,
    actions: Mapping[str, ActionType],
    context: PlanContext,
) -> Plan:
    """Plan what a complete study goes on to, or what it was forced to; raises as `plan` does.

    ``wanted`` is what ``study.when`` of the rule comes to, None where it has none: its action
    happens only where that is true.
    """
    if verdict.forced is ForcedCompletion.ERROR:
        dead = replace(_ended(Finish.ERROR, rule, verdict.because), action="error")
        in_time = study.forced(context.now)  # what a condition says may quote tags
        details = in_time.because if in_time and in_time.because == verdict.because else ""
        return with_errors(Plan((dead,)), study, [rule], hooks, context, details)
    if verdict.forced is ForcedCompletion.DISCARD:
        return Plan((_ended(Finish.DISCARD, rule, verdict.because),))
    if wanted is not None and wanted.value is not True:
        value = "unknown" if wanted.value is None else "false"
        reason = f"complete, but 'study.when' of rule '{rule.name}' is {value}: {wanted.because}"
        return Plan((_ended(Finish.DISCARD, rule, reason),))
    outcomes = {rule.name: Outcome(True, verdict.because)}
    decision = Decision((rule.name,), outcomes, definitions={rule.name: rule.rule})
    return plan(study, decision, hooks, actions, context)


def _ended(finish: Finish, rule: TriggeredRule, reason: str) -> TaskPlan:
    """The end of a study whose action does not happen."""
    return TaskPlan(finish, (rule.name,), "discard", applied_rule=rule.name, reason=reason)


def rejection(reason: str, rule: str = "") -> Plan:
    """The plan for a subject that cannot be planned: all of it goes to ``error/``.

    ``rule`` is the only one that the subject is for, where that is so.
    """
    rules = (rule,) if rule else ()
    return Plan((TaskPlan(Finish.ERROR, rules, "error", applied_rule=rule, reason=reason),))


def with_errors(
    plan: Plan,
    subject: Subject,
    rules: Iterable[TriggeredRule],
    hooks: Hooks,
    context: PlanContext,
    details: str = "",
) -> Plan:
    """``plan``, whose first task is a dead letter, with what ``rules`` announce of that.

    Why it is one may quote tags: that stays with it, unless ``details`` are given.
    """
    task_id, info = plan.tasks[0].task_id(subject.claim_id), info_of(subject)
    details = details or f"'reason.json' in 'error/{task_id}' says why"
    told = announce(NoticeEvent.ERROR, rules, task_id, info, hooks, context, details)
    return replace(plan, deliveries=(*plan.deliveries, *told))


def info_of(subject: Subject) -> JsonObject:
    """What `announce` needs to know of a subject."""
    return {"uid_type": subject.uid_type.value, **tag_facts(subject.tags)}


def announce(
    event: NoticeEvent,
    rules: Iterable[TriggeredRule],
    task_id: str,
    info: JsonObject,
    hooks: Hooks,
    context: PlanContext,
    details: str = "",
) -> tuple[Delivery, ...]:
    """The deliveries with which ``rules`` announce an event of a task.

    ``info`` is that of the task, or that of its subject (`info_of`). Nobody is told the patient of
    a series that was received: there is no task yet that could have been looked at.
    """
    facts = {"uid_type": str(info["uid_type"]), **facts_in(info, FACTS)}
    patient = facts_in(info, PATIENT)
    if event is NoticeEvent.RECEIVED and info["uid_type"] == UidType.SERIES:
        patient = dict.fromkeys(PATIENT, UNKNOWN)
    return tuple(
        delivery
        for rule in rules
        for delivery in hooks.notification(
            Notice(event, rule.name, rule.rule, task_id, discreet(details), facts, patient),
            context,
        )
    )


def is_collected(subject: Subject, rule: TriggeredRule, actions: Mapping[str, ActionType]) -> bool:
    """Whether the rule waits for the study of ``subject`` instead of acting on it."""
    if not isinstance(subject, Series) or rule.name in subject.late:
        return False
    discards = actions[rule.rule.action].phase is Phase.DISCARD
    return rule.rule.on is Trigger.STUDY and not discards


def _is_held(subject: Subject, rule: TriggeredRule) -> bool:
    """Whether the rule holds a series that came too late for its study."""
    late = isinstance(subject, Series) and rule.name in subject.late
    return late and rule.rule.study.latecomers is Latecomers.HOLD


def _by_phase(
    subject: Subject, rules: Sequence[TriggeredRule], actions: Mapping[str, ActionType]
) -> dict[Phase, list[TriggeredRule]]:
    """The rules to act on now, those that collect a study left out."""
    found: dict[Phase, list[TriggeredRule]] = {phase: [] for phase in Phase}
    for rule in rules:
        if not is_collected(subject, rule, actions) and not _is_held(subject, rule):
            found[actions[rule.rule.action].phase].append(rule)
    return found


def _collect(
    subject: Subject,
    rules: Sequence[TriggeredRule],
    hooks: Hooks,
    actions: Mapping[str, ActionType],
    context: PlanContext,
) -> tuple[StudyPlan, ...]:
    if not isinstance(subject, Series):
        return ()
    collected = [rule for rule in rules if is_collected(subject, rule, actions)]
    return hooks.study_collection(subject, collected, context)


def _held(
    subject: Subject, rules: Sequence[TriggeredRule], hooks: Hooks, context: PlanContext
) -> Plan:
    """What becomes of a series for the rules that hold it, and who is told."""
    if not isinstance(subject, Series):
        return Plan()
    tasks: list[TaskPlan] = []
    told: list[Delivery] = []
    for rule in rules:
        if not _is_held(subject, rule):
            continue
        gone = subject.late[rule.name]
        # What is told elsewhere must not say why, which may quote tags.
        told_reason = (
            f"it came after its study had gone on for rule '{rule.name}' at {gone.at.isoformat()} "
            f"as task '{gone.task_id or 'unknown'}'; 'latecomers: hold' leaves it to a person"
        )
        reason = f"{told_reason}. The study had gone on because of this: {gone.because}"
        task = TaskPlan(
            Finish.ERROR,
            (rule.name,),
            "error",
            applied_rule=rule.name,
            files=subject.images,
            reason=reason,
        )
        tasks.append(task)
        task_id, info = task.task_id(subject.claim_id), info_of(subject)
        told += announce(NoticeEvent.ERROR, [rule], task_id, info, hooks, context, told_reason)
    return Plan(tuple(tasks), deliveries=tuple(told))


def _as_additions(subject: Subject, tasks: tuple[TaskPlan, ...]) -> tuple[TaskPlan, ...]:
    """The tasks, each naming the first task of the study for which it comes too late."""
    late = subject.late if isinstance(subject, Series) else {}
    if not late:
        return tasks
    first = {name: gone.task_id for name, gone in late.items()}
    return tuple(
        replace(task, addition_to=next((first[name] for name in task.rules if name in first), ""))
        for task in tasks
    )


def _refuse_unclaimed(
    decision: Decision,
    tasks: Sequence[TaskPlan],
    studies: Sequence[StudyPlan],
    by_phase: Mapping[Phase, Sequence[TriggeredRule]],
) -> None:
    claimed = {name for task in tasks for name in task.rules}
    claimed |= {study.rule_name for study in studies}
    claimed |= {rule.name for rule in by_phase[Phase.NOTIFICATION]}
    claimed |= {rule.name for rule in by_phase[Phase.DISCARD]}
    unclaimed = [rule for rule in decision.rules if rule.name not in claimed]
    if unclaimed:
        rule = unclaimed[0]
        raise UnclaimedRuleError(
            f"rule '{rule.name}' triggered, but no plugin planned its action '{rule.rule.action}' "
            f"on the {rule.rule.on}; check 'mroute plugins list'"
        )


def _terminal(subject: Subject, decision: Decision) -> TaskPlan:
    """Where the images go that no task and no study takes: into success or discard.

    Rules did not see what is odd about the tags, so the reason of a discard names it.
    """
    if decision.discarded:
        applied = decision.discarded_by or ""
        return TaskPlan(
            Finish.DISCARD,
            decision.triggered,
            action="discard",
            applied_rule=applied,
            reason="; ".join([decision.reason, *getattr(subject, "trouble", ())]),
        )
    return TaskPlan(
        Finish.SUCCESS, decision.triggered, action="notification", reason="only notifications"
    )


def rejected_files(subject: Subject) -> tuple[TaskPlan, ...]:
    """The plans that put each rejected file on its own into ``error/``, with its own reason."""
    return tuple(
        TaskPlan(
            Finish.ERROR,
            (),
            action="error",
            key=rejected.name,
            files=(rejected.name, *rejected.beside),
            reason=rejected.reason,
        )
        for rejected in (subject.rejected if isinstance(subject, Series) else ())
    )


def _announcements(
    subject: Subject,
    by_phase: Mapping[Phase, Sequence[TriggeredRule]],
    tasks: Sequence[TaskPlan],
    hooks: Hooks,
    context: PlanContext,
) -> tuple[Delivery, ...]:
    """Every rule acted on is announced as received; one that needs no work as completed too."""
    deliveries: list[Delivery] = []
    info = info_of(subject)
    for phase, rules in by_phase.items():
        events = [NoticeEvent.RECEIVED]
        if phase in (Phase.NOTIFICATION, Phase.DISCARD):
            events.append(NoticeEvent.COMPLETED)
        for rule in rules:
            task_id = next(
                (each.task_id(subject.claim_id) for each in tasks if rule.name in each.rules),
                subject.claim_id,
            )
            for event in events:
                deliveries += announce(event, [rule], task_id, info, hooks, context)
    return tuple(deliveries)
