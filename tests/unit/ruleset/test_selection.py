"""Which rules apply to a series (blueprint section 6): by the index, and as a plain loop has it.

Knows what a rule set is made of, and what it decides. Does not know how.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from mroute.contributions import Phase
from mroute.errors import ForceRuleError
from mroute.expr import compile_text
from mroute.expr.nodes import And, Node
from mroute.models import RuleBase
from mroute.ruleset import CompiledRule, RuleSet
from mroute.types import Decision
from tests.unit.ruleset.random_rules import World, compiled, equality, rule, world_of
from tests.unit.ruleset.random_series import series

WHEN = {True: "True", False: "False", None: "tags.Modality == 'MR'"}
"""Conditions that have this value where there are no tags."""


@dataclass(frozen=True)
class Rule:
    """A rule whose value is given."""

    name: str
    value: bool | None
    discards: bool = False
    fallback: bool = False
    disabled: bool = False


def decide(*rules: Rule, force_rule: str | None = None) -> Decision:
    rule_set = RuleSet(
        CompiledRule(
            each.name,
            RuleBase(when="-", action="-", fallback=each.fallback, disabled=each.disabled),
            Phase.DISCARD if each.discards else Phase.DISPATCH,
            compile_text(WHEN[each.value]),
        )
        for each in rules
    )
    return rule_set.evaluate({}, force_rule)


def test_rules_trigger_in_the_order_of_the_file() -> None:
    decision = decide(Rule("b", True), Rule("x", False), Rule("a", True), Rule("u", None))
    assert decision.triggered == ("b", "a")
    assert {name: each.value for name, each in decision.outcomes.items()} == {
        "b": True,
        "x": False,
        "a": True,
        "u": None,
    }
    assert not decision.discarded


def test_a_disabled_rule_is_not_considered() -> None:
    decision = decide(Rule("off", True, disabled=True), Rule("on", True))
    assert decision.triggered == ("on",)
    assert "off" not in decision.outcomes


def test_a_discard_rule_wins_over_all_before_it_and_ends_the_evaluation() -> None:
    decision = decide(Rule("a", True), Rule("drop", True, discards=True), Rule("late", True))
    assert decision.triggered == ("drop",)
    assert decision.discarded_by == "drop"
    assert decision.discarded
    assert list(decision.outcomes) == ["a", "drop"]
    assert decision.reason == "discarded by rule 'drop'"


@pytest.mark.parametrize("value", [False, None])
def test_a_discard_rule_that_is_not_true_discards_nothing(value: bool | None) -> None:
    decision = decide(Rule("drop", value, discards=True), Rule("a", True))
    assert decision.triggered == ("a",)
    assert decision.discarded_by is None
    assert decision.reason == ""


def test_fallback_rules_are_considered_only_when_nothing_triggered() -> None:
    fallbacks = (Rule("f1", True, fallback=True), Rule("f2", False, fallback=True))
    assert decide(Rule("a", True), *fallbacks).triggered == ("a",)
    assert "f1" not in decide(Rule("a", True), *fallbacks).outcomes
    decision = decide(*fallbacks, Rule("a", False), Rule("f3", True, fallback=True))
    assert decision.triggered == ("f1", "f3")
    assert decision.fallback
    assert list(decision.outcomes) == ["a", "f1", "f2", "f3"]


def test_a_fallback_rule_may_discard() -> None:
    drop = Rule("drop", True, discards=True, fallback=True)
    decision = decide(Rule("f", True, fallback=True), Rule("a", False), drop)
    assert (decision.discarded_by, decision.fallback) == ("drop", True)
    assert decision.triggered == ("drop",)
    assert decide(drop, Rule("a", True)).discarded_by is None


def test_no_rule_is_a_discard_that_names_what_was_unknown() -> None:
    assert decide().reason == "no rule triggered"
    assert decide(Rule("a", False)).reason == "no rule triggered"
    fallback = Rule("f", None, fallback=True)
    decision = decide(fallback, Rule("a", False), Rule("u", None), Rule("o", None, disabled=True))
    assert decision.discarded
    assert decision.discarded_by is None
    assert not decision.fallback
    assert decision.reason == (
        "no rule triggered; unknown for lack of a tag or a value that can be read: 'u', 'f'"
    )


def test_no_more_than_ten_unknown_rules_are_named() -> None:
    reason = decide(*(Rule(f"u{number}", None) for number in range(10))).reason
    assert reason.endswith("'u8', 'u9'")
    reason = decide(*(Rule(f"u{number}", None) for number in range(5_000))).reason
    assert reason.endswith("'u8', 'u9' and 4,990 more")


def test_a_forced_rule_is_applied_alone_whatever_its_condition() -> None:
    decision = decide(Rule("a", True), Rule("b", False), force_rule="b")
    assert decision.triggered == ("b",)
    assert {name: each.value for name, each in decision.outcomes.items()} == {"b": True}
    assert decide(Rule("d", False, discards=True), force_rule="d").discarded_by == "d"


@pytest.mark.parametrize("name", ["gone", "off", ""])
def test_a_forced_rule_that_cannot_be_applied_is_an_error(name: str) -> None:
    with pytest.raises(ForceRuleError, match=f"asks for rule '{name}'"):
        decide(Rule("off", True, disabled=True), Rule("a", True), force_rule=name)


# ---- Random rule sets ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Selected:
    """What is decided, and the outcomes of the rules that were considered, in order."""

    triggered: tuple[str, ...]
    outcomes: tuple[tuple[str, bool | None], ...]
    discarded_by: str | None = None
    fallback: bool = False


def one_by_one(rules: Sequence[CompiledRule], tags: Mapping[str, Any]) -> Selected:
    """The decision as the blueprint has it, every condition evaluated in turn."""
    outcomes: list[tuple[str, bool | None]] = []
    for fallback in (False, True):
        triggered: list[str] = []
        for each in rules:
            if each.rule.disabled or each.rule.fallback is not fallback:
                continue
            value = each.condition.value(tags)
            outcomes.append((each.name, value))
            if value is True and each.phase is Phase.DISCARD:
                return Selected((each.name,), tuple(outcomes), each.name, fallback)
            if value is True:
                triggered.append(each.name)
        if triggered:
            return Selected(tuple(triggered), tuple(outcomes), None, fallback)
    return Selected((), tuple(outcomes))


def random_rules(world: World) -> list[CompiledRule]:
    """Rules with random flags; there are sets in which hardly any rule triggers."""
    count = world.random.choice([0, 1, 2, 3, 3, 5, 8, 25])
    rarely = world.chance(0.7)
    return [
        CompiledRule(
            f"rule {number}",
            RuleBase(
                when="-",
                action="-",
                disabled=world.chance(0.15),
                fallback=world.chance(0.4),
            ),
            Phase.DISCARD if world.chance(0.2) else world.random.choice(ACTIONS),
            compiled(rare(world) if rarely else rule(world)),
        )
        for number in range(count)
    ]


ACTIONS = [phase for phase in Phase if phase is not Phase.DISCARD]


def rare(world: World) -> Node:
    """A condition that is seldom true."""
    return And((rule(world), *(equality(world) for _ in range(world.random.randint(1, 4)))))


def test_the_decision_is_that_of_evaluating_one_rule_after_the_other() -> None:
    random = Random(21)
    cases: Counter[tuple[bool, bool, bool]] = Counter()
    for _ in range(150):
        world = world_of(random)
        rules = random_rules(world)
        rule_set = RuleSet(rules)
        sets = [series(world, random) for _ in range(10)]
        for tags in [*sets, *random.sample(sets, len(sets))]:
            selected = one_by_one(rules, tags)
            decision = rule_set.evaluate(tags)
            assert_selected(decision, selected, rules)
            for name in random.sample(list(decision.outcomes), min(2, len(decision.outcomes))):
                assert decision.outcomes[name] == rule_set[name].condition.evaluate(tags)
            unknown = any(value is None for _, value in selected.outcomes)
            cases[selected.discarded_by is not None, selected.fallback, unknown] += 1
            if random.random() < 0.02:
                rule_set.forget()
    assert len(cases) == 8, cases
    assert min(cases.values()) >= 10, cases


def assert_selected(decision: Decision, selected: Selected, rules: Sequence[CompiledRule]) -> None:
    """All that a decision says is that of ``selected``."""
    assert decision.triggered == selected.triggered
    assert decision.discarded_by == selected.discarded_by
    assert decision.fallback is selected.fallback
    assert decision.discarded is (selected.discarded_by is not None or not selected.triggered)
    assert list(decision.outcomes) == [name for name, _ in selected.outcomes]
    assert len(decision.outcomes) == len(selected.outcomes)
    by_name = {each.name: each for each in rules}
    for name, value in selected.outcomes:
        assert decision.outcomes[name].value is value
    for applied in decision.rules:
        assert applied.rule is by_name[applied.name].rule
    for name in by_name.keys() - dict(selected.outcomes).keys():
        assert name not in decision.outcomes
        assert decision.outcomes.get(name) is None
    assert bool(decision.reason) is decision.discarded
    if not decision.rules:
        assert_named(decision.reason, [name for name, value in selected.outcomes if value is None])


def assert_named(reason: str, unknown: list[str]) -> None:
    """The reason of a discard for lack of a rule names the first ten ``unknown`` rules."""
    assert reason.startswith("no rule triggered")
    named = ", ".join(f"'{name}'" for name in unknown[:10])
    more = f" and {len(unknown) - 10:,} more" if len(unknown) > 10 else ""
    assert reason.endswith(named + more)
    assert reason.count("'") == 2 * min(len(unknown), 10)


def test_any_rule_can_be_forced_whatever_the_tags() -> None:
    random = Random(22)
    for _ in range(30):
        world = world_of(random)
        rules = random_rules(world)
        rule_set, tags = RuleSet(rules), series(world, random)
        for each in rules:
            if each.rule.disabled:
                with pytest.raises(ForceRuleError):
                    rule_set.evaluate(tags, each.name)
                continue
            decision = rule_set.evaluate(tags, each.name)
            assert decision.triggered == (each.name,)
            assert [(n, o.value) for n, o in decision.outcomes.items()] == [(each.name, True)]
            assert (decision.discarded_by == each.name) is (each.phase is Phase.DISCARD)
