"""No way out: known escapes are refused, and compiled code has nothing to reach out with.

Knows tests/fixtures/escapes.txt. Does not know limits of size and time (test_bounds).
"""

from __future__ import annotations

import dis
import json
import re
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

from mroute.errors import ExpressionError, Problem
from mroute.expr import BUILTINS, Code, Program, check, compile_text, parse
from mroute.expr.record import RecordValue
from mroute.expr.values import Unknown
from tests.conftest import ROOT
from tests.unit.expr.test_fixtures import CONDITIONS, EXPECTED, FUNCTIONS

SECTIONS = re.split(
    r"^# == (.*)\n", (ROOT / "tests/fixtures/escapes.txt").read_text("utf-8"), flags=re.MULTILINE
)[1:]


def lines_of(section: str) -> list[str]:
    """The lines of a section, with ``<U+202E>`` as the character it names."""
    return [
        re.sub(r"<U\+([0-9A-F]{4,5})>", lambda found: chr(int(found[1], 16)), line)
        for line in section.splitlines()
        if line and not line.startswith("# ")
    ]


REFUSED = [line for section in SECTIONS[1:-2:2] for line in lines_of(section)]
HARMLESS = [line.rsplit(" ; ", 2) for line in lines_of(SECTIONS[-1])]

OUTWARD = ("ATTR", "METHOD", "IMPORT", "STORE_GLOBAL", "STORE_NAME", "BUILD_CLASS", "SUBSCR")
"""Parts of the names of Python's instructions that reach beyond values and calls of functions."""


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        return check(parse(text), BUILTINS).errors
    except ExpressionError as error:
        return error.problems


def test_the_corpus_is_read() -> None:
    assert "Harmless" in SECTIONS[-2]
    assert len(REFUSED) >= 120
    assert len(set(REFUSED)) == len(REFUSED)
    assert any("\u202e" in text for text in REFUSED)


@pytest.mark.parametrize("text", REFUSED)
def test_an_escape_is_refused(text: str) -> None:
    problems = problems_of(text)
    # How many arguments a function takes is said in the message itself.
    assert any(problem.hint or problem.code == Code.ARITY for problem in problems)
    lines = text.split("\n")
    for problem in problems:
        assert problem.message
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    with pytest.raises(ExpressionError):
        compile_text(text)


@pytest.mark.parametrize(("text", "tags", "expected"), HARMLESS)
def test_what_looks_like_an_escape_is_a_text(text: str, tags: str, expected: str) -> None:
    program = compile_text(text)
    assert program.value(json.loads(tags)) is EXPECTED[expected]


COMPILED = sorted(
    {expression for expression, _, _ in CONDITIONS} | {text for text, _, _ in HARMLESS}
)


@pytest.mark.parametrize("text", COMPILED)
def test_compiled_code_reaches_nothing_but_the_language(text: str) -> None:
    for function in functions_of(compile_text(text, FUNCTIONS)):
        known = names_of(function)
        for code in codes_of(function):
            assert set(code.co_names) <= known, text
            for step in dis.get_instructions(code):
                assert not any(part in step.opname for part in OUTWARD), (text, step)


def test_an_instruction_that_reaches_out_would_be_found() -> None:
    for source in ("t.a", "t.a()", "t['a']"):
        steps = [step.opname for step in dis.get_instructions(compile(source, "", "eval"))]
        assert any(part in name for name in steps for part in OUTWARD), source


def functions_of(program: Program) -> list[FunctionType]:
    """All that is compiled for ``program``: the whole, and each of its clauses."""
    shape = program._shaped()
    found = [shape.whole(), *map(shape.reader, range(len(shape.clauses)))]
    functions = [each for each in found if isinstance(each, FunctionType)]
    assert len(functions) == len(found)
    return functions


def names_of(function: FunctionType) -> set[str]:
    """The global names that compiled code has; all are functions of the language, or constants."""
    names: dict[str, Any] = dict(function.__globals__)
    assert names.pop("__builtins__") == {}
    for name, value in names.items():
        if isinstance(value, FunctionType):
            assert value.__module__.startswith("mroute.expr."), name
        else:
            assert isinstance(value, Unknown | RecordValue | str | int | float | tuple), name
    return set(names)


def codes_of(function: FunctionType) -> Iterator[CodeType]:
    """Every code object of ``function``, those of its loops among them."""
    pending = [function.__code__]
    while pending:
        code = pending.pop()
        yield code
        pending.extend(each for each in code.co_consts if isinstance(each, CodeType))
