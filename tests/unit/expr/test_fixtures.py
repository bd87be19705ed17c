"""The expressions of tests/fixtures/expressions come to what is written beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mroute_dicom
from mroute.expr import Outcome, compile_completion, compile_text
from mroute.testing import registry_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "expressions"
FUNCTIONS = registry_of(mroute_dicom).functions
EXPECTED = {"true": True, "false": False, "unknown": None}


def lines_of(*names: str) -> list[tuple[str, str, bool | None]]:
    found = []
    for name in names:
        for line in (FOLDER / name).read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                expression, subject, expected = line.rsplit(" ; ", 2)
                found.append((expression, subject, EXPECTED[expected.strip()]))
    return found


COMPLETION = "completion.txt"
CONDITIONS = lines_of(*sorted(path.name for path in FOLDER.iterdir() if path.name != COMPLETION))
COMPLETIONS = lines_of(COMPLETION)


def test_there_are_many() -> None:
    assert len(CONDITIONS) + len(COMPLETIONS) >= 450
    assert len(lines_of("mercure.txt")) >= 60
    for lines in (CONDITIONS, COMPLETIONS):
        assert len({(expression, subject) for expression, subject, _ in lines}) > 0.98 * len(lines)


@pytest.mark.parametrize(("expression", "subject", "expected"), CONDITIONS)
def test_a_condition(expression: str, subject: str, expected: bool | None) -> None:
    tags = json.loads(subject)
    program = compile_text(expression, FUNCTIONS)
    outcome = program.evaluate(tags)
    assert (program.value(tags), outcome.value) == (expected, expected), outcome.because
    assert outcome.because


@pytest.mark.parametrize(("expression", "subject", "expected"), COMPLETIONS)
def test_a_completion(expression: str, subject: str, expected: bool | None) -> None:
    outcome = compile_completion(expression).evaluate(json.loads(subject))
    assert outcome == Outcome(expected, outcome.because)
    assert outcome.because
