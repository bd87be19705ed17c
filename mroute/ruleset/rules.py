"""A rule set: the compiled rules of a file, in their order.

Knows that rules do not change. Does not know how those that apply are found (selection, index).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mroute.contributions import Phase
from mroute.expr import Program
from mroute.models import RuleBase
from mroute.ruleset.literals import Form
from mroute.ruleset.selection import Selection, get_triggered_rules
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

    def __init__(
        self,
        rules: Iterable[CompiledRule],
        progress: Progress | None = None,
        forms: Mapping[str, Form] = MappingProxyType({}),
    ) -> None:
        """Build the index of ``rules``.

        ``progress`` is told of every rule; ``forms`` has the normal forms of those conditions, by
        the names of the rules, that need not be made. Raises `ValueError` where two rules have one
        name, or conditions call different functions.
        """
        self._rules: dict[str, CompiledRule] = {}
        for rule in rules:
            if self._rules.setdefault(rule.name, rule) is not rule:
                raise ValueError(f"two rules are called '{rule.name}'")
        self._selection = Selection(tuple(self._rules.values()), progress, forms)

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
        Raises `ForceRuleError` where there is no such rule or it is disabled. Pure: that there are
        other ``tags`` later does not change the decision, as long as no value that is no text does.
        """
        kept = tags.copy() if type(tags) is dict else dict(tags)
        return get_triggered_rules(self._selection, kept, force_rule)

    @property
    def forms(self) -> Mapping[str, Form]:
        """The normal forms of the conditions by the names of the rules that are not disabled."""
        return self._selection.forms

    def forget(self) -> None:
        """Forget the values of tags that were seen; what is decided does not change."""
        self._selection.index.forget()
