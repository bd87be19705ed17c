"""What the commands that load a rule file write on standard error while that takes long."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mroute.cli.progress import progress_on_stderr
from tests.unit.cli.conftest import Mroute

RULES = """\
version: 1
rules:
  a: {when: tags.Modality == 'OT', action: discard}
  b: {when: tags.Modality == 'CT', action: discard}
  c: {when: tags.Modality == 'MR', action: discard}
"""
SAID = "checking the conditions: 1 of 3 rules\nchecking the conditions: 2 of 3 rules\n"
COMMANDS = [
    ("validate-rules", "mroute.yaml"),
    ("explain", "-c", "mroute.yaml", "a.tags"),
    ("run", "--once", "-c", "mroute.yaml"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mroute.yaml").write_text(RULES)
    (tmp_path / "a.tags").write_text('{"Modality": "OT"}')


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_progress_is_on_standard_error(
    mroute: Mroute, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mroute.progress.EVERY", 0)
    result = mroute(*command)
    assert result.exit_code == 0
    assert result.stderr.startswith(SAID)
    assert "3 rules" not in result.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_nothing_is_said_of_what_is_quick(
    mroute: Mroute, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mroute.progress.EVERY", 3600)  # however slow this machine is
    result = mroute(*command)
    assert result.exit_code == 0
    assert "checking" not in result.stderr


def test_thousands_are_told_from_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mroute.progress.EVERY", 0)
    progress_on_stderr()("building the index", 4_000, 10_000)
    assert capsys.readouterr() == ("", "building the index: 4,000 of 10,000 rules\n")


def test_a_log_of_json_stays_json(mroute: Mroute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mroute.progress.EVERY", 0)
    result = mroute("run", "--once", "-c", "mroute.yaml", "--log-format", "json")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    first = {key: lines[0][key] for key in ("event", "step", "done", "total", "level")}
    assert first == {
        "event": "configuration_loading",
        "step": "checking the conditions",
        "done": 1,
        "total": 3,
        "level": "info",
    }
    assert "started" in [line["event"] for line in lines]
