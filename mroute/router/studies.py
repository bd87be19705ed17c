"""Routes the collecting studies that are complete (documented as ``route_studies``).

Knows the way of a study from ``studies/`` to its plan. Does not know when a study is complete: a
completion condition of a plugin does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from mroute import engine
from mroute.errors import PluginError, RejectedError, TaskFileError, UnsafeNameError
from mroute.events import StudyCompleted, SubjectRejected
from mroute.models import RuleBase
from mroute.router.routing import Planned, Routing
from mroute.spool.claim import Claim, claim_study
from mroute.spool.studies import keep_task_file, read_study
from mroute.spool.subjects import collected_study, unusable_study
from mroute.types import Study, TriggeredRule, Verdict

_UNUSABLE = (TaskFileError, RejectedError, PluginError, UnsafeNameError)


def route_studies(routing: Routing, stop: threading.Event) -> int:
    """Route all studies that are complete, in the order of their names; returns how many were.

    Ends after the study in hand once ``stop`` is set.
    """
    names = sorted(path.name for path in routing.site.spool.studies.iterdir() if path.is_dir())
    if not names:
        return 0
    arriving = routing.scan()
    pending = routing.incoming.pending_by_study((*arriving.pending, *arriving.complete))
    routed = 0
    for name in names:
        if stop.is_set():
            break
        routing.renew()
        verdicts: list[Verdict] = []
        claim = _claim_if_complete(routing, name, pending, verdicts)
        if claim is not None:
            plan = partial(plan_study, routing, verdict=verdicts[0] if verdicts else None)
            routed += routing.carry_out(claim, plan)
    return routed


def _claim_if_complete(
    routing: Routing,
    name: str,
    pending: Mapping[str, Sequence[str]],
    verdicts: list[Verdict],
) -> Claim | None:
    """Claim a study that is complete; the verdict that says so is added to ``verdicts``."""

    def is_complete() -> bool:
        try:
            study, _ = _read(routing, routing.site.spool.studies / name, "")
            verdict = _verdict(routing, study, pending.get(study.uid, ()))
            verdicts.append(verdict)
            _note_due(routing, study)
            return verdict.complete
        except _UNUSABLE:  # planning it will fail as well, and put it into error/ with the reason
            return True

    return routing.take(
        name, partial(claim_study, routing.site.spool, routing.site.run, name, is_complete)
    )


def _note_due(routing: Routing, study: Study) -> None:
    """Remember when time alone can make the study complete, where that comes next."""
    times = [study.last_received_at + study.quiet_time]
    if study.condition.after is not None:
        times.append(study.created_at + study.condition.after)
    now = routing.site.clock()
    for due in times:
        if due > now and (routing.due is None or due < routing.due):
            routing.due = due


def plan_study(routing: Routing, claim: Claim, verdict: Verdict | None = None) -> Planned | None:
    """Plan a claimed study; None where its folder is empty.

    ``verdict`` is the one it was claimed with; it is asked for again where that died with the
    process that claimed it. A study that cannot be planned is planned into ``error/``, with the
    reason.
    """
    names = {path.name for path in claim.source.iterdir()}
    if not names:
        return None
    try:
        study, rule = _read(routing, claim.source, claim.id)
        verdict = verdict or _verdict(routing, study, ())
        if not verdict.complete:
            verdict = Verdict(True, "it was complete when a run that died took it")
        plan = engine.plan_study(
            study,
            TriggeredRule(study.rule_name, rule),
            verdict,
            routing.site.hooks,
            routing.site.registry.actions,
            routing.site.plan_context(),
        )
    except _UNUSABLE as error:
        keep_task_file(claim.source)
        uid, _, rule_name = claim.name.partition("#")
        lost = unusable_study(claim.source, claim.id, uid, rule_name)
        routing.site.hooks.event(SubjectRejected(claim.id, uid, str(error), len(lost.images)))
        names = {path.name for path in claim.source.iterdir()}
        return Planned(lost, engine.rejection(str(error)), (), names)
    routing.site.hooks.event(StudyCompleted(claim.id, study.uid, study.rule_name, verdict.because))
    return Planned(study, plan, (study.rule_name,), names)


def _read(routing: Routing, folder: Path, claim_id: str) -> tuple[Study, RuleBase]:
    """The study in ``folder`` and its rule as it was when the study began."""
    content = read_study(folder)
    name = content["collection"]["rule_name"]
    try:
        rule = routing.site.configuration.parse_rule(content["collection"]["rule"])
        quiet = routing.site.configuration.timing.study_complete_after
        return collected_study(folder, claim_id, content, rule, quiet), rule
    except (KeyError, ValueError, TypeError) as error:
        raise TaskFileError(
            f"the study was collected under rule '{name}', which cannot be used any more: {error}"
        ) from error


def _verdict(routing: Routing, study: Study, pending: Sequence[str]) -> Verdict:
    """What the condition says, or what ``after`` and ``else`` ask for where it is not met."""
    name, now = study.condition.complete, routing.site.clock()
    try:
        verdict = routing.site.registry.conditions[name].check(study, now, pending)
    # The edge of a plugin call: a condition that fails must not hold up the other studies.
    except Exception as error:
        plugin = routing.site.registry.contributed_by.get(("condition", name), "unknown")
        raise PluginError(
            plugin, f"condition '{name}' raised {type(error).__name__}: {error}"
        ) from error
    if not isinstance(verdict, Verdict):
        plugin = routing.site.registry.contributed_by.get(("condition", name), "unknown")
        raise PluginError(plugin, f"condition '{name}' returned {verdict!r}, expected a Verdict")
    return verdict if verdict.complete else study.forced(now) or verdict
