"""The index answers what evaluating the rules one by one answers: on random rules and series.

CI compares `PAIRS` pairs of a rule and a series, the same in every run; ``pytest
tests/unit/ruleset/test_equality.py --index-pairs 100000000`` compares as many others as it says.
Knows the questions that an index is asked. Does not know how it works.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.valuerep import DSfloat

from mroute.expr import (
    BUILTINS,
    Functions,
    Program,
    RuleFunction,
    Tree,
    Type,
    compile_text,
    parse,
    print_tree,
)
from mroute.expr.language import MAX_TEXT
from mroute.expr.nodes import Node
from mroute.ruleset.index import RuleIndex
from tests.unit.expr.strategies import conditions, tag_sets
from tests.unit.ruleset.comparison import (
    BUILDS,
    Build,
    Comparison,
    answer,
    check_answers,
    compare_world,
    differs,
    told,
    visited,
)
from tests.unit.ruleset.random_rules import (
    KINDS,
    World,
    compiled,
    costly,
    crowd,
    explosive,
    rule,
    world_of,
)
from tests.unit.ruleset.random_series import Renamed, series, tedious_value

PAIRS = 1_000_000
WITH_AND_WITHOUT = pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)


def test_the_index_answers_what_one_by_one_evaluation_answers(
    request: pytest.FixtureRequest,
) -> None:
    asked = request.config.getoption("--index-pairs")
    wanted = PAIRS if asked is None else asked
    seed = 0 if asked is None else time.time_ns()
    done = Comparison()
    while done.pairs < wanted:
        compare_world(seed, done)
        seed += 1
    # They would be equal for nothing if all were unknown.
    assert all(done.values[each] >= done.pairs / 10 for each in (True, False, None)), done


@WITH_AND_WITHOUT
def test_of_every_kind_of_rule_alone(build: Build) -> None:
    random = Random(4)
    for kind in KINDS:
        for _ in range(12):
            world = world_of(random)
            roots = [kind(world) for _ in range(random.choice([1, 2, 9]))]
            sets = [series(world, random) for _ in range(25)]
            check_answers(roots, sets, random, build, kind.__name__)


@WITH_AND_WITHOUT
@pytest.mark.parametrize("kind", [crowd, explosive], ids=lambda kind: kind.__name__)
def test_of_rules_that_grow_out_of_bounds(build: Build, kind: Callable[[World], Node]) -> None:
    random = Random(5)
    for _ in range(8):
        world = world_of(random)
        roots = [kind(world), rule(world), kind(world)]
        check_answers(roots, [series(world, random) for _ in range(40)], random, build)


@WITH_AND_WITHOUT
def test_of_rules_that_may_take_too_long(build: Build) -> None:
    random = Random(14)
    exhausted = 0
    for _ in range(16):
        world = world_of(random)
        roots = [costly(world) for _ in range(2)]
        sets = [
            {
                subject.name: tedious_value(subject, random)
                for subject in world.subjects
                if random.random() < 0.95
            }
            for _ in range(4)
        ]
        check_answers(roots, sets, random, build)
        exhausted += sum(
            "more than its share" in clause.reason
            for root in roots
            for tags in sets
            for clause in compiled(root).clauses(tags)
        )
    assert exhausted >= 10


@WITH_AND_WITHOUT
def test_of_long_values(build: Build) -> None:
    random = Random(6)
    for number in range(12):
        world = world_of(random)
        roots = [(crowd if number < 2 else rule)(world) for _ in range(6)]
        sets = [series(world, random, oddity=300) for _ in range(12)]
        check_answers(roots, sets, random, build)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.lists(conditions(3), min_size=1, max_size=5), st.integers(0, 9_999))
def test_of_conditions_that_nobody_thought_of(roots: list[Node], seed: int) -> None:
    random = Random(seed)
    sets = [tags for root in roots for tags in tag_sets(root, random, 6)]
    visits = list(visited(sets, random))
    for build in BUILDS:
        number = differs(roots, visits, build)
        # Hypothesis makes it small.
        assert number is None, told(roots, visits[: number + 1], build, f"seed {seed}")


def text_programs(*texts: str, functions: Functions = BUILTINS) -> list[Program]:
    return [compile_text(text, functions) for text in texts]


def assert_equal(build: Build, texts: Sequence[str], sets: Sequence[Mapping[str, Any]]) -> None:
    """The index of ``texts`` answers what they do, whatever it was asked before."""
    programs = text_programs(*texts)
    index = build(programs)
    for tags in [*sets, *reversed(sets), *sets]:
        assert index.true(tags) == answer(programs, "true", tags), tags
        assert index.unknown(tags) == answer(programs, "unknown", tags), tags


@WITH_AND_WITHOUT
def test_of_no_rules_and_of_no_tags(build: Build) -> None:
    assert (build([]).true({"Modality": "MR"}), build([]).unknown({})) == ([], [])
    index = build(text_programs("True", "False", "has(Modality)", "tags.Modality == 'MR'"))
    assert (index.true({}), index.unknown({})) == ([0], [3])
    assert (index.true({"Modality": "MR"}), index.unknown({"Modality": "MR"})) == ([0, 2, 3], [])


@WITH_AND_WITHOUT
def test_as_many_terms_as_rules_and_not_one_each(build: Build) -> None:
    two_ways = "tags.Modality != 'MR' or not has(Modality) or empty(StationName)"
    texts = [
        "False",
        "'T2' in tags.Modality and False",
        two_ways,
        "not (has(Rows) and has(Columns))",
    ]
    sets = [{"Modality": "CT"}, {"Modality": "MR", "StationName": " "}, {"Rows": "1"}, {}]
    for count in range(1, len(texts) + 1):
        for first in range(len(texts)):
            assert_equal(build, (texts[first:] + texts[:first])[:count], sets)
    loop = "all(False for x in ['M'] if False if tags.Modality == 'M')"
    assert_equal(build, ["any(False for x in ['M'])", loop], sets)


@WITH_AND_WITHOUT
def test_values_that_are_equal_to_python_and_differ_as_texts(build: Build) -> None:
    values: list[Any] = [1, 1.0, True, "1", DSfloat("1.0"), DSfloat("1.00"), "True", [1], [1.0]]
    values += ["MR", Renamed("MR"), Renamed("RM"), "RM", b"MR", ["MR"], ("MR", "CT"), None]
    texts = [f"tags.SeriesNumber == '{each}'" for each in ("1", "1.0", "True", "1.00", "MR", "RM")]
    texts += ["tags.SeriesNumber == 1", "'R' in tags.SeriesNumber", "has(SeriesNumber)"]
    assert_equal(build, texts, [{"SeriesNumber": value} for value in values])


@WITH_AND_WITHOUT
def test_a_list_that_changes_in_place(build: Build) -> None:
    index = build(text_programs("'B' in tags.ImageType.split('\\\\')"))
    values = ["A"]
    tags: Mapping[str, Any] = {"ImageType": values}
    assert index.true(tags) == []
    values.append("B")
    assert index.true(tags) == [0]


@WITH_AND_WITHOUT
def test_which_of_several_spellings_of_a_tag_counts(build: Build) -> None:
    names = ["Modality", "modality", "MODALITY", "mOdality"]
    sets = [
        {name: value for name, value in zip(names, values, strict=True) if value != "-"}
        for values in (
            ["MR", "CT", "-", "-"], ["-", "CT", "MR", "-"], ["-", "-", "-", "MR"],
            ["CT", "MR", "MR", "-"], ["-", "MR", "-", "CT"], ["-", "MR", "-", "-"],
            ["MR", "-", "-", "-"], ["-", "-", "-", "-"],
        )
    ]  # fmt: skip
    none: list[Mapping[str, Any]] = [{"Modality": None, "modality": "MR"}, {"Modality": None}]
    spelled = ["tags.Modality", "tags.modality", "tags.MODALITY", 'tags["Modality"]']
    spelled += ['tags["modality"]', 'tags["MODALITY"]']
    texts = [f"{each} == 'MR'" for each in spelled] + ["not has(Modality)", "not has(modality)"]
    assert_equal(build, texts, [*sets, *none])


@WITH_AND_WITHOUT
def test_more_values_than_a_cache_holds(build: Build) -> None:
    texts = ["tags.SeriesNumber > 9990", "'77' in tags.SeriesNumber", "tags.SeriesNumber == '5'"]
    programs = text_programs(*texts)
    index = build(programs)
    sets = [{"SeriesNumber": str(number)} for number in range(20_000)]
    found = Counter(number for tags in sets for number in index.true(tags))
    assert found == Counter({0: 10_009, 1: sum("77" in str(n) for n in range(20_000)), 2: 1})
    for tags in sets[::-97]:
        assert index.true(tags) == answer(programs, "true", tags)


@WITH_AND_WITHOUT
def test_a_function_that_is_not_pure_is_asked_each_time(build: Build) -> None:
    now = {"hour": 9, "known": "CT01"}
    functions = {
        **BUILTINS,
        "clock": RuleFunction("clock", (), Type.NUMBER, lambda: now["hour"], pure=False),
        "known": RuleFunction(
            "known", (Type.TEXT,), Type.TRUTH, lambda text: text == now["known"] or None, pure=False
        ),
    }
    texts = (
        "clock() > 12",
        "clock() > 12 and tags.Modality == 'MR'",
        "tags.StationName == 'CT01' or clock() > 12",
        "known(tags.StationName)",
        "not (known(tags.StationName) and has(Modality))",
    )
    programs = text_programs(*texts, functions=functions)
    index = build(programs)
    tags = {"Modality": "MR", "StationName": "CT01"}
    assert (index.true(tags), index.unknown(tags)) == ([2, 3], [])
    now["hour"] = 13
    assert (index.true(tags), index.unknown(tags)) == ([0, 1, 2, 3], [])
    now["known"] = "CT02"
    assert (index.true(tags), index.unknown(tags)) == ([0, 1, 2], [3, 4])


@WITH_AND_WITHOUT
def test_many_parts_of_a_text_at_once(build: Build) -> None:
    # Parts within parts, at the beginning and the end, and characters of two units or half of one.
    parts = ["a", "aa", "ab", "bab", "b", "\udcb1", "\U0001f600", "\ud83d", "ß", "s", "\0", " ", ""]
    texts = [print_tree(Tree(parse(f"{part!r} in tags.SeriesDescription").root)) for part in parts]
    texts += [f"{part!r} in tags.SeriesDescription.lower()" for part in parts]
    texts += [f"any_of(tags.SeriesDescription, [{part!r}, 'zz'])" for part in parts]
    values = [
        "",
        "a",
        "aab",
        "babab",
        "\udcb1a",
        "x\U0001f600",
        "\ud83d\ude00",
        "STRASSE",
        "Straße",
    ]
    values += ["\0a", " ", "AB", "İ", "\u0130s", "\x00", "b" * MAX_TEXT, "B" * (MAX_TEXT + 1)]
    assert_equal(build, texts, [{"SeriesDescription": value} for value in values])


@WITH_AND_WITHOUT
def test_numbers_at_their_bounds(build: Build) -> None:
    bounds = ["0", "1", "2", "0.1", "9007199254740992", "9007199254740993", "1e300", "10" * 15]
    texts = [
        f"{left} {sign} {right}"
        for bound in bounds
        for sign in ("<", "<=", ">", ">=", "==", "!=")
        for left, right in (("tags.SliceThickness", bound), (bound, "float(tags.SliceThickness)"))
    ]
    texts += [
        "1 < tags.SliceThickness <= 2",
        "-1 <= tags.SliceThickness < 0.1",
        "0 in [tags.SliceThickness]",
    ]
    values = [
        *bounds,
        "-0",
        "1.0",
        " 1 ",
        "1e0",
        "01",
        "+1",
        "1.",
        "\u0661",
        "1_0",
        "nan",
        "inf",
        "1e400",
    ]
    values += [
        "9007199254740992.0",
        "9007199254740993.0",
        "0.1000000000000000055",
        "",
        "\0",
        "2\0",
        "x",
    ]
    values += [
        "9" * 30,
        "1" + "0" * 30,
        "1" + "0" * 31,
        "0" * 399 + "1",
        "0" * 400 + "1",
        "1\\2",
        "-1",
    ]
    assert_equal(build, texts, [{}, *({"SliceThickness": value} for value in values)])


def test_forgetting_changes_no_answer() -> None:
    programs = text_programs("tags.Modality == 'MR'", "'T2' in tags.SeriesDescription")
    index = RuleIndex(programs)
    tags = {"Modality": "MR"}
    before = index.true(tags), index.unknown(tags)
    index.forget()
    assert (index.true(tags), index.unknown(tags)) == before == ([0], [1])
