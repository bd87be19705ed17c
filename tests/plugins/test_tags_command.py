from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
from click.testing import CliRunner, Result

import mroute_dicom
from mroute.errors import PluginError
from mroute.testing import hooks_of

Write = Callable[..., Path]


def tags(*arguments: str | Path) -> Result:
    """Run ``mroute tags`` as the command line would."""
    cli, errors = click.Group("mroute"), list[PluginError]()
    hooks_of(mroute_dicom).commands(cli, errors.append)
    assert errors == []
    return CliRunner().invoke(cli, ["tags", *map(str, arguments)])


def test_the_tags_of_a_file_are_shown_as_rules_see_them(mroute_dicom_file: Write) -> None:
    shown = tags(mroute_dicom_file("a.dcm", Modality="CT", SliceThickness="2.50"))
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert "Modality: CT" in lines
    assert "SliceThickness: 2.50" in lines
    assert "Filename: a.dcm" in lines


def test_several_files_are_shown_with_their_names(mroute_dicom_file: Write) -> None:
    one, two = mroute_dicom_file("a.dcm"), mroute_dicom_file("b.dcm")
    blocks = tags(one, two).output.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [f"{one}:", f"{two}:"]


def test_a_program_gets_an_object_a_line(mroute_dicom_file: Write) -> None:
    one = mroute_dicom_file("a.dcm", Modality="CT", PatientName="Müller^Jörg")
    two = mroute_dicom_file("b.dcm", Modality="US")
    shown = tags("--json", one, two)
    objects = [json.loads(line) for line in shown.output.splitlines()]
    assert [each["Modality"] for each in objects] == ["CT", "US"]
    assert objects[0]["Filename"] == "a.dcm"


def test_a_file_that_has_none_is_named_and_the_others_are_shown(
    mroute_dicom_file: Write, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    shown = tags("--json", tmp_path / "notes.txt", mroute_dicom_file("a.dcm"))
    assert shown.exit_code == 1
    assert shown.stderr.startswith("mroute: 'notes.txt' is no DICOM file: ")
    assert json.loads(shown.stdout)["Filename"] == "a.dcm"


def test_a_value_cannot_control_the_terminal(mroute_dicom_file: Write) -> None:
    path = mroute_dicom_file("a.dcm", PatientComments="one\r\n\x1b]0;owned\x07 two")
    line = next(
        line for line in tags(path).output.splitlines() if line.startswith("PatientComments")
    )
    assert line == r"PatientComments: one\r\n\x1b]0;owned\x07 two"


def test_a_file_is_needed() -> None:
    shown = tags()
    assert shown.exit_code == 2
    assert "Missing argument 'FILE...'" in shown.output
