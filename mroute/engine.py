"""Decides and plans: values in, values out, nothing touched (blueprint section 2).

Knows how a decision becomes a plan: which hook claims which triggered rule, and that every one is
claimed. Does not know how a condition is evaluated (ruleset), what an action means (plugins) or
how a plan is made true (spool).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mroute.contributions import ActionType, Phase, PlanContext
from mroute.errors import UnclaimedRuleError
from mroute.expr import Outcome
from mroute.hooks import Hooks
from mroute.models import ForcedCompletion, NoticeEvent, Trigger
from mroute.ruleset import RuleSet
from mroute.soundness import refuse_unsound
from mroute.types import (
    Decision,
    Delivery,
    Finish,
    Notice,
    Plan,
    Series,
    Study,
    StudyPlan,
    Subject,
    TaskPlan,
    TriggeredRule,
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
    tasks = (
        *hooks.dispatch(subject, by_phase[Phase.DISPATCH], context),
        *hooks.processing(subject, by_phase[Phase.PROCESSING], context),
    )
    _refuse_unclaimed(decision, tasks, studies, by_phase)
    if not tasks and not studies:
        tasks = (_terminal(subject, decision),)
    deliveries = _announcements(subject, by_phase, tasks, hooks, context)
    made = Plan((*tasks, *rejected_files(subject)), studies, deliveries)
    refuse_unsound(made, subject, context.queues)
    return made


def plan_study(
    study: Study,
    rule: TriggeredRule,
    verdict: Verdict,
    hooks: Hooks,
    actions: Mapping[str, ActionType],
    context: PlanContext,
) -> Plan:
    """Plan what a complete study goes on to, or what it was forced to; raises as `plan` does."""
    if verdict.forced is ForcedCompletion.ERROR:
        return rejection(verdict.because)
    if verdict.forced is ForcedCompletion.DISCARD:
        return Plan(
            (
                TaskPlan(
                    Finish.DISCARD,
                    (rule.name,),
                    action="discard",
                    applied_rule=rule.name,
                    reason=verdict.because,
                ),
            )
        )
    outcomes = {rule.name: Outcome(True, verdict.because)}
    decision = Decision((rule.name,), outcomes, definitions={rule.name: rule.rule})
    return plan(study, decision, hooks, actions, context)


def rejection(reason: str) -> Plan:
    """The plan for a subject that cannot be planned: all of it goes to ``error/``."""
    return Plan((TaskPlan(Finish.ERROR, (), action="error", reason=reason),))


def announce(
    event: NoticeEvent,
    rules: Iterable[TriggeredRule],
    task_id: str,
    hooks: Hooks,
    context: PlanContext,
    details: str = "",
) -> tuple[Delivery, ...]:
    """The deliveries with which ``rules`` announce an event of a task."""
    return tuple(
        delivery
        for rule in rules
        for delivery in hooks.notification(
            Notice(event, rule.name, rule.rule, task_id, details), context
        )
    )


def _is_collected(subject: Subject, rule: TriggeredRule, actions: Mapping[str, ActionType]) -> bool:
    discards = actions[rule.rule.action].phase is Phase.DISCARD
    return isinstance(subject, Series) and rule.rule.on is Trigger.STUDY and not discards


def _by_phase(
    subject: Subject, rules: Sequence[TriggeredRule], actions: Mapping[str, ActionType]
) -> dict[Phase, list[TriggeredRule]]:
    """The rules to act on now, those that collect a study left out."""
    found: dict[Phase, list[TriggeredRule]] = {phase: [] for phase in Phase}
    for rule in rules:
        if not _is_collected(subject, rule, actions):
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
    collected = [rule for rule in rules if _is_collected(subject, rule, actions)]
    return hooks.study_collection(subject, collected, context)


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
                deliveries += announce(event, [rule], task_id, hooks, context)
    return tuple(deliveries)
