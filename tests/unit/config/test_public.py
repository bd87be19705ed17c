"""What another program embeds: `mroute.load_rules` with the installed plugins."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import mroute
from mroute.errors import ConfigurationError, DuplicateContributionError
from mroute.registry import Registry

RULES = """\
version: 1
targets: {pacs: {type: folder, path: pacs}}
rules:
  mr: {when: tags.Modality == 'MR', action: route, targets: [pacs]}
  rest: {when: "True", action: discard, fallback: true}
"""


@pytest.mark.parametrize("kind", [str, Path])
def test_rules_are_loaded_and_decide(tmp_path: Path, kind: type) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text(RULES)
    rules = mroute.load_rules(kind(path))
    assert isinstance(rules, mroute.RuleSet)
    decision = rules.evaluate({"Modality": "MR"})
    assert isinstance(decision, mroute.Decision)
    assert (decision.triggered, decision.discarded_by) == (("mr",), None)
    assert isinstance(decision.outcomes["mr"], mroute.Outcome)
    assert rules.evaluate({"Modality": "CT"}).discarded_by == "rest"


def test_progress_is_told_of_every_rule(tmp_path: Path) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text(RULES)
    told = list[tuple[str, int, int]]()
    rules = mroute.load_rules(path, progress=lambda *each: told.append(each))
    assert list(rules) == ["mr", "rest"]
    step = "checking the conditions"
    assert [each for each in told if each[0] == step] == [(step, 1, 2), (step, 2, 2)]


def test_a_program_that_does_not_want_the_rules_any_more_gets_its_own_error(tmp_path: Path) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text(RULES)

    def give_up(step: str, done: int, total: int) -> None:
        raise TimeoutError(step)

    with pytest.raises(TimeoutError, match="checking the conditions"):
        mroute.load_rules(path, give_up)


def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text(RULES.replace("[pacs]", "[pax]"))
    with pytest.raises(ConfigurationError) as caught:
        mroute.load_rules(path)
    assert [(each.line, each.column, each.code) for each in caught.value.problems] == [
        (4, 62, "MR220")
    ]


def test_plugins_that_quarrel_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def quarrel(registry: Registry) -> None:
        raise DuplicateContributionError("b", "contributes what 'a' does")

    monkeypatch.setattr(Registry, "raise_conflicts", quarrel)
    with pytest.raises(DuplicateContributionError, match="plugin 'b'"):
        mroute.load_rules(tmp_path / "nowhere.yaml")


def test_the_version_is_that_of_the_distribution() -> None:
    assert mroute.__version__ == importlib.metadata.version("mroute")


def test_what_is_heavy_is_not_imported_for_a_fine_file(tmp_path: Path) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text(RULES)
    program = (
        "import sys, mroute\n"
        "print(sorted({'mroute.config', 'pydantic'} & set(sys.modules)))\n"
        "mroute.load_rules(sys.argv[1])\n"
        "print(sorted({'jsonschema', 'httpx2', 'difflib'} & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n[]\n"
