"""Whether a series has a place in the studies that its rules collect, or comes too late for them.

Knows what a rule wants done with those that come too late. Does not know how a place is kept
(spool), or what is planned for a series without one (engine).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from mroute import engine
from mroute.errors import NotYetError
from mroute.events import LatecomerArrived
from mroute.models import Latecomers, RuleBase
from mroute.router.routing import Routing
from mroute.spool.places import Memory, give_up_places, keep_place
from mroute.types import Decision, GoneOn, Series, StudyEnd


def with_places(routing: Routing, series: Series, decision: Decision) -> Series:
    """The series with a place in every study that collects it; ``late`` says where it has none.

    Raises `NotYetError` where the task that it comes too late for is being made in this moment.
    """
    site = routing.site
    memory = Memory(site.clock(), site.configuration.timing.latecomers_within)
    late: dict[str, GoneOn] = {}
    for name, rule in _collecting(routing, series, decision).items():
        study = series.study_uid, name
        begins_anew = partial(_begins_anew, rule)
        place = keep_place(site.spool, series.claim_id, study, memory, begins_anew)
        if place.gone is None:
            continue
        policy = Latecomers.NEW if place.kept else rule.study.latecomers
        if policy is not Latecomers.NEW and not place.gone.task_id:
            said = f"the study of rule '{name}' goes on in this moment, as a task that is not known"
            raise NotYetError(f"{said} yet; this series is looked at again then")
        if not place.kept:
            late[name] = place.gone
        first = place.gone.task_id
        site.hooks.event(LatecomerArrived(series.claim_id, series.uid, *study, policy.value, first))
    return replace(series, late=late)


def without_places(routing: Routing, series: Series, decision: Decision) -> None:
    """Give up the places of a series that is not planned into any study."""
    studies = [(series.study_uid, name) for name in _collecting(routing, series, decision)]
    give_up_places(routing.site.spool, series.claim_id, studies)


def _collecting(routing: Routing, series: Series, decision: Decision) -> Mapping[str, RuleBase]:
    """The rules that collect the study of a series, by name; none where it belongs to no study."""
    if not series.study_uid:
        return {}
    actions = routing.site.registry.actions
    return {
        triggered.name: triggered.rule
        for triggered in decision.rules
        if engine.is_collected(series, triggered, actions)
    }


def _begins_anew(rule: RuleBase, gone: GoneOn) -> bool:
    """Whether a series that comes too late begins another study.

    What never went on by the action of its rule cannot be followed.
    """
    policy: Latecomers = rule.study.latecomers
    if policy is Latecomers.FOLLOW:
        return gone.outcome is not StudyEnd.ACTION
    return policy is Latecomers.NEW
