"""Why an expression is true, false or unknown: the clauses that decide, and what they saw."""

from __future__ import annotations

import sys

import pytest

from mroute.expr import Clause, Outcome, compile_completion, compile_text
from tests.conftest import ROOT

MR = {"Modality": "MR", "SeriesDescription": "SAG T2", "Rows": "512"}


@pytest.mark.parametrize(
    ("text", "value", "because"),
    [
        ("tags.Modality == 'CT'", False, "tags.Modality == 'CT' is false: Modality is 'MR'"),
        ("@modality@=='MR'", True, "tags.modality == 'MR' is true: Modality is 'MR'"),
        (
            "tags.SliceThickness < 2",
            None,
            "tags.SliceThickness < 2 is unknown: tag 'SliceThickness' is missing",
        ),
        (
            "float(tags.Modality) < 2",
            None,
            "float(tags.Modality) < 2 is unknown: 'MR' is not a number",
        ),
        (
            "tags.Modality == 'MR' and tags.Rows > 600",
            False,
            "tags.Rows > 600 is false: Rows is '512'",
        ),
        (
            "tags.Modality == 'MR' and tags.Rows > 500",
            True,
            (
                "tags.Modality == 'MR' is true: Modality is 'MR'; "
                "tags.Rows > 500 is true: Rows is '512'"
            ),
        ),
        (
            "tags.StudyID == 'x' or tags.Rows > 500",
            True,
            "tags.Rows > 500 is true: Rows is '512'",
        ),
        (
            "tags.Rows > 600 or tags.StudyID == 'x'",
            None,
            "tags.StudyID == 'x' is unknown: tag 'StudyID' is missing",
        ),
        (
            "not (tags.Modality == 'MR' or tags.StudyID == 'x')",
            False,
            "tags.Modality == 'MR' is true: Modality is 'MR'",
        ),
        (
            "tags.StudyID == 'x' or tags.Columns == 'y'",
            None,
            "tags.StudyID == 'x' is unknown: tag 'StudyID' is missing",
        ),
        ("has(StudyID)", False, "has(tags.StudyID) is false: StudyID is missing"),
        ("1 < 2", True, "1 < 2 is true"),
        (
            "tags.Rows * tags.Rows > tags.Columns",
            None,
            "tags.Rows * tags.Rows > tags.Columns is unknown: tag 'Columns' is missing",
        ),
    ],
)
def test_because(text: str, value: bool | None, because: str) -> None:
    assert compile_text(text).evaluate(MR) == Outcome(value, because)


def test_many_clauses_are_counted() -> None:
    text = " and ".join(f"tags.Rows > {n}" for n in range(5))
    assert compile_text(text).evaluate(MR).because == (
        "tags.Rows > 0 is true: Rows is '512'; tags.Rows > 1 is true: Rows is '512'; "
        "tags.Rows > 2 is true: Rows is '512'; and so are 2 more clauses"
    )


def test_long_values_are_shortened_and_odd_ones_escaped() -> None:
    long = compile_text("'x' in tags.PatientComments").evaluate({"PatientComments": "a" * 500})
    assert long.because.endswith(f"PatientComments is '{'a' * 57}...'")
    odd = compile_text("'x' in tags.PatientComments").evaluate({"PatientComments": "\udcb1\n"})
    assert odd.because.endswith("PatientComments is '\\udcb1\\n'")
    assert odd.because.encode("utf-8")


def test_clauses_are_told_one_by_one() -> None:
    program = compile_text("not tags.Modality == 'CT' and (tags.StudyID == 'x' or has(Rows))")
    assert program.clauses(MR) == (
        Clause("tags.Modality == 'CT'", False, (("Modality", "MR"),)),
        Clause("tags.StudyID == 'x'", None, (("StudyID", None),), "tag 'StudyID' is missing"),
        Clause("has(tags.Rows)", True, (("Rows", "512"),)),
    )


def test_a_value_that_is_no_text_is_read_as_one() -> None:
    # What pydicom gives, as an embedding program might pass it on.
    tags = {"ImageType": ["ORIGINAL", "PRIMARY"], "Rows": 512}
    program = compile_text("tags.Rows == '512' and tags.ImageType == 'ORIGINAL\\\\PRIMARY'")
    assert program.value(tags) is True  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "received", "value", "because"),
    [
        ("'T2'", ["SAG T2"], True, "'T2' was received as 'SAG T2'"),
        ("'T2'", [], False, "no series was received"),
        ("'T2' and 'T1'", ["SAG T2"], False, "not complete: 'T1' is missing"),
        (
            "'T2' and ('A' or 'B' and 'C')",
            ["T2"],
            False,
            "not complete: 'A' is missing or ('B' is missing; 'C' is missing)",
        ),
        (
            "count('T1') >= 2",
            ["T1"],
            False,
            "not complete: count('T1') >= 2 is false with 1 received",
        ),
        ("not 'LOC'", ["T1"], True, "'LOC' is missing, and should be"),
        (
            "not 'LOC'",
            ["LOC"],
            False,
            "not complete: 'LOC' was received as 'LOC', and must not be",
        ),
    ],
)
def test_because_of_a_completion(text: str, received: list[str], value: bool, because: str) -> None:
    assert compile_completion(text).evaluate(received) == Outcome(value, because)


def test_importing_is_cheap() -> None:
    import subprocess

    code = (
        "import sys, mroute.expr; mroute.expr.BUILTINS, mroute.expr.Language, mroute.expr.Type;"
        "print(sorted({'lark', 'pydicom', 'pydantic', 'difflib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
