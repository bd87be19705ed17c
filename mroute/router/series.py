"""Routes the series that are complete (documented as ``route_series``).

Knows the way of a series from ``incoming/`` to its plan. Does not know how the plan is made true.
"""

from __future__ import annotations

import threading
import time
from functools import partial

from mroute import engine
from mroute.errors import PluginError, RejectedError, UnsafeNameError
from mroute.events import (
    InstanceConflicted,
    SeriesDecided,
    SeriesDiscarded,
    SeriesReceived,
    SubjectRejected,
    seconds_since,
)
from mroute.image_tags import read_image
from mroute.router.completed import plan_study
from mroute.router.latecomers import with_places, without_places
from mroute.router.routing import Planned, Routing
from mroute.spool.claim import Claim, claim_series, open_claims
from mroute.spool.subjects import check_uids, claimed_series
from mroute.spool.upkeep.discarding import UNWANTED, unwanted_subject
from mroute.types import Decision, Plan, Series, UidType


def route_series(routing: Routing, stop: threading.Event) -> int:
    """Route all series that are complete, in the order of their names; returns how many were.

    Ends after the series in hand once ``stop`` is set.
    """
    arrivals = routing.scan()
    routing.due, routing.loose = arrivals.due, arrivals.loose
    routed = 0
    for name in arrivals.complete:
        if stop.is_set():
            break
        routing.renew()
        claim = routing.take(
            name, partial(claim_series, routing.site.spool, routing.site.run, name)
        )
        if claim is not None:
            routed += routing.carry_out(claim, partial(plan_series, routing))
    return routed


def resume_abandoned(routing: Routing, stop: threading.Event) -> int:
    """Carry on the claims of runs that died, and those that failed a while ago."""
    resumed = 0
    for claim in open_claims(routing.site.spool, routing.site.run):
        if stop.is_set():
            break
        if routing.is_deferred(claim):
            continue
        routing.renew()
        if claim.unwanted:
            resumed += routing.carry_out(claim, partial(plan_unwanted, routing))
        elif claim.kind is UidType.SERIES:
            resumed += routing.carry_out(claim, partial(plan_series, routing))
        else:
            resumed += routing.carry_out(claim, partial(plan_study, routing))
    return resumed


def plan_unwanted(routing: Routing, claim: Claim) -> Planned:
    """Plan what an administrator wanted discarded, whose command did not come to the end."""
    site = routing.site
    subject, names = unwanted_subject(claim, read_image(site.registry), site.files)
    return Planned(subject, UNWANTED, (), names)


def plan_series(routing: Routing, claim: Claim) -> Planned | None:
    """Decide and plan a claimed series; None where its folder is empty.

    A series that cannot be decided or planned is planned into ``error/`` with the reason: it
    would fail the same way again.
    """
    started = time.perf_counter()
    series, contents = claimed_series(claim, read_image(routing.site.registry), routing.site.files)
    if not series.images and not series.rejected:
        return None  # nothing at all is in the folder
    counts = len(series.images), len(series.rejected)
    routing.site.hooks.event(SeriesReceived(claim.id, series.uid, *counts, seconds_since(started)))
    for instance in contents.conflicts:
        routing.site.hooks.event(InstanceConflicted(claim.id, series.uid, instance))
    for rejected in series.rejected:
        routing.site.hooks.event(SubjectRejected(claim.id, series.uid, rejected.reason, 1))
    if not series.images:
        return Planned(series, Plan(engine.rejected_files(series)), (), contents.names)
    decision: Decision | None = None
    try:
        check_uids(series)
        decision = _decide(routing, series)
        series = with_places(routing, series, decision)
        plan = engine.plan(
            series,
            decision,
            routing.site.hooks,
            routing.site.registry.actions,
            routing.site.plan_context(),
        )
    except (RejectedError, PluginError, UnsafeNameError) as error:
        reason = "; ".join([str(error), *(each.reason for each in series.rejected)])
        if decision is not None:
            without_places(routing, series, decision)
        routing.site.hooks.event(
            SubjectRejected(claim.id, series.uid, str(error), len(series.images))
        )
        return Planned(series, _rejection(routing, series, decision, reason), (), contents.names)
    if decision.discarded:
        routing.site.hooks.event(
            SeriesDiscarded(claim.id, series.uid, decision.discarded_by, decision.reason, counts[0])
        )
    return Planned(series, plan, decision.triggered, contents.names)


def _rejection(routing: Routing, series: Series, decision: Decision | None, reason: str) -> Plan:
    """The plan into ``error/``; the rules that triggered, if it came to that, announce it."""
    plan, site = engine.rejection(reason), routing.site
    rules = decision.rules if decision else ()
    return engine.with_errors(plan, series, rules, site.hooks, site.plan_context())


def _decide(routing: Routing, series: Series) -> Decision:
    started = time.perf_counter()
    decision = engine.evaluate(series, routing.site.configuration.rules)
    routing.site.hooks.event(
        SeriesDecided(
            series.claim_id,
            series.uid,
            decision.triggered,
            decision.discarded_by,
            decision.fallback,
            seconds_since(started),
        )
    )
    return decision
