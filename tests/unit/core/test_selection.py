"""Which rules apply, by the outcomes of their conditions (blueprint section 6).

Knows outcomes. Does not know expressions.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute.errors import ForceRuleError
from mroute.expr import Outcome
from mroute.models import RuleBase
from mroute.ruleset import get_triggered_rules
from mroute.types import Decision


@dataclass(frozen=True)
class Rule:
    """A rule whose outcome is given."""

    name: str
    value: bool | None
    discards: bool = False
    fallback: bool = False
    disabled: bool = False

    @property
    def rule(self) -> RuleBase:
        return RuleBase(when="-", action="route", fallback=self.fallback, disabled=self.disabled)


def decide(*rules: Rule, force_rule: str | None = None) -> Decision:
    return get_triggered_rules(
        rules, lambda rule: Outcome(rule.value, f"because of {rule.name}"), force_rule
    )


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
    assert "late" not in decision.outcomes
    assert decision.reason == "discarded by rule 'drop'"


@pytest.mark.parametrize("value", [False, None])
def test_a_discard_rule_that_is_not_true_discards_nothing(value: bool | None) -> None:
    decision = decide(Rule("drop", value, discards=True), Rule("a", True))
    assert decision.triggered == ("a",)
    assert decision.discarded_by is None


def test_fallback_rules_are_considered_only_when_nothing_triggered() -> None:
    fallbacks = (Rule("f1", True, fallback=True), Rule("f2", False, fallback=True))
    assert decide(Rule("a", True), *fallbacks).triggered == ("a",)
    assert "f1" not in decide(Rule("a", True), *fallbacks).outcomes
    decision = decide(*fallbacks, Rule("a", False), Rule("f3", True, fallback=True))
    assert decision.triggered == ("f1", "f3")
    assert decision.fallback


def test_a_fallback_rule_may_discard() -> None:
    decision = decide(Rule("a", False), Rule("drop", True, discards=True, fallback=True))
    assert (decision.discarded_by, decision.fallback) == ("drop", True)


def test_no_rule_is_a_discard_that_names_what_was_unknown() -> None:
    assert decide(Rule("a", False)).reason == "no rule triggered"
    decision = decide(Rule("a", False), Rule("u", None))
    assert decision.discarded
    assert decision.discarded_by is None
    assert decision.reason == (
        "no rule triggered; unknown for lack of a tag or a value that can be read: 'u'"
    )


def test_a_forced_rule_is_applied_alone_whatever_its_condition() -> None:
    decision = decide(Rule("a", True), Rule("b", False), force_rule="b")
    assert decision.triggered == ("b",)
    assert decide(Rule("d", False, discards=True), force_rule="d").discarded_by == "d"


@pytest.mark.parametrize("name", ["gone", "off", ""])
def test_a_forced_rule_that_cannot_be_applied_is_an_error(name: str) -> None:
    with pytest.raises(ForceRuleError, match=f"asks for rule '{name}'"):
        decide(Rule("off", True, disabled=True), Rule("a", True), force_rule=name)


RULES = st.builds(
    Rule,
    st.uuids().map(str),
    st.sampled_from([True, False, None]),
    discards=st.booleans(),
    fallback=st.booleans(),
    disabled=st.booleans(),
)


@given(st.lists(RULES, max_size=8))
def test_only_true_and_enabled_rules_of_one_round_ever_apply(rules: list[Rule]) -> None:
    by_name = {rule.name: rule for rule in rules}
    decision = decide(*rules)
    applied = [by_name[name] for name in decision.triggered]
    assert all(rule.value is True and not rule.disabled for rule in applied)
    assert {rule.fallback for rule in applied} in ({decision.fallback}, set())
    normal = [r for r in rules if r.value and not r.disabled and not r.fallback]
    if normal:
        assert not decision.fallback
        assert applied
    if decision.discarded_by is not None:
        assert decision.triggered == (decision.discarded_by,)
        assert by_name[decision.discarded_by].discards
    else:
        assert not any(rule.discards for rule in applied)
