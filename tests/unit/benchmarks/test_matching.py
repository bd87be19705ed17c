"""The workload of the benchmark is what it claims, and everybody decides the same on it."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import pytest

from mroute.contributions import Phase
from mroute.expr import Program, compile_text, parse
from mroute.models import RuleBase
from mroute.ruleset import CompiledRule, RuleSet
from tests.benchmarks.matching.forms import Kind, form_of, predicates
from tests.benchmarks.matching.measuring import Way, measured, ratio
from tests.benchmarks.matching.peers import CEL, PYTHON, Variables, spelled
from tests.benchmarks.matching.reference import number, reference
from tests.benchmarks.matching.scanners import NUMBERS
from tests.benchmarks.matching.workload import Tags, Workload, seen

COUNT = 10_000
SERIES = 200


@pytest.fixture(scope="module")
def workload() -> Workload:
    return Workload()


@pytest.fixture(scope="module")
def conditions(workload: Workload) -> dict[str, Program]:
    return {name: compile_text(text) for name, text in workload.rules(COUNT).items()}


@pytest.fixture(scope="module")
def series(workload: Workload) -> list[Tags]:
    return workload.series(SERIES, "test")


Values = list[dict[str, bool | None]]


@pytest.fixture(scope="module")
def values(conditions: Mapping[str, Program], series: Iterable[Tags]) -> Values:
    """What each condition comes to by itself, for each series."""
    return [{name: each.value(tags) for name, each in conditions.items()} for tags in series]


def triggered(values: Mapping[str, bool | None]) -> list[str]:
    return [name for name, value in values.items() if value is True]


# The workload


def test_a_workload_is_the_same_each_time() -> None:
    one, same, other = Workload(7), Workload(7), Workload(8)
    assert one.rules(50) == same.rules(50) != other.rules(50)
    assert one.series(20, "a") == same.series(20, "a") != other.series(20, "a")
    assert one.rules(10) == dict(list(one.rules(50).items())[:10])
    assert not any(tags in one.series(20, "b") for tags in one.series(20, "a"))


def test_series_have_50_to_70_tags_and_not_all_the_same(series: list[Tags]) -> None:
    sizes = [len(tags) for tags in series]
    assert min(sizes) >= 50
    assert max(sizes) <= 70
    assert len({frozenset(tags) for tags in series}) > 50
    uids = [tags["SeriesInstanceUID"] for tags in series]
    assert len(set(uids)) == SERIES


def test_there_are_150_scanners_at_12_sites(workload: Workload) -> None:
    for name, most in (("StationName", 150), ("InstitutionName", 12)):
        assert len({scanner.tags[name] for scanner in workload.fleet}) == most


def test_some_values_are_empty_and_some_are_no_numbers(series: list[Tags]) -> None:
    texts = [tags[name] for tags in series for name in NUMBERS if name in tags]
    unreadable = [text for text in texts if text and number(text) != number(text)]
    assert texts.count("") > len(texts) / 100
    assert len(unreadable) > len(texts) / 100


def test_rules_have_two_to_five_predicates_of_all_kinds(conditions: Mapping[str, Program]) -> None:
    forms = [form_of(each.tree.root) for each in conditions.values()]
    sizes = Counter(len(predicates(form)) for form in forms)
    # A range is one predicate to whoever writes it, and counts as two.
    assert set(sizes) <= {2, 3, 4, 5, 6, 7}
    assert sum(sizes[each] for each in (2, 3, 4, 5)) > 0.98 * COUNT
    kinds = Counter(each.kind for form in forms for each in predicates(form))
    assert all(kinds[kind] > COUNT / 100 for kind in Kind), kinds
    asked = [each for form in forms for each in predicates(form)]
    assert sum(each.lowered for each in asked) > COUNT / 10
    assert sum(not each.wanted for each in asked) > COUNT / 10


def test_one_to_two_percent_of_the_rules_trigger(values: Values) -> None:
    for count in (100, 1_000, COUNT):
        share = statistics.fmean(
            sum(value is True for value in list(each.values())[:count]) / count for each in values
        )
        assert 0.01 <= share <= 0.02, (count, share)
    assert all(0 < len(triggered(each)) < COUNT / 10 for each in values)


def test_unseen_series_have_mostly_seen_values(
    workload: Workload, conditions: Mapping[str, Program]
) -> None:
    known, unseen = workload.series(3_000, "known"), workload.series(100, "unseen")
    asked = {each.tag for c in conditions.values() for each in predicates(form_of(c.tree.root))}
    assert 0.9 < seen(known, unseen, sorted(asked)) < 0.99
    assert seen(known, unseen, ["SeriesInstanceUID"]) == 0


# The reference and the peers


@pytest.mark.parametrize("lazy", [True, False])
def test_the_reference_decides_as_the_conditions_do(
    conditions: Mapping[str, Program], series: list[Tags], values: Values, lazy: bool
) -> None:
    forms = {name: form_of(each.tree.root) for name, each in conditions.items()}
    function = reference(forms, lazy)
    for tags, each in zip(series, values, strict=True):
        assert function(tags) == triggered(each)


ODD = (
    "",
    " ",
    "\0",
    "2",
    " 2.0 ",
    "2\0",
    "NaN",
    "inf",
    "1_0",
    "1e400",
    "9" * 25,
    "٢",
    "\x1c2",
    "-0",
)


@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "tags.Rows == 2",
        "not (tags.Rows == 2)",
        "not (1 <= tags.Rows < 3)",
        "not (tags.Rows != 2 or tags.Rows < 0)",
        "tags.Rows > 9999999999999999999999998",
        "empty(Rows)",
        "not empty(Rows)",
        "not has(Rows)",
        "tags.Rows not in ['2', 'inf']",
        "not (tags.Rows == '2')",
        "not ('n' in tags.Rows.lower())",
        "not tags.Rows.startswith('N') and not tags.Rows.lower().endswith('f')",
    ],
)
def test_the_reference_keeps_unknown_apart_from_false(text: str, lazy: bool) -> None:
    program = compile_text(text)
    function = reference({"rule": form_of(program.tree.root)}, lazy)
    for tags in ({}, *({"Rows": value} for value in ODD)):
        assert bool(function(tags)) is (program.value(tags) is True), tags


def test_what_cannot_be_translated_is_refused() -> None:
    for text in (
        "tags.Rows == tags.Columns",
        "len(tags.Rows) > 2",
        "tags.Modality in ['']",
        "tags.Rows",
    ):
        with pytest.raises(TypeError, match="benchmark"):
            form_of(parse(text).root)


def test_a_rule_is_spelled_in_the_language_of_a_peer() -> None:
    form = form_of(parse("not (tags.Rows < 2 or 't1' in tags.SeriesDescription.lower())").root)
    assert spelled(form, PYTHON) == (
        "((Rows_readable and Rows_number >= 2.0) and "
        '(SeriesDescription_has and not ("t1" in SeriesDescription_lower)))'
    )
    assert '!(SeriesDescription_lower.contains("t1"))' in spelled(form, CEL)


def test_the_python_spelling_decides_as_the_conditions_do(
    conditions: Mapping[str, Program], series: list[Tags], values: Values
) -> None:
    names = list(conditions)[:500]
    forms = {name: form_of(conditions[name].tree.root) for name in names}
    codes = {name: compile(spelled(form, PYTHON), name, "eval") for name, form in forms.items()}
    variables = Variables(forms.values())
    for tags, each in zip(series[:20], values, strict=False):
        found = [name for name, code in codes.items() if eval(code, variables(tags))]  # noqa: S307 - ours
        assert found == [name for name in names if each[name] is True]


# Measuring


def test_all_ways_match_each_series_once_and_have_to_agree() -> None:
    calls: list[str] = []

    def way(name: str) -> Callable[[Mapping[str, str]], list[str]]:
        def match(tags: Mapping[str, str]) -> list[str]:
            calls.append(name + tags["n"])
            return [tags["n"]]

        return match

    blocks = [[{"n": "1"}, {"n": "2"}], [{"n": "3"}]]
    found = measured({"a": Way(way("a")), "b": Way(way("b"))}, blocks, 60)
    assert calls == ["a1", "a2", "b1", "b2", "b3", "a3"]
    assert [len(times) for times in found.values()] == [2, 2]
    with pytest.raises(AssertionError, match="do not find the same"):
        measured({"a": Way(way("a")), "b": Way(lambda tags: [])}, blocks, 60)
    assert ratio([1, 2, 9], [1, 1, 3]) == 2


# The rule set


def rule_set(conditions: Mapping[str, Program], draw: random.Random) -> RuleSet:
    """The rules with some that are disabled, are fallbacks, or discard."""

    def compiled(name: str, condition: Program) -> CompiledRule:
        disabled, fallback, discards = (draw.random() < chance for chance in (0.02, 0.3, 0.001))
        rule = RuleBase(when="True", action="any", disabled=disabled, fallback=fallback)
        return CompiledRule(name, rule, Phase.DISCARD if discards else Phase.DISPATCH, condition)

    return RuleSet(compiled(name, condition) for name, condition in conditions.items())


def expected(
    rules: RuleSet, values: Mapping[str, bool | None]
) -> tuple[list[str], str | None, bool, list[str]]:
    """The decision by section 6 of the blueprint: triggered, discarded by, fallback, considered."""
    considered: list[str] = []
    for fallback in (False, True):
        found: list[str] = []
        for name, rule in rules.items():
            if rule.rule.disabled or rule.rule.fallback is not fallback:
                continue
            considered.append(name)
            if values[name] is True and rule.discards:
                return [name], name, fallback, considered
            if values[name] is True:
                found.append(name)
        if found:
            return found, None, fallback, considered
    return [], None, False, considered


@pytest.mark.parametrize("count", [20, 100, COUNT])
def test_a_rule_set_decides_as_its_conditions_one_by_one(
    conditions: Mapping[str, Program], series: list[Tags], values: Values, count: int
) -> None:
    some = dict(list(conditions.items())[:count])
    rules = rule_set(some, random.Random(count))
    kinds: Counter[str] = Counter()
    for number_of_series, (tags, each) in enumerate(zip(series, values, strict=True)):
        found, discarded_by, fallback, considered = expected(rules, each)
        decision = rules.evaluate(tags)
        assert list(decision.triggered) == found
        assert (decision.discarded_by, decision.fallback) == (discarded_by, fallback)
        assert decision.discarded is (discarded_by is not None or not found)
        assert bool(decision.reason) is decision.discarded
        assert sorted(decision.outcomes) == sorted(considered)
        for name in considered[number_of_series % 97 :: 97]:
            assert decision.outcomes[name].value is each[name]
        kinds[
            "discard" if discarded_by else "fallback" if fallback else "rules" if found else ""
        ] += 1
    # Nothing would be shown about what does not occur.
    assert set(kinds) == ({"rules", "discard"} if count == COUNT else {"rules", "fallback", ""})
