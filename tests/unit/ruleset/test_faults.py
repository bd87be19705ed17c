"""What once went wrong in the index, or could have: each fault once.

Knows the outside of an index. Does not know how it is mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mroute.config import load
from mroute.config.kept import FOLDER_VARIABLE
from mroute.contributions import Phase
from mroute.expr import BUILTINS, Functions, Program, RuleFunction, Type, compile_text
from mroute.hooks import Hooks
from mroute.models import RuleBase
from mroute.registry import Registry
from mroute.ruleset import CompiledRule, RuleSet
from mroute.ruleset.index import RuleIndex
from mroute.ruleset.literals import Kind, View
from mroute.ruleset.literals import Test as Asked
from mroute.ruleset.normal_form import Normaliser
from mroute.ruleset.stored import read_back, write_down
from mroute.ruleset.substrings import search_for


def rule_set(*texts: str, functions: Functions = BUILTINS) -> RuleSet:
    rule = RuleBase(when="-", action="route")
    conditions = [compile_text(text, functions) for text in texts]
    return RuleSet(CompiledRule(c.tree.text, rule, Phase.DISPATCH, c) for c in conditions)


def test_what_a_function_of_a_plugin_gave_is_not_kept() -> None:
    site = ["A"]
    functions = {**BUILTINS, "site": RuleFunction("site", (), Type.TEXT, lambda: site[0])}
    text = "tags.StationName == site()"
    forms = read_back(write_down({text: Normaliser(functions).form(compile_text(text, functions))}))
    site[0] = "B"
    index = RuleIndex([compile_text(text, functions)], [forms[text]])
    assert index.true({"StationName": "B"}) == [0]
    assert index.true({"StationName": "A"}) == []


def test_two_halves_of_a_character_stay_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    file = tmp_path / "mroute.yaml"
    when = r"""'\ud83d\ude00' in tags.SeriesDescription"""
    file.write_text(f"version: 1\nrules:\n  r: {{when: {when!r}, action: discard}}\n")
    registry = Registry.collect(Hooks.load())
    for _ in range(2):
        rules = load(file, registry).rules
        assert rules.evaluate({"SeriesDescription": "\ud83d\ude00"}).triggered == ("r",)
        assert rules.evaluate({"SeriesDescription": "\U0001f600"}).triggered == ()


def test_views_are_the_same_after_any_number_of_edits() -> None:
    texts = [f"tags.Modality.lower() == 'x{n}'" for n in range(40)]
    forms: Mapping[str, Any] = {}
    for number in range(1, 40):
        programs = [compile_text(text) for text in texts[:number]]
        index = RuleIndex(programs, [forms.get(text) for text in texts[:number]])
        forms = read_back(write_down(dict(zip(texts, index.forms, strict=False))))
    views = {test.view for form in forms.values() for test in form.terms[0][0].tests}
    assert len(views) == 1


def test_the_outcome_of_a_rule_that_triggered_is_true_later_too() -> None:
    hours: Iterator[int] = count(23)
    functions = {
        **BUILTINS,
        "clock": RuleFunction("clock", (), Type.NUMBER, lambda: next(hours), pure=False),
    }
    decision = rule_set("clock() == 23", "clock() == 0", functions=functions).evaluate({})
    assert decision.triggered == ("clock() == 23",)
    outcome = decision.outcomes["clock() == 23"]
    assert outcome.value is True
    assert outcome.because == "it was true when the series was decided, and is not any more"
    assert decision.outcomes["clock() == 0"].value is False


def test_the_reason_of_a_default_discard_is_found_out_once() -> None:
    answers = iter([None, 1, 1, None])
    functions = {
        **BUILTINS,
        "clock": RuleFunction("clock", (), Type.NUMBER, lambda: next(answers), pure=False),
    }
    decision = rule_set("clock() == 2", functions=functions).evaluate({})
    assert decision.reason == "no rule triggered"
    assert decision.reason == "no rule triggered"
    assert next(answers) == 1


class Disguised(str):
    """A text that claims to be another."""

    def __eq__(self, other: object) -> bool:
        return other == "MR"

    def __hash__(self) -> int:
        return hash("MR")


def test_a_value_that_is_equal_to_another_text_is_taken_for_what_it_says() -> None:
    condition = compile_text("tags.Modality == 'MR'")
    index = RuleIndex([condition])
    for tags in ({"Modality": "MR"}, {"Modality": Disguised("CT")}):
        assert index.true(tags) == ([0] if condition.value(tags) else [])


def test_conditions_of_different_functions_are_refused() -> None:
    other = {**BUILTINS}
    programs: list[Program] = [compile_text("has(Modality)"), compile_text("has(Rows)", other)]
    with pytest.raises(ValueError, match="different functions"):
        RuleIndex(programs)


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^two rules are called 'has\(Rows\)'$"):
        rule_set("has(Rows)", "has(Rows)")


def test_loops_within_loops_are_spelled_out_within_bounds() -> None:
    items = ", ".join(f"'{n:02}'" for n in range(60))
    text = "x + y + z in tags.SeriesDescription"
    for name in "xyz":
        text = f"any({text} for {name} in [{items}])"
    form = Normaliser(BUILTINS).form(compile_text(text))
    # Written out it would be 216,000 questions.
    assert len(form.terms) == 1
    assert len(form.terms[0][0].tests) == 1


def test_a_term_has_few_literals_on_one_tag() -> None:
    parts = [f"p{n}" for n in range(300)]
    index = RuleIndex([compile_text(f"all_of(tags.SeriesDescription, {parts})")])
    assert index.true({"SeriesDescription": " ".join(parts)}) == [0]
    assert index.true({"SeriesDescription": " ".join(parts[:-1])}) == []
    (column,) = index._columns
    assert len(column._shifts) < 8


@pytest.mark.parametrize("accelerated", [True, False])
def test_texts_within_texts_are_found_in_a_long_text(accelerated: bool) -> None:
    texts = ["a" * length for length in range(1, 400)]
    search = search_for(texts, accelerated)
    assert set(search("a" * 50_000)) == set(texts)
    assert set(search("b" * 50_000 + "aaa")) == {"a", "aa", "aaa"}


def test_a_view_of_the_tag_itself_is_known_as_such() -> None:
    (term,) = Normaliser(BUILTINS).form(compile_text("tags.Modality == 'MR'")).terms
    (test,) = term[0].tests
    assert test == Asked(test.view, Kind.EQUAL, "MR")
    assert isinstance(test.view, View)
    assert test.view.node is test.view.tag


@pytest.mark.parametrize("terms", [1, 2, 3, 4, 7])
def test_a_condition_is_named_once_whichever_of_its_terms_hold(terms: int) -> None:
    tags = ["Modality", "Rows", "Columns", "KVP", "PatientID", "StudyID", "StationName"][:terms]
    either = " or ".join(f"tags.{tag} == '1'" for tag in tags)
    index = RuleIndex([compile_text(f"has({tags[0]}) or not has({tags[0]})"), compile_text(either)])
    for number in range(2**terms):
        series = {tag: str(number >> place & 1) for place, tag in enumerate(tags)}
        assert index.true(series) == ([0, 1] if number else [0])
