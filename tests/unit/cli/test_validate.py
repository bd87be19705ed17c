"""``mroute validate-rules``: the same problems for a person, a program and GitHub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mroute.errors import DuplicateContributionError
from mroute.plugins import LoadedPlugin
from tests.unit.cli.conftest import Mroute

FINE = "version: 1\nrules:\n  a: {when: tags.Modality == 'OT', action: discard}\n"
WRONG = "version: 1\nrules:\n  a: {when: tags.Modality = 'OT', action: discard}\n"
ODD = "version: 1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"fine.yaml": FINE, "wrong.yaml": WRONG, "odd.yaml": ODD}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def as_json(mroute: Mroute, *files: str, code: int) -> list[dict[str, Any]]:
    result = mroute("validate-rules", "--format", "json", *files)
    assert (result.exit_code, result.stderr) == (code, "")
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_text(mroute: Mroute, folder: Path) -> None:
    result = mroute("validate-rules", "fine.yaml", "wrong.yaml", "odd.yaml")
    assert result.exit_code == 1
    assert (
        result.stdout
        == """\
fine.yaml: fine
wrong.yaml:3:27: error: '=' is no operator here [MR106]
    3 |   a: {when: tags.Modality = 'OT', action: discard}
      |                           ^
  hint: compare with '==', not '='
wrong.yaml: 1 error, 0 warnings
odd.yaml:1:1: warning: the file has no rules: every series is discarded [MR223]
    1 | version: 1
      | ^
  hint: add a rule below 'rules'
odd.yaml: 0 errors, 1 warning
"""
    )


def test_warnings_alone_are_no_failure(mroute: Mroute, folder: Path) -> None:
    assert mroute("validate-rules", "odd.yaml", "fine.yaml").exit_code == 0


def test_a_warning_about_a_condition_in_every_format(mroute: Mroute, folder: Path) -> None:
    doubtful = "rules:\n  a:\n    when: has(Rows) and tags.Modality == 'MRI'\n    action: discard\n"
    (folder / "doubtful.yaml").write_text("version: 1\n" + doubtful)
    message = "'MRI' is no term that DICOM defines for 'Modality'"
    text = mroute("validate-rules", "doubtful.yaml")
    assert text.exit_code == 0
    assert text.stdout.splitlines() == [
        f"doubtful.yaml:4:42: warning: {message} [MR142]",
        "    4 |     when: has(Rows) and tags.Modality == 'MRI'",
        "      | " + " " * 41 + "^^^^^",
        "  hint: did you mean 'MR'?",
        "doubtful.yaml: 0 errors, 1 warning",
    ]
    (found,) = as_json(mroute, "doubtful.yaml", code=0)
    assert (found["line"], found["column"], found["severity"]) == (4, 42, "warning")
    assert (found["code"], found["message"]) == ("MR142", message)
    github = mroute("validate-rules", "--format", "github", "doubtful.yaml")
    assert github.exit_code == 0
    assert github.stdout == (
        f"::warning file=doubtful.yaml,line=4,col=42,title=MR142::{message}%0Adid you mean 'MR'?\n"
    )


def test_json(mroute: Mroute, folder: Path) -> None:
    assert as_json(mroute, "fine.yaml", code=0) == []
    assert as_json(mroute, "fine.yaml", "wrong.yaml", "odd.yaml", code=1) == [
        {
            "file": "wrong.yaml",
            "line": 3,
            "column": 27,
            "severity": "error",
            "code": "MR106",
            "message": "'=' is no operator here",
            "hint": "compare with '==', not '='",
        },
        {
            "file": "odd.yaml",
            "line": 1,
            "column": 1,
            "severity": "warning",
            "code": "MR223",
            "message": "the file has no rules: every series is discarded",
            "hint": "add a rule below 'rules'",
        },
    ]


def test_github(mroute: Mroute, folder: Path) -> None:
    (folder / "a,b:c%.yaml").write_text(WRONG)
    result = mroute("validate-rules", "--format", "github", "a,b:c%.yaml", "odd.yaml")
    assert result.exit_code == 1
    error, warning = result.stdout.splitlines()
    assert error == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=27,title=MR106::'=' is no operator here%0A"
        "compare with '==', not '='"
    )
    assert warning == (
        "::warning file=odd.yaml,line=1,col=1,title=MR223::"
        "the file has no rules: every series is discarded%0Aadd a rule below 'rules'"
    )
    assert mroute("validate-rules", "--format", "github", "fine.yaml").stdout == ""


def test_a_percent_sign_of_a_message_is_escaped(mroute: Mroute, folder: Path) -> None:
    (folder / "m.yaml").write_text(FINE + "50%: 1\n")
    [line] = mroute("validate-rules", "--format", "github", "m.yaml").stdout.splitlines()
    assert "::unknown key '50%25' in the file%0A" in line


def test_a_missing_file_is_a_problem_of_that_file(mroute: Mroute, folder: Path) -> None:
    result = mroute("validate-rules", "nowhere.yaml", "fine.yaml")
    assert result.exit_code == 1
    assert result.stdout == (
        "nowhere.yaml:1:1: error: the file cannot be read: no such file or directory [MR200]\n"
        "  hint: check the path, or make a file with 'mroute init DIR'\n"
        "nowhere.yaml: 1 error, 0 warnings\n"
        "fine.yaml: fine\n"
    )
    [problem] = as_json(mroute, "nowhere.yaml", "fine.yaml", code=1)
    assert (problem["file"], problem["line"], problem["code"]) == ("nowhere.yaml", 1, "MR200")
    github = mroute("validate-rules", "--format", "github", "nowhere.yaml")
    assert github.exit_code == 1
    assert github.stdout.startswith("::error file=nowhere.yaml,line=1,col=1,title=MR200::")


def test_a_name_that_is_no_text(mroute: Mroute, folder: Path) -> None:
    name = os.fsdecode(b"m\xff.yaml")
    (folder / name).write_text(FINE)
    result = mroute("validate-rules", name)
    assert (result.exit_code, result.stdout) == (0, "m\\udcff.yaml: fine\n")


@pytest.mark.parametrize("arguments", [(), ("--format", "xml", "fine.yaml")])
def test_usage(mroute: Mroute, folder: Path, arguments: tuple[str, ...]) -> None:
    assert mroute("validate-rules", *arguments).exit_code == 2


def test_plugins_that_quarrel_are_named(
    mroute: Mroute, folder: Path, pretend: Callable[..., None]
) -> None:
    pretend(errors=(DuplicateContributionError("b", "contributes the action 'x' as 'a' does"),))
    result = mroute("validate-rules", "fine.yaml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "mroute: plugin 'b': contributes the action 'x' as 'a' does\n"


def test_a_plugin_that_cannot_be_loaded_is_told_beside_the_results(
    mroute: Mroute, folder: Path, pretend: Callable[..., None]
) -> None:
    pretend(plugins=(LoadedPlugin("odd", "mroute-odd", "1", "ImportError: no module 'x'"),))
    result = mroute("validate-rules", "--format", "json", "fine.yaml")
    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert result.stderr == "mroute: plugin 'odd' cannot be loaded: ImportError: no module 'x'\n"


def test_help_has_examples(mroute: Mroute) -> None:
    assert "mroute validate-rules --format json site/*.yaml" in (
        mroute("validate-rules", "--help").stdout
    )
