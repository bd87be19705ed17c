"""Plans what a study that is complete goes on to.

Knows that it goes on under its rule as that was when the first series joined, that ``study.when``
decides whether the action happens, and that what cannot be planned goes to ``error/``. Does not
know when a study is complete, or what an action means.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mroute import engine
from mroute.errors import (
    PluginError,
    RejectedError,
    TaskFileError,
    UnsafeNameError,
)
from mroute.events import StudyCompleted, SubjectRejected
from mroute.models import RuleBase
from mroute.router.routing import Planned, Routing
from mroute.site import Site
from mroute.spool.claim import Claim
from mroute.spool.collected import read_collected, unusable_study
from mroute.spool.goneon import forget, recall, remember_task
from mroute.spool.studies import keep_task_file
from mroute.study_rules import rule_now, wanted
from mroute.types import Finish, GoneOn, Plan, Study, StudyEnd, TriggeredRule, Verdict
from mroute.verdicts import checks_of, is_study_complete

_UNUSABLE = (TaskFileError, RejectedError, PluginError, UnsafeNameError)
"""Raised where a study cannot be read or planned: it would fail the same way again."""

_OUTCOMES = {Finish.DISCARD: StudyEnd.DISCARD, Finish.ERROR: StudyEnd.ERROR}


def plan_study(routing: Routing, claim: Claim) -> Planned | None:
    """Plan a claimed study; None where its folder is empty.

    A study that cannot be planned is planned into ``error/``, with the reason.
    """
    site = routing.site
    names = {path.name for path in claim.source.iterdir()}
    if not names:
        forget(site.spool, claim.name)
        return None
    gone = _gone_on(routing, claim)
    try:
        study, rule = read_study_in(site, claim.source, claim.id)
        verdict = _verdict(routing, study, gone)
        study = replace(study, completed_because=verdict.because)
        plan = engine.plan_study(
            study,
            TriggeredRule(study.rule_name, rule),
            verdict,
            wanted(site.configuration, study),
            site.hooks,
            site.registry.actions,
            site.plan_context(),
        )
    except _UNUSABLE as error:
        return _unplanned(routing, claim, gone, str(error))
    _remember(routing, claim, gone, plan)
    site.hooks.event(
        StudyCompleted(
            claim.id,
            study.uid,
            study.rule_name,
            study.condition.complete,
            verdict.because,
            verdict.forced.value if verdict.forced else None,
            len(study.series),
            len(study.images),
            plan.tasks[0].queue not in _OUTCOMES,
            rule_now(site.configuration, study),
        )
    )
    return Planned(study, plan, (study.rule_name,), names)


def read_study_in(site: Site, folder: Path, claim_id: str) -> tuple[Study, RuleBase]:
    """The study in ``folder`` and its rule as it was when the study began.

    Raises `TaskFileError` where its task file or its rule cannot be used.
    """
    configuration = site.configuration
    quiet, checks = configuration.timing.study_complete_after, checks_of(site.registry)
    return read_collected(folder, claim_id, configuration.parse_rule, quiet, checks)


def _gone_on(routing: Routing, claim: Claim) -> GoneOn | None:
    """What was remembered of the study when it was claimed, where that is still known."""
    gone = recall(routing.site.spool, claim.name)
    return gone if gone is not None and gone.claim_id == claim.id else None


def _verdict(routing: Routing, study: Study, gone: GoneOn | None) -> Verdict:
    """The verdict that the study was claimed by."""
    if gone is not None:
        return Verdict(True, gone.because, gone.forced)
    verdict = is_study_complete(study, routing.site.clock(), ())
    if verdict.complete:
        return verdict
    return Verdict(True, "it was complete when a run that died took it")


def _unplanned(routing: Routing, claim: Claim, gone: GoneOn | None, reason: str) -> Planned:
    """The plan into ``error/``; whatever is in the folder goes there."""
    keep_task_file(claim.source)
    uid, _, rule_name = claim.name.partition("#")
    lost = unusable_study(claim.source, claim.id, uid, rule_name)
    plan = _announced(routing.site, engine.rejection(reason, rule_name), lost)
    _remember(routing, claim, gone, plan)
    routing.site.hooks.event(SubjectRejected(claim.id, uid, reason, len(lost.images)))
    return Planned(lost, plan, (), {path.name for path in claim.source.iterdir()})


def _announced(site: Site, plan: Plan, study: Study) -> Plan:
    """``plan`` with what its rule, as it is configured now, announces of the dead letter."""
    rules = site.configuration.rules
    if study.rule_name not in rules:
        return plan
    rule = TriggeredRule(study.rule_name, rules[study.rule_name].rule)
    return engine.with_errors(plan, study, [rule], site.hooks, site.plan_context())


def _remember(routing: Routing, claim: Claim, gone: GoneOn | None, plan: Plan) -> None:
    """Remember what the study becomes, for the series that come too late for it."""
    site, first = routing.site, plan.tasks[0]
    outcome = _OUTCOMES.get(Finish(first.queue)) if first.queue in frozenset(Finish) else None
    known = gone or GoneOn(claim.id, site.clock(), first.reason)
    becomes = replace(known, task_id=first.task_id(claim.id), outcome=outcome or StudyEnd.ACTION)
    remember_task(site.spool, site.files, claim.name, becomes)
