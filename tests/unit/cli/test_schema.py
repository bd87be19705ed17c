"""``mroute schema``: the schemas, printed and written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mroute.errors import DuplicateContributionError
from tests.unit.cli.conftest import Mroute


@pytest.mark.parametrize(
    ("which", "title"),
    [
        ("rules", "mroute rule file"),
        ("task", "mroute task file"),
        ("settings", "mroute settings"),
    ],
)
def test_a_schema_is_printed(mroute: Mroute, tmp_path: Path, which: str, title: str) -> None:
    result = mroute("schema", which)
    assert (result.exit_code, result.stderr) == (0, "")
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == title
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert result.stdout == json.dumps(schema, indent=2, sort_keys=True) + "\n"
    written = mroute("schema", which, "-o", tmp_path / "s.json")
    assert (written.exit_code, written.stdout) == (0, "")
    assert (tmp_path / "s.json").read_text("utf-8") == result.stdout


def test_every_default_plugin_is_in_the_schema_of_the_rules(mroute: Mroute) -> None:
    contributions = json.loads(mroute("schema", "rules").stdout)["x-mroute-contributions"]
    by_mroute = {
        kind: {name for name, by in found.items() if by["distribution"] == "mroute"}
        for kind, found in contributions.items()
    }
    assert {"route", "process", "both", "notification", "discard"} <= by_mroute["action"]
    assert {"folder", "dummy"} <= by_mroute["target type"]
    assert {"webhook"} <= by_mroute["channel"]
    assert {"timeout", "received_series"} <= by_mroute["condition"]
    assert {"command"} <= by_mroute["runner"]


def test_a_file_that_cannot_be_written(mroute: Mroute, tmp_path: Path) -> None:
    output = tmp_path / "nowhere" / "s.json"
    result = mroute("schema", "rules", "--output", output)
    assert result.exit_code == 1
    assert result.stderr == f"mroute: '{output}' cannot be written: No such file or directory\n"


@pytest.mark.parametrize("arguments", [(), ("rule",), ("rules", "task")])
def test_usage(mroute: Mroute, arguments: tuple[str, ...]) -> None:
    assert mroute("schema", *arguments).exit_code == 2


def test_no_schema_while_plugins_quarrel(mroute: Mroute, pretend: Callable[..., None]) -> None:
    pretend(errors=(DuplicateContributionError("b", "contributes the action 'x' as 'a' does"),))
    result = mroute("schema", "rules")
    assert (result.exit_code, result.stdout) == (3, "")


def test_help_has_examples(mroute: Mroute) -> None:
    assert "mroute schema rules -o rules.schema.json" in mroute("schema", "--help").stdout
