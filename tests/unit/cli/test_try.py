"""``mroute try``: the value of an expression and what each clause saw, as text and as JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

from mroute.cli.installed import Installed, installed
from mroute.errors import DuplicateContributionError
from mroute.expr import RuleFunction, Type
from mroute.plugins import LoadedPlugin
from tests.unit.cli.conftest import Mroute

CT = Path(str(get_testdata_file("CT_small.dcm")))
LONG = r"'AX T2\x1b[31m" + 47 * "x" + "...'"
"""How the description below is shown."""

TAGS = {
    "Modality": "CT",
    "SliceThickness": "thin",
    "SeriesDescription": "AX T2\x1b[31m" + "x" * 100,
    "PatientName": "Müller",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(CT, "ct.dcm")
    Path("a.tags").write_text(json.dumps(TAGS))
    for number, description in enumerate(("Axial T1", "Axial T2")):
        series = {"SeriesInstanceUID": f"1.{number}", "SeriesDescription": description}
        Path(f"t{number}.tags").write_text(json.dumps(series))
    return tmp_path


def as_json(mroute: Mroute, *arguments: object, code: int = 0) -> list[dict[str, Any]]:
    result = mroute("try", "--json", *arguments)
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


# Text


def test_a_dicom_file(mroute: Mroute, folder: Path) -> None:
    expression = "tags.Modality == 'CT' and (tags.SliceThickness < 2 or not has(Rows))"
    result = mroute("try", expression, "ct.dcm")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
ct.dcm: false
  ✓ tags.Modality == 'CT'    Modality is 'CT'
  ✗ tags.SliceThickness < 2  SliceThickness is '5.000000'
  ✓ has(tags.Rows)           Rows is '128'
"""
    )


def test_what_is_missing_or_cannot_be_read_is_unknown_with_the_reason(
    mroute: Mroute, folder: Path
) -> None:
    expression = (
        "tags.Rows > 2 and tags.SliceThickness > 2 and tags.Modality == 'CT' "
        "and tags.SliceThickness > tags.Rows * 2 and 'T2' in tags.SeriesDescription"
    )
    result = mroute("try", expression, "a.tags")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        result.stdout
        == f"""\
a.tags: unknown
  ? tags.Rows > 2                        Rows is missing
  ? tags.SliceThickness > 2              SliceThickness is 'thin'; 'thin' is not a number
  ✓ tags.Modality == 'CT'                Modality is 'CT'
  ? tags.SliceThickness > tags.Rows * 2  SliceThickness is 'thin', Rows is missing
  ✓ 'T2' in tags.SeriesDescription       SeriesDescription is {LONG}
"""
    )


def test_several_subjects_and_a_folder(mroute: Mroute, folder: Path) -> None:
    result = mroute("try", "'T2' in tags.SeriesDescription", "t0.tags", ".", "missing")
    assert result.exit_code == 1
    assert (
        result.stdout
        == f"""\
t0.tags: false
  ✗ 'T2' in tags.SeriesDescription  SeriesDescription is 'Axial T1'
ct.dcm: unknown  (decides for 1 image)
  ? 'T2' in tags.SeriesDescription  SeriesDescription is missing
a.tags: true  (decides for 1 '.tags' file without an image)
  ✓ 'T2' in tags.SeriesDescription  SeriesDescription is {LONG}
t0.tags: false  (decides for 1 '.tags' file without an image)
  ✗ 'T2' in tags.SeriesDescription  SeriesDescription is 'Axial T1'
t1.tags: true  (decides for 1 '.tags' file without an image)
  ✓ 'T2' in tags.SeriesDescription  SeriesDescription is 'Axial T2'
"""
    )
    assert result.stderr == (
        "mroute: 'missing' does not exist; expected a DICOM file, a folder, a '.tags' file or '-'\n"
    )


@pytest.mark.parametrize("value", ["true", "false", "unknown"])
def test_the_exit_code_is_0_whatever_the_value(mroute: Mroute, folder: Path, value: str) -> None:
    expressions = {"true": "True", "false": "False", "unknown": "tags.Rows > 1"}
    result = mroute("try", expressions[value], "a.tags")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"a.tags: {value}")


# JSON


def test_json_has_these_keys(mroute: Mroute, folder: Path) -> None:
    expression = "tags.SliceThickness > 2 or tags.PatientName == 'Müller' or has(Rows)"
    assert as_json(mroute, expression, "a.tags") == [
        {
            "subject": "a.tags",
            "value": True,
            "clauses": [
                {
                    "clause": "tags.SliceThickness > 2",
                    "value": None,
                    "seen": {"SliceThickness": "thin"},
                    "because": "tags.SliceThickness > 2 is unknown: 'thin' is not a number",
                },
                {
                    "clause": "tags.PatientName == 'Müller'",
                    "value": True,
                    "seen": {"PatientName": "Müller"},
                    "because": "tags.PatientName == 'Müller' is true: PatientName is 'Müller'",
                },
                {
                    "clause": "has(tags.Rows)",
                    "value": False,
                    "seen": {"Rows": None},
                    "because": "has(tags.Rows) is false: Rows is missing",
                },
            ],
        }
    ]


def test_json_is_a_line_a_subject(mroute: Mroute, folder: Path) -> None:
    found = as_json(mroute, "tags.Modality == 'CT'", "a.tags", "ct.dcm", "missing", code=1)
    assert [(each["subject"], each["value"]) for each in found] == [
        ("a.tags", True),
        ("ct.dcm", True),
    ]


def test_json_of_standard_input_keeps_values_as_they_are(mroute: Mroute, folder: Path) -> None:
    stdin = b'{"PatientID": "\\ud800\\u001b[31m", "PatientName": "M\xfcller"}'
    result = mroute("try", "--json", "has(PatientID) and has(PatientName)", "-", stdin=stdin)
    assert result.stdout.isascii()
    seen = {k: v for each in json.loads(result.stdout)["clauses"] for k, v in each["seen"].items()}
    assert seen == {"PatientID": "\ud800\x1b[31m", "PatientName": "M\udcfcller"}
    assert result.stderr == (
        "mroute: 'standard input' is not encoded in UTF-8; its other bytes are kept as they are\n"
    )


def test_text_of_standard_input_never_reaches_the_terminal_raw(
    mroute: Mroute, folder: Path
) -> None:
    result = mroute(
        "try", "has(PatientID)", "-", stdin='{"PatientID": "\\ud800\\u001b[31m\\u202e"}\n{'
    )
    assert (
        result.stdout
        == "-: true\n  ✓ has(tags.PatientID)  PatientID is '\\ud800\\x1b[31m\\u202e'\n"
    )
    assert result.stderr == (
        "mroute: standard input is no JSON at line 2, column 2: expecting property name enclosed "
        "in double quotes; expected a JSON object of keyword to text\n"
    )
    assert result.exit_code == 1


# Expressions


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_an_expression_with_errors_is_shown_with_place_and_hint(
    mroute: Mroute, folder: Path, as_json: tuple[str, ...]
) -> None:
    result = mroute("try", *as_json, "tags.Modality = 'CT'", "ct.dcm")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr
        == """\
1:15: error: '=' is no operator here [MR106]
    1 | tags.Modality = 'CT'
      |               ^
  hint: compare with '==', not '='
"""
    )


def test_all_errors_of_the_check_are_shown(mroute: Mroute, folder: Path) -> None:
    result = mroute("try", "tags.Modalty == 'CT' and nope(1)", "ct.dcm")
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line for line in result.stderr.splitlines() if "error" in line] == [
        "1:1: error: unknown tag 'Modalty', did you mean 'Modality'? [MR120]",
        "1:26: error: unknown function 'nope' [MR124]",
    ]


def test_warnings_go_to_standard_error_and_the_answer_is_given(
    mroute: Mroute, folder: Path
) -> None:
    result = mroute("try", "tags['Site'] == 'x'", "ct.dcm")
    assert result.exit_code == 0
    assert result.stderr.startswith("1:1: warning: ")
    assert "[MR121]" in result.stderr
    assert result.stdout.startswith("ct.dcm: unknown\n")


def test_a_megabyte_is_refused(mroute: Mroute, folder: Path) -> None:
    result = mroute("try", "tags.Modality == '" + "x" * 2**20 + "'", "ct.dcm")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "[MR102]" in result.stderr
    assert len(result.stderr) < 500


def test_an_expression_that_is_not_utf_8(mroute: Mroute, folder: Path) -> None:
    result = mroute("try", "tags.PatientName == '\udcfc'", "a.tags")
    assert "Traceback" not in result.stderr
    assert isinstance(result.exception, SystemExit | None)


def test_functions_of_plugins_can_be_called(
    mroute: Mroute, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(text: str) -> bool:
        raise ValueError(f"\x1b[31m{text}")

    real = installed()
    odd = RuleFunction("odd", (Type.TEXT,), Type.TRUTH, fail, plugin="odd-plugin")
    registry = replace(real.registry, functions={**real.registry.functions, "odd": odd})
    monkeypatch.setattr("mroute.cli.installed.installed", lambda: Installed(real.hooks, registry))
    result = mroute("try", "odd(tags.Modality)", "a.tags")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first == "a.tags: unknown"
    assert second.startswith("  ? odd(tags.Modality)  Modality is 'CT'; ")
    assert "odd-plugin" in second
    assert "\x1b" not in result.stdout


# Completion


def test_a_completion_expression_is_tried_on_all_subjects_together(
    mroute: Mroute, folder: Path
) -> None:
    result = mroute("try", "--completion", "'t1' and 'T2'", "t0.tags", "t1.tags")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "2 series: true  't1' was received as 'Axial T1'; 'T2' was received as 'Axial T2'\n"
    )
    result = mroute("try", "--completion", "'T1' and 'GRE'", "t0.tags")
    assert (result.exit_code, result.stdout) == (
        0,
        "1 series: false  not complete: 'GRE' is missing\n",
    )


def test_completion_as_json(mroute: Mroute, folder: Path) -> None:
    assert as_json(mroute, "--completion", "('T1'  or 'T2')", "t0.tags", "t1.tags") == [
        {
            "subject": ["t0.tags", "t1.tags"],
            "value": True,
            "clauses": [
                {
                    "clause": "'T1' or 'T2'",
                    "value": True,
                    "seen": {"t0.tags": "Axial T1", "t1.tags": "Axial T2"},
                    "because": "'T1' was received as 'Axial T1'",
                }
            ],
        }
    ]


def test_completion_with_problems(mroute: Mroute, folder: Path) -> None:
    result = mroute("try", "--completion", "'T1' 'T2'", "t0.tags")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "[MR109]" in result.stderr
    result = mroute("try", "--completion", "'T1'", "missing")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not exist" in result.stderr


# Plugins, usage and cost


def test_plugins_that_quarrel_are_named(
    mroute: Mroute, folder: Path, pretend: Callable[..., None]
) -> None:
    pretend(errors=(DuplicateContributionError("b", "contributes 'x' as 'a' does"),))
    result = mroute("try", "True", "ct.dcm")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "mroute: plugin 'b': contributes 'x' as 'a' does\n"


def test_a_plugin_that_cannot_be_loaded_is_told_beside_the_answer(
    mroute: Mroute, folder: Path, pretend: Callable[..., None]
) -> None:
    pretend(plugins=(LoadedPlugin("odd", "mroute-odd", "1", "ImportError: no module 'x'"),))
    result = mroute("try", "has(Rows)", "ct.dcm")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "ct.dcm: true")
    assert result.stderr == "mroute: plugin 'odd' cannot be loaded: ImportError: no module 'x'\n"


@pytest.mark.parametrize("arguments", [(), ("True",), ("True", "-", "-")])
def test_usage(mroute: Mroute, arguments: tuple[str, ...]) -> None:
    assert mroute("try", *arguments).exit_code == 2


def test_tags_cost_no_pydicom_and_no_rule_file() -> None:
    program = (
        "import sys; from mroute.cli import main\n"
        "main(['try', \"tags.Modality == 'CT'\", '-'], standalone_mode=False)\n"
        "heavy = ('pydicom', 'mroute.config', 'mroute.router', 'jsonschema', 'yaml', 'httpx2')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        input='{"Modality": "CT"}',
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONIOENCODING": "utf-8", "MROUTE_LOAD_PLUGINS": "dicom,dispatch,discard"},
    )
    assert ran.stdout == "-: true\n  ✓ tags.Modality == 'CT'  Modality is 'CT'\n[]\n"


def test_a_folder_without_good_tags_has_no_value(mroute: Mroute, folder: Path) -> None:
    Path("s").mkdir()
    shutil.copy("ct.dcm", "s/i.dcm")
    Path("s/i.tags").write_text("{bro")
    result = mroute("try", "not has(Modality)", "s")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'i.tags' is no JSON" in result.stderr
