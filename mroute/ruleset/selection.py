"""Selects the rules that apply to a series (blueprint section 6).

Knows order, disabled, fallback, discard and forced rules, and applies them to the set of what is
true. Does not know how that set comes about (index).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple, Protocol

from mroute.errors import ForceRuleError
from mroute.expr import Outcome, Program
from mroute.expr.nodes import Call, walk
from mroute.models import RuleBase
from mroute.ruleset.index import RuleIndex
from mroute.ruleset.literals import Form
from mroute.ruleset.outcomes import Outcomes
from mroute.types import Decision, Progress


class Selectable(Protocol):
    """What the selection needs to know of a rule."""

    @property
    def name(self) -> str:
        """Name of the rule in its file."""

    @property
    def rule(self) -> RuleBase:
        """The rule as configured."""

    @property
    def condition(self) -> Program:
        """The compiled condition."""

    @property
    def discards(self) -> bool:
        """Whether a series for which the rule triggers is discarded."""


class _Round(NamedTuple):
    """Rules that are considered together: the bits of their terms, and where they end."""

    terms: int
    discarding: int
    end: int


class Selection:
    """The rules that are not disabled, in the order in which they are considered."""

    def __init__(
        self,
        rules: Sequence[Selectable],
        progress: Progress | None,
        forms: Mapping[str, Form],
    ) -> None:
        enabled = [rule for rule in rules if not rule.rule.disabled]
        rounds = [[r for r in enabled if r.rule.fallback is fallback] for fallback in (False, True)]
        self.rules = tuple(rule for each in rounds for rule in each)
        self.positions = {rule.name: position for position, rule in enumerate(self.rules)}
        self.definitions = {rule.name: rule.rule for rule in self.rules}
        self.index = RuleIndex(
            [rule.condition for rule in self.rules],
            [forms.get(rule.name) for rule in self.rules],
            progress=progress,
        )
        self.forms = dict(zip(self.positions, self.index.forms, strict=True))
        self._changing = {rule.name for rule in self.rules if _may_change(rule.condition)}
        # The names of the rules that the terms are of.
        self._names = [self.rules[position].name for position in self.index.owners]
        self.rounds = []
        start = 0
        for each in rounds:
            positions = range(start, start + len(each))
            discarding = [position for position in positions if self.rules[position].discards]
            terms = self.index.terms_of(positions), self.index.terms_of(discarding)
            start += len(each)
            self.rounds.append(_Round(*terms, start))

    def names(self, terms: int) -> tuple[str, ...]:
        """The names of the rules that the ``terms`` are of, in order."""
        return tuple(self.index.named(terms, self._names))

    def outcomes(
        self, end: int, tags: Mapping[str, str], triggered: Iterable[str] = ()
    ) -> Outcomes:
        """The outcomes of the rules before position ``end``; those ``triggered`` are true."""
        outcomes = Outcomes(self.rules, self.positions, end, tags)
        if self._changing:
            for name in self._changing.intersection(triggered):
                outcomes.settle(name)
        return outcomes

    def unknown(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """The names of the rules that are unknown, where none is true."""
        return tuple(self.rules[n].name for n in self.index.unknown(tags, true=()))


def get_triggered_rules(
    selection: Selection, tags: Mapping[str, str], force_rule: str | None = None
) -> Decision:
    """Decide by the rules of ``selection`` for ``tags`` (keyword to text), which must not change.

    A triggered discard rule ends the evaluation. Fallback rules are considered only when no other
    rule triggered. ``force_rule`` is applied alone, without asking its condition; `ForceRuleError`
    is raised where it cannot be. Every rule that was considered has its outcome in the decision.
    """
    definitions = selection.definitions
    if force_rule is not None:
        return _forced(selection, force_rule)
    index = selection.index
    candidates = index.candidates(tags)
    for terms, discarding, end in selection.rounds:
        true = index.proven(candidates & terms, tags)
        if not true:
            continue
        fallback = end > selection.rounds[0].end
        if true & discarding:
            name = selection.names(true & discarding)[0]
            outcomes = selection.outcomes(selection.positions[name] + 1, tags, (name,))
            return Decision((name,), outcomes, name, fallback, definitions)
        triggered = selection.names(true)
        outcomes = selection.outcomes(end, tags, triggered)
        return Decision(triggered, outcomes, None, fallback, definitions)
    outcomes = selection.outcomes(len(selection.rules), tags)
    # Found out once: whoever asks again is told the same.
    return Decision((), outcomes, unknown=cache(partial(selection.unknown, tags)))


def _may_change(condition: Program) -> bool:
    """Whether it calls a function that need not give the same again."""
    impure = {name for name, function in condition.functions.items() if not function.pure}
    return bool(impure) and any(
        isinstance(node, Call) and node.name in impure for node, _ in walk(condition.tree.root)
    )


def _forced(selection: Selection, name: str) -> Decision:
    position = selection.positions.get(name)
    if position is None:
        raise ForceRuleError(
            f"the series asks for rule '{name}', which does not exist or is disabled; "
            "add the rule or send the series again without it"
        )
    outcomes = {name: Outcome(True, f"rule '{name}' is forced for this series")}
    discarded_by = name if selection.rules[position].discards else None
    return Decision((name,), outcomes, discarded_by, definitions=selection.definitions)
