"""Selects the rules that apply from the outcomes of their conditions (blueprint section 6).

Knows order, disabled, fallback, discard and forced rules. Does not know how a condition is
evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Protocol, TypeVar

from mroute.errors import ForceRuleError
from mroute.expr import Outcome
from mroute.models import RuleBase
from mroute.types import Decision, TriggeredRule


class Selectable(Protocol):
    """What the selection needs to know of a rule."""

    @property
    def name(self) -> str:
        """Name of the rule in its file."""

    @property
    def rule(self) -> RuleBase:
        """The rule as configured."""

    @property
    def discards(self) -> bool:
        """Whether a series for which the rule triggers is discarded."""


R = TypeVar("R", bound=Selectable)


def get_triggered_rules(
    rules: Sequence[R], outcome_of: Callable[[R], Outcome], force_rule: str | None = None
) -> Decision:
    """Apply ``rules`` in their order, by the outcomes of their conditions.

    A triggered discard rule ends the evaluation. Fallback rules are considered only when no other
    rule triggered. ``force_rule`` is applied alone, without asking its condition; `ForceRuleError`
    is raised where it cannot be. Every rule that was considered has its outcome in the decision.
    """
    if force_rule is not None:
        return _forced(rules, force_rule)
    enabled = [rule for rule in rules if not rule.rule.disabled]
    outcomes: dict[str, Outcome] = {}
    for fallback in (False, True):
        triggered: list[TriggeredRule] = []
        for rule in enabled:
            if rule.rule.fallback is not fallback:
                continue
            outcome = outcomes[rule.name] = outcome_of(rule)
            if outcome.value is not True:
                continue
            if rule.discards:
                return _discard(rule, outcome, outcomes, fallback)
            triggered.append(TriggeredRule(rule.name, rule.rule, outcome))
        if triggered:
            return Decision(tuple(triggered), MappingProxyType(outcomes), fallback=fallback)
    return Decision((), MappingProxyType(outcomes), reason=_no_rule(outcomes))


def _forced(rules: Sequence[R], name: str) -> Decision:
    for rule in rules:
        if rule.name == name and not rule.rule.disabled:
            outcome = Outcome(True, f"rule '{name}' is forced for this series")
            outcomes = {name: outcome}
            if rule.discards:
                return _discard(rule, outcome, outcomes, fallback=False)
            return Decision((TriggeredRule(name, rule.rule, outcome),), MappingProxyType(outcomes))
    raise ForceRuleError(
        f"the series asks for rule '{name}', which does not exist or is disabled; "
        "add the rule or send the series again without it"
    )


def _discard(
    rule: Selectable, outcome: Outcome, outcomes: dict[str, Outcome], fallback: bool
) -> Decision:
    return Decision(
        (TriggeredRule(rule.name, rule.rule, outcome),),
        MappingProxyType(outcomes),
        discarded_by=rule.name,
        fallback=fallback,
        reason=f"discarded by rule '{rule.name}'",
    )


def _no_rule(outcomes: dict[str, Outcome]) -> str:
    unknown = [name for name, outcome in outcomes.items() if outcome.value is None]
    if not unknown:
        return "no rule triggered"
    names = ", ".join(f"'{name}'" for name in unknown)
    return f"no rule triggered; unknown for lack of a tag or a value that can be read: {names}"
