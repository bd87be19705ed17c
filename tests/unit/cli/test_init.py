"""``mroute init``: what it makes works at once, and nothing is overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mroute.config.yaml_nodes import read_yaml
from mroute.errors import DuplicateContributionError
from tests.unit.cli.conftest import Mroute


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_site_is_made_and_its_rules_are_fine(mroute: Mroute, tmp_path: Path) -> None:
    site = tmp_path / "new" / "site"
    result = mroute("init", site)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"made {site}/mroute.yaml, {site}/rules.schema.json and {site}/spool/\n"
        f"next: edit the rules, then 'mroute validate-rules {site}/mroute.yaml'\n"
    )
    assert names(site) == ["mroute.yaml", "rules.schema.json", "spool"]
    assert [path for path in (site / "spool").rglob("*") if path.is_file()] == []
    checked = mroute("validate-rules", site / "mroute.yaml")
    assert (checked.exit_code, checked.stdout) == (0, f"{site}/mroute.yaml: fine\n")


def test_the_rule_file_names_its_schema_and_fits_it(mroute: Mroute, tmp_path: Path) -> None:
    mroute("init", tmp_path)
    text = (tmp_path / "mroute.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=rules.schema.json\n")
    schema = json.loads((tmp_path / "rules.schema.json").read_text("utf-8"))
    root = read_yaml(text).root
    assert root is not None
    assert list(Draft202012Validator(schema).iter_errors(root.value)) == []
    assert (tmp_path / "rules.schema.json").read_text("utf-8") == mroute("schema", "rules").stdout


def test_what_is_commented_out_is_fine_too(mroute: Mroute, tmp_path: Path) -> None:
    mroute("init", tmp_path)
    path = tmp_path / "mroute.yaml"
    lines = path.read_text("utf-8").splitlines()
    start = lines.index("  # spine-study:")
    for number in range(start, start + 6):
        lines[number] = lines[number].replace("# ", "", 1)
    path.write_text("\n".join(lines), "utf-8")
    checked = mroute("validate-rules", path)
    assert (checked.exit_code, checked.stdout) == (0, f"{path}: fine\n")
    root = read_yaml(path.read_text("utf-8")).root
    assert root is not None
    assert root.value["rules"]["spine-study"]["on"] == "study"


def test_a_directory_with_a_rule_file_is_refused(mroute: Mroute, tmp_path: Path) -> None:
    (tmp_path / "mroute.yaml").write_text("mine")
    result = mroute("init", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == (
        f"mroute: '{tmp_path}/mroute.yaml' is there already; name another directory\n"
    )
    assert (tmp_path / "mroute.yaml").read_text() == "mine"
    assert names(tmp_path) == ["mroute.yaml"]


def test_what_else_is_in_the_directory_stays(mroute: Mroute, tmp_path: Path) -> None:
    (tmp_path / "spool" / "incoming").mkdir(parents=True)
    (tmp_path / "spool" / "incoming" / "image").write_text("x")
    (tmp_path / "notes.txt").write_text("mine")
    assert mroute("init", tmp_path).exit_code == 0
    assert (tmp_path / "spool" / "incoming" / "image").read_text() == "x"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_is_no_directory(mroute: Mroute, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert mroute("init", tmp_path / "file").exit_code == 2
    result = mroute("init", tmp_path / "file" / "below")
    assert result.exit_code == 1
    assert result.stderr == (
        f"mroute: no site can be made in '{tmp_path}/file/below': Not a directory\n"
    )


def test_nothing_is_made_while_plugins_quarrel(
    mroute: Mroute, tmp_path: Path, pretend: Callable[..., None]
) -> None:
    pretend(errors=(DuplicateContributionError("b", "contributes the action 'x' as 'a' does"),))
    result = mroute("init", tmp_path / "site")
    assert result.exit_code == 3
    assert "plugin 'b': contributes the action 'x' as 'a' does" in result.stderr
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("arguments", [(), ("a", "b")])
def test_usage(mroute: Mroute, arguments: tuple[str, ...]) -> None:
    assert mroute("init", *arguments).exit_code == 2


def test_help_has_examples(mroute: Mroute) -> None:
    assert "mroute init site" in mroute("init", "--help").stdout
