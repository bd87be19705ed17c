"""``mroute fmt``: what is changed on disk, what is told, and how it ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from mroute.cli import main
from tests.unit.cli.conftest import Mroute

UGLY = "rules:\n  a: {action: discard, when: \"@Modality@=='OT'\"} # why\nversion: 1\n"
FINE = "version: 1\nrules:\n  a: {action: discard, when: tags.Modality == 'OT'}  # why\n"
WRONG = "version: 1\nrules:\n  a: {when: tags.Modality = 'OT', action: discard}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"fine.yaml": FINE, "ugly.yaml": UGLY, "wrong.yaml": WRONG}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_files_are_rewritten(mroute: Mroute, folder: Path) -> None:
    result = mroute("fmt", "ugly.yaml", "fine.yaml")
    assert result.exit_code == 0
    assert result.stdout == "formatted ugly.yaml\n1 file formatted, 1 file left as it was\n"
    assert (folder / "ugly.yaml").read_text() == FINE
    assert mroute("fmt", "ugly.yaml").stdout == "0 files formatted, 1 file left as it was\n"


def test_a_file_that_is_fine_is_not_written(mroute: Mroute, folder: Path) -> None:
    before = (folder / "fine.yaml").stat()
    assert mroute("fmt", "fine.yaml").exit_code == 0
    after = (folder / "fine.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_check_and_diff_change_nothing(mroute: Mroute, folder: Path) -> None:
    check = mroute("fmt", "--check", "ugly.yaml", "fine.yaml")
    assert check.exit_code == 1
    assert check.stdout == (
        "would format ugly.yaml\n1 file would be formatted, 1 file left as it was\n"
    )
    assert mroute("fmt", "--check", "fine.yaml").exit_code == 0
    diff = mroute("fmt", "--diff", "ugly.yaml")
    assert diff.exit_code == 0
    assert "--- ugly.yaml\n+++ ugly.yaml\n" in diff.stdout
    assert "+  a: {action: discard, when: tags.Modality == 'OT'}  # why\n" in diff.stdout
    assert (folder / "ugly.yaml").read_text() == UGLY


def test_mode_and_link_are_kept(mroute: Mroute, folder: Path) -> None:
    (folder / "ugly.yaml").chmod(0o640)
    (folder / "link.yaml").symlink_to("ugly.yaml")
    assert mroute("fmt", "link.yaml").exit_code == 0
    assert (folder / "link.yaml").is_symlink()
    assert (folder / "ugly.yaml").read_text() == FINE
    assert stat.S_IMODE((folder / "ugly.yaml").stat().st_mode) == 0o640


def test_a_file_that_is_read_only_is_left(mroute: Mroute, folder: Path) -> None:
    (folder / "ugly.yaml").chmod(0o444)
    result = mroute("fmt", "ugly.yaml")
    assert result.exit_code == 1
    assert "'ugly.yaml' is read-only, left as it is" in result.stderr
    assert (folder / "ugly.yaml").read_text() == UGLY


def test_a_file_with_a_second_name_is_left(mroute: Mroute, folder: Path) -> None:
    (folder / "other.yaml").hardlink_to(folder / "ugly.yaml")
    result = mroute("fmt", "ugly.yaml")
    assert result.exit_code == 1
    assert "'ugly.yaml' has 2 names (hard links), left as it is" in result.stderr
    assert (folder / "ugly.yaml").samefile(folder / "other.yaml")
    assert (folder / "other.yaml").read_text() == UGLY


def test_a_file_with_problems_is_left_and_told(mroute: Mroute, folder: Path) -> None:
    result = mroute("fmt", "wrong.yaml", "ugly.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "wrong.yaml:3:27: error: '=' is no operator here [MR106]\n    3 |"
    )
    assert result.stdout == (
        "formatted ugly.yaml\n1 file formatted, 0 files left as they were, 1 file with problems\n"
    )
    assert (folder / "wrong.yaml").read_text() == WRONG


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version: \xff\n", "the file is not UTF-8: byte 0xff"),
        (b"version: [1\n", "this '[' is never closed"),
        (b'rules: {a: {when: "' + b"(" * 1_000_000 + b'"}}\n', "at most 32,768 are allowed"),
    ],
)
def test_what_is_no_rule_file(mroute: Mroute, folder: Path, content: bytes, message: str) -> None:
    (folder / "bad.yaml").write_bytes(content)
    result = mroute("fmt", "bad.yaml")
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert (folder / "bad.yaml").read_bytes() == content


def test_what_is_no_file(mroute: Mroute, folder: Path) -> None:
    result = mroute("fmt", "nowhere.yaml", ".")
    assert result.exit_code == 1
    assert "nowhere.yaml:1:1: error: the file cannot be read: no such file" in result.stderr
    assert "this is a folder, expected a rule file" in result.stderr


def test_a_file_that_cannot_be_written(
    mroute: Mroute, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To root every folder can be written to, so the refusal is made here.
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    result = mroute("fmt", "ugly.yaml")
    assert result.exit_code == 1
    assert result.stderr == (
        f"mroute: 'ugly.yaml' is left as it is: '{folder}': Permission denied\n"
    )
    assert (folder / "ugly.yaml").read_text() == UGLY


def test_a_disk_that_is_full_leaves_the_file(
    mroute: Mroute, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    before = sorted(folder.iterdir())
    result = mroute("fmt", "ugly.yaml")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert (folder / "ugly.yaml").read_text() == UGLY
    assert sorted(folder.iterdir()) == before


def test_standard_input() -> None:
    result = CliRunner().invoke(main, ["fmt", "-"], input=UGLY)
    assert (result.exit_code, result.stdout) == (0, FINE)
    assert CliRunner().invoke(main, ["fmt", "-", "--check"], input=UGLY).exit_code == 1


def test_an_expression(mroute: Mroute) -> None:
    result = mroute("fmt", "-e", "@Modality@=='MR'")
    assert (result.exit_code, result.stdout) == (0, "tags.Modality == 'MR'\n")
    wrong = mroute("fmt", "--expression", "tags.Modality = 'MR'")
    assert wrong.exit_code == 1
    assert "compare with '==', not '='" in wrong.stderr


@pytest.mark.parametrize(
    ("wrong", "what"),
    [("tags.Rows == 2  # one", "content"), ("tags.Rows == 1", "comments"), ("(", "content")],
)
def test_an_expression_is_proved(
    mroute: Mroute, monkeypatch: pytest.MonkeyPatch, wrong: str, what: str
) -> None:
    monkeypatch.setattr("mroute.expr.layout.format_expression", lambda *_: wrong)
    result = mroute("fmt", "-e", "tags.Rows==1 # one")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"the expression is not formatted: it would not have the same {what}" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("-e", "True", "fine.yaml"), ("--wrong", "fine.yaml")])
def test_usage(mroute: Mroute, folder: Path, arguments: tuple[str, ...]) -> None:
    assert mroute("fmt", *arguments).exit_code == 2
