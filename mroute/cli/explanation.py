"""What the rules say about a series, every one of them, and the plan that follows.

Knows which rules were considered, and that a series which cannot be planned goes to ``error/``.
Does not know how this is shown. It decides and plans by the same calls as the router, and commits
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mroute import engine
from mroute.config import Configuration
from mroute.errors import PluginError, RejectedError, UnsafeNameError
from mroute.expr import Outcome
from mroute.garbage import without_collection
from mroute.hooks import Hooks
from mroute.registry import Registry
from mroute.ruleset import CompiledRule
from mroute.site import Site
from mroute.spool.layout import Spool
from mroute.spool.subjects import check_uids
from mroute.types import Decision, Plan, Series


class State(StrEnum):
    """Whether a rule was considered, or what kept it from being."""

    CONSIDERED = "considered"
    DISABLED = "disabled"
    ANOTHER_FORCED = "another forced"
    ANOTHER_TRIGGERED = "another triggered"
    ANOTHER_DISCARDED = "another discarded"
    UNDECIDED = "undecided"


_WHY = {
    State.DISABLED: "it is disabled",
    State.ANOTHER_FORCED: "another rule is forced",
    State.ANOTHER_TRIGGERED: "it is a fallback, and another rule triggered",
    State.ANOTHER_DISCARDED: "a rule before it discards the series",
    State.UNDECIDED: "the series cannot be decided",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the condition of a rule comes to, and whether that was asked for."""

    outcome: Outcome
    state: State

    @property
    def because(self) -> str:
        """The clause that decided; for a rule that was not considered, why it was not as well."""
        if self.state is State.CONSIDERED:
            return self.outcome.because
        return f"not considered, for {_WHY[self.state]}; {self.outcome.because}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answers of all rules by name, the decision, and the plan.

    ``rejected`` is set where the series goes to ``error/``, be it before anything was decided or
    because the decision cannot be planned. The reason is in the plan.
    """

    answers: Mapping[str, Answer]
    decision: Decision
    plan: Plan
    rejected: bool = False


def site_of(configuration: Configuration, hooks: Hooks, registry: Registry) -> Site:
    """The site that is configured; its spool is neither made nor looked at."""
    return Site(Spool(configuration.spool), hooks, registry, configuration)


def explain(series: Series, site: Site) -> Explanation:
    """Decide and plan ``series`` as the router of ``site`` would, and answer for every rule."""
    rules = site.configuration.rules
    decision: Decision | None = None
    rejected = not series.images
    plan = Plan(engine.rejected_files(series))
    try:
        if series.images:
            check_uids(series)
            decision = engine.evaluate(series, rules)
            context = site.plan_context()
            plan = engine.plan(series, decision, site.hooks, site.registry.actions, context)
    except (RejectedError, PluginError, UnsafeNameError) as error:
        reason = "; ".join([str(error), *(each.reason for each in series.rejected)])
        rejected, plan = True, engine.rejection(reason)
    with without_collection():
        answers = {name: _answer(rule, series, decision) for name, rule in rules.items()}
    return Explanation(MappingProxyType(answers), decision or Decision((), {}), plan, rejected)


def _answer(rule: CompiledRule, series: Series, decision: Decision | None) -> Answer:
    considered = decision.outcomes.get(rule.name) if decision else None
    if considered is not None:
        return Answer(considered, State.CONSIDERED)
    return Answer(rule.condition.evaluate(series.tags), _state(rule, series, decision))


def _state(rule: CompiledRule, series: Series, decision: Decision | None) -> State:
    """What kept a rule from being considered."""
    if rule.rule.disabled:
        return State.DISABLED
    if decision is None:
        return State.UNDECIDED
    if series.force_rule is not None:
        return State.ANOTHER_FORCED
    if rule.rule.fallback and not decision.fallback:
        return State.ANOTHER_TRIGGERED
    return State.ANOTHER_DISCARDED
