"""What is compiled when, how often, and that it comes to the same however it came about.

Knows the programs of conditions. Does not know what an operator means (test_properties), or how
long anything takes (tests/benchmarks).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute.expr import (
    BUILTINS,
    Clauses,
    Functions,
    Program,
    RuleFunction,
    Tree,
    Type,
    check,
    compile_condition,
    compile_text,
    parse,
    value_of,
)
from mroute.expr.cost import steps_of
from mroute.expr.language import MAX_STEPS
from mroute.expr.nodes import And, Name, Node, Not, Or, walk
from mroute.expr.record import RecordValue
from mroute.expr.values import Unknown
from tests.unit.expr.reference import evaluate
from tests.unit.expr.strategies import CALLED, conditions, tag_sets
from tests.unit.expr.test_properties import SEEDS, SOME
from tests.unit.expr.worst import BIG, PARTS

FOUR = (
    "tags.Modality == 'MR' and 'brain' in tags.SeriesDescription.lower() "
    "and tags.SliceThickness < 2.5 and (has(Rows) or tags.Rows == '1')"
)
CT = {"Modality": "CT"}


def compiled_by(action: Callable[[], Any]) -> int:
    """How often Python's compiler is called while ``action`` runs."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "c_call" and argument is compile

    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def program_of(text: str, clauses: Clauses) -> Program:
    return compile_condition(check(parse(text), clauses.functions), clauses)


def test_what_is_compiled_would_be_seen() -> None:
    assert compiled_by(lambda: [compile(text, "", "eval") for text in ("1", "2")]) == 2


def test_making_a_program_compiles_nothing() -> None:
    checked = check(parse(FOUR), BUILTINS)
    assert compiled_by(lambda: compile_condition(checked)) == 0
    assert compiled_by(lambda: compile_condition(checked).metered) == 0


def test_a_false_conjunction_compiles_the_clauses_it_looks_at() -> None:
    program = compile_text(FOUR)
    assert compiled_by(lambda: program.evaluate(CT)) == 1
    assert compiled_by(lambda: program.evaluate(CT)) == 0
    assert compiled_by(lambda: program.evaluate({"Modality": "MR", "SeriesDescription": ""})) == 1
    # What is unknown decides nothing: all that follows is looked at.
    assert compiled_by(lambda: program.evaluate({"Modality": "MR"})) == 3
    assert compiled_by(lambda: program.clauses(CT)) == 0


def test_a_clause_is_compiled_once_for_all_that_share_it() -> None:
    clauses = Clauses(BUILTINS)
    one = program_of("tags.Modality == 'MR' and tags.Rows > 100", clauses)
    other = program_of("@Modality@ == 'MR' and tags.Columns > 7", clauses)
    apart = compile_text("tags.Modality == 'MR' and tags.Rows > 100")
    assert compiled_by(lambda: one.evaluate(CT)) == 1
    assert compiled_by(lambda: other.evaluate(CT)) == 0
    assert compiled_by(lambda: apart.evaluate(CT)) == 1
    # Literals that Python takes for equal are not the same clause.
    two = [program_of(f"tags.StudyID == str({number})", clauses) for number in ("1", "1.0")]
    assert [each.value({"StudyID": "1"}) for each in two] == [True, False]


def test_conditions_of_one_shape_share_the_code_that_joins_them() -> None:
    clauses = Clauses(BUILTINS)
    texts = [f"tags.Rows == {n} or not (tags.Rows < {n} and tags.Rows > {n + 9})" for n in range(4)]
    first, *others = [program_of(text, clauses) for text in texts]
    assert compiled_by(lambda: first.value({"Rows": "1"})) <= 3 + 1
    assert compiled_by(lambda: [each.value({"Rows": "1"}) for each in others]) == 3 * len(others)
    assert [each.value({"Rows": "1"}) for each in (first, *others)] == [True] * 4
    assert [each.value({"Rows": "-1"}) for each in (first, *others)] == [True] * 4


def test_clauses_call_the_functions_that_the_condition_was_checked_with() -> None:
    def numbered(number: int) -> Functions:
        function = RuleFunction("number", (), Type.NUMBER, lambda: number)
        return {**BUILTINS, "number": function}

    one, two = Clauses(numbered(1)), Clauses(numbered(2))
    values = [
        program_of("number() == 2 and has(Rows)", each).value({"Rows": "1"}) for each in (one, two)
    ]
    assert values == [False, True]
    with pytest.raises(ValueError, match="checked with other functions"):
        compile_condition(check(parse("number() == 2"), one.functions), two)


# ---- the steps of a rule


@pytest.mark.parametrize(
    "text",
    [
        f"any(any(x + y == 'b' for y in {PARTS}) for x in {PARTS})",
        f"tags.Rows == 1 and not any(x in {PARTS} for x in {PARTS})",
        f"sum([{', '.join(['tags.PatientComments.rsplit(tags.PatientComments)'] * 100)}]) == 1",
    ],
)
def test_what_might_take_long_is_metered(text: str) -> None:
    assert compile_text(text).metered is True


@pytest.mark.parametrize(
    "text", [FOUR, "True", "any(x in tags.ImageType for x in ['A', 'B'])", f"len({PARTS}) > 5"]
)
def test_what_is_usual_is_not_metered(text: str) -> None:
    assert compile_text(text).metered is False


def test_a_clause_is_metered_where_the_rule_around_it_is_large() -> None:
    clauses = Clauses(BUILTINS)
    loop = f"any(x == 'a' for x in {PARTS})"
    many = " and ".join(f"tags.Rows != {n}" for n in range(1_000))
    small, large = program_of(loop, clauses), program_of(f"{loop} or {many}", clauses)
    assert (small.metered, large.metered) == (False, True)
    tags = {"PatientComments": "\\".join("b" * 5_000), "Rows": "0"}
    # The code of the one is not taken for that of the other, whichever comes first.
    for program, value in ((small, False), (large, None), (small, False)):
        assert program.value(tags) is value
        assert program.evaluate(tags).value is value


def clauses_of(node: Node) -> Iterator[Node]:
    """The clauses of a condition, each as often as it occurs."""
    match node:
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from clauses_of(operand)
        case Not(operand=operand):
            yield from clauses_of(operand)
        case _:
            yield node


@SOME
@given(st.lists(conditions(3), min_size=2, max_size=40), SEEDS)
def test_a_clause_has_its_share_of_the_steps_of_the_rule(roots: list[Node], seed: int) -> None:
    root = And(tuple(Random(seed).choices(roots, k=len(roots))))
    sizes: Counter[Node] = Counter()
    for clause in clauses_of(root):
        sizes[clause] += sum(1 for _ in walk(clause))
    share = MAX_STEPS // sizes.total()
    expected = any(
        steps_of(clause, CALLED) > share * sum(1 for _ in walk(clause)) for clause in sizes
    )
    assert compile_condition(check(Tree(root), CALLED)).metered is expected


# ---- values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tags.Modality", "MR"),
        ("@modality@", "MR"),
        ("tags.Modality.lower()", "mr"),
        ("tags.Rows + 1", 513),
        ("float(tags.Rows)", 512.0),
        ("len(tags.Modality) * 2", 4),
        ("tags.ImageType.split('\\\\')[0]", "ORIGINAL"),
        ("tags.ImageType.split('\\\\')", ("ORIGINAL", "PRIMARY")),
        ("'A' if tags.Rows > 100 else tags.Columns", "A"),
        ("tags.Rows == 512 and has(Modality)", True),
        ("any(x == 'MR' for x in [tags.Modality, 'x'])", True),
        ("'constant'", "constant"),
    ],
)
def test_the_value_of_a_part(text: str, value: object) -> None:
    tags = {"Modality": "MR", "Rows": "512", "ImageType": "ORIGINAL\\PRIMARY"}
    found = value_of(parse(text).root, BUILTINS)(tags)
    assert (type(found), found) == (type(value), value)


def test_the_value_of_a_part_is_not_a_truth_value_and_not_counted() -> None:
    missing = value_of(parse("tags.Columns").root, BUILTINS)({})
    assert isinstance(missing, Unknown)
    assert missing.reason == "tag 'Columns' is missing"
    loop = parse(f"any(any(x + y == 'b' for y in {PARTS}) for x in {PARTS})").root
    tags = {"PatientComments": "\\".join("a" * 200)}
    assert value_of(loop, BUILTINS)(tags) is False
    assert compile_condition(check(Tree(loop), BUILTINS)).value(BIG) is None


@SOME
@given(conditions(), SEEDS)
def test_the_value_of_every_part_is_that_of_the_reference_interpreter(
    root: Node, seed: int
) -> None:
    parts = [node for node, _ in walk(root) if not any(isinstance(n, Name) for n, _ in walk(node))]
    for node in parts:
        value = value_of(node, CALLED)
        for tags in tag_sets(root, Random(seed), 10):
            assert known(value(tags)) == evaluate(node, tags, {}), (node, tags)


def known(value: Any) -> Any:
    """``value`` as the reference interpreter has it."""
    match value:
        case Unknown():
            return None
        case tuple():
            return [known(each) for each in value]
        case RecordValue(parts=parts):
            return {name: known(part) for name, part in parts.items()}
    return value


# ---- threads


@contextmanager
def often_switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def test_threads_may_all_be_the_first_to_ask() -> None:
    texts = [f"{FOUR} and tags.Rows > {n % 5} and tags.SeriesNumber != {n}" for n in range(30)]
    series = [
        {"Modality": "MR", "SeriesDescription": "Brain", "SliceThickness": "1", "Rows": str(rows)}
        | ({"SeriesNumber": "7"} if rows else {})
        for rows in range(6)
    ]
    expected = [[compile_text(t).evaluate(tags) for t in texts] for tags in series]
    with often_switching(), ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            clauses = Clauses(BUILTINS)
            programs = [program_of(text, clauses) for text in texts]
            together = Barrier(len(series))

            def ask(
                tags: dict[str, str], programs: list[Program] = programs, start: Barrier = together
            ) -> list[Any]:
                start.wait()
                return [(each.evaluate(tags), each.value(tags)) for each in programs]

            found = list(pool.map(ask, series))
            assert found == [[(each, each.value) for each in row] for row in expected]
