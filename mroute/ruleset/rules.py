"""A rule set: the compiled rules of a file, in their order.

Knows how the outcome of every rule comes about. Does not know how rules are selected by their
outcomes (selection).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mroute.contributions import Phase
from mroute.expr import Program
from mroute.models import RuleBase
from mroute.ruleset.selection import get_triggered_rules
from mroute.types import Decision, Progress


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its compiled condition; ``discards`` is set where its action discards."""

    name: str
    rule: RuleBase
    phase: Phase
    condition: Program

    @property
    def discards(self) -> bool:
        """Whether a series for which the rule triggers is discarded."""
        return self.phase is Phase.DISCARD


class RuleSet(Mapping[str, CompiledRule]):
    """The rules of a file by name, in order; immutable."""

    def __init__(self, rules: Iterable[CompiledRule], progress: Progress | None = None) -> None:
        self._rules = {rule.name: rule for rule in rules}

    def __getitem__(self, name: str) -> CompiledRule:
        return self._rules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __repr__(self) -> str:
        return f"RuleSet({', '.join(self._rules)})"

    def evaluate(self, tags: Mapping[str, str], force_rule: str | None = None) -> Decision:
        """Decide what happens to a series with these ``tags`` (keyword to text).

        ``force_rule`` is the name of the only rule to apply, as a trusted source may ask for.
        Raises `ForceRuleError` where there is no such rule or it is disabled. Pure.
        """
        return get_triggered_rules(
            tuple(self._rules.values()), lambda rule: rule.condition.evaluate(tags), force_rule
        )
