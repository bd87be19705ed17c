"""No expression runs away, and what a step limit leaves unknown does not depend on any order."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.expr import BUILTINS, check, compile_text, parse
from mroute.expr.cost import TAG_LENGTH, steps_of
from mroute.expr.emitter import Emitter
from mroute.expr.language import MAX_STEPS
from mroute.expr.nodes import And, Node, Or
from mroute.expr.values import Unknown
from tests.unit.expr.strategies import CALLED, conditions, tag_sets
from tests.unit.expr.worst import BIG, PARTS, WORST

CALLS_A_STEP = 20
"""Calls of functions, Python's own included, that one step may come to."""

HEAVY = f"any(any(x + y == 'b' for y in {PARTS}) for x in {PARTS})"


def calls_of(function: Callable[[], Any]) -> int:
    """How many functions are called while ``function`` runs: a time that no machine changes."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def value_of(text: str) -> bool | None:
    return compile_text(text).value(BIG)


@pytest.mark.parametrize("text", WORST.values(), ids=WORST)
def test_the_worst_expressions_stay_within_their_steps(text: str) -> None:
    assert check(parse(text), BUILTINS).errors == ()
    program = compile_text(text)
    calls = calls_of(lambda: program.value(BIG))
    assert calls <= CALLS_A_STEP * MAX_STEPS
    assert program.evaluate(BIG).value is program.value(BIG)


def test_what_runs_away_would_be_seen() -> None:
    rounds = CALLS_A_STEP * MAX_STEPS + 1
    assert calls_of(lambda: [abs(n) for n in range(rounds)]) > CALLS_A_STEP * MAX_STEPS


def test_what_takes_too_long_is_unknown_and_says_so() -> None:
    outcome = compile_text(HEAVY).evaluate(BIG)
    assert outcome.value is None
    assert outcome.because.endswith("it takes more than its share of 100,000 steps")
    assert compile_text(HEAVY).value({"PatientComments": "a\\b\\"}) is True


LIGHT = ["tags.Rows == 512", "tags.Rows == 1", "tags.StudyID == 'x'", f"len({PARTS}) > 500"]


@pytest.mark.parametrize("join", ["or", "and", "|", "&"])
def test_the_order_does_not_matter_where_steps_run_out(join: str) -> None:
    for light in LIGHT:
        for pattern in ("({}) {} ({})", "not (({}) {} ({}))"):
            one, other = pattern.format(HEAVY, join, light), pattern.format(light, join, HEAVY)
            assert value_of(one) is value_of(other)


def test_the_order_does_not_matter_within_a_clause() -> None:
    conditions = [HEAVY, *LIGHT[:3]]
    expected = {"or": True, "and": False}
    for join, whole in expected.items():
        for order in itertools.permutations(conditions):
            inside = f" {join} ".join(order)
            assert value_of(f"any({inside} for z in ['a', 'b'])") is whole
    for order in itertools.permutations(conditions):
        assert value_of(f"any([{', '.join(order)}])") is True
        assert value_of(f"all([{', '.join(order)}])") is False
        assert value_of(f"True in [{', '.join(order)}]") is True


@settings(max_examples=300, deadline=None, derandomize=True)
@given(conditions(4), st.integers(0, 9_999))
def test_counting_changes_no_value(root: Node, seed: int) -> None:
    counted, plain = (clause(root, steps) for steps in (10**9, None))
    for tags in tag_sets(root, Random(seed), 10):
        one, other = counted(tags), plain(tags)
        assert one is other or (isinstance(one, Unknown) and isinstance(other, Unknown))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(conditions(3), min_size=2, max_size=3), st.integers(1, 300), st.integers(0, 9_999))
def test_the_order_does_not_matter_however_few_the_steps(
    roots: list[Node], steps: int, seed: int
) -> None:
    for join in (And, Or):
        codes = [clause(join(tuple(order)), steps) for order in itertools.permutations(roots)]
        for tags in tag_sets(join(tuple(roots)), Random(seed), 5):
            values = {value if type(value) is bool else None for value in (c(tags) for c in codes)}
            assert len(values) == 1


def clause(root: Node, steps: int | None) -> Callable[[Mapping[str, str]], Any]:
    """The code of ``root`` as one clause, with that many steps, or uncounted."""
    return Emitter(CALLED).clause(root, steps)


def test_what_is_cheap_whatever_the_tags_are_is_not_counted() -> None:
    usual = "all(float(x) < 1 for x in tags.PixelSpacing.split('\\\\'))"
    assert steps_of(parse(usual).root, BUILTINS) < MAX_STEPS
    # So the length of the tag does not make it unknown either.
    spacing = "\\".join(["0.5"] * 9_000)
    assert compile_text(usual).value({"PixelSpacing": spacing}) is True


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("True", 0, 0),
        ("tags.Modality == 'MR'", 5, 20),
        ("'a' in tags.Modality.lower()", 20, 60),
        ("any(x == 'a' for x in ['a', 'b'])", 8, 40),
        (f"any(x == 'a' for x in {PARTS})", TAG_LENGTH, 12 * TAG_LENGTH),
        (f"any(any(x == y for y in {PARTS}) for x in {PARTS})", TAG_LENGTH**2, 20 * TAG_LENGTH**2),
        ("tags.Rows.replace('a', 'b') == 'a'", 5, 40),
        ("tags.Rows.replace('', 'bbbb') == 'a'", 20, 80),
        ("sum([1, 2]) == 3", 4, 20),
        ("tags.Rows[0] == '5'", 8, 30),
        ("(tags.Rows if has(Rows) else 'a') == 'b'", 10, 40),
        ("[1] + [2] == [1, 2]", 6, 30),
        ("-1 < 2", 4, 10),
    ],
)
def test_estimates_are_of_the_right_size(text: str, least: int, most: int) -> None:
    assert least <= steps_of(parse(text).root, BUILTINS) <= most


def test_the_same_clause_again_has_no_budget_of_its_own() -> None:
    once = calls_of(lambda: value_of(HEAVY))
    often = calls_of(lambda: value_of(" or ".join([HEAVY] * 100)))
    assert often < 3 * once
