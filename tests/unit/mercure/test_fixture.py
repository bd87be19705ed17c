"""A whole configuration: the rule file and the report are the expected ones, and nothing is lost.

After a change of what is imported, look at the difference and write the files again with
``mroute import-mercure mercure.json -o mroute.yaml --json``; the report holds the codes MR4xx.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mroute.config import load, validate
from mroute.errors import Severity
from mroute.mercure import Imported, import_configuration
from mroute.mercure.codes import MEANINGS, Code
from mroute.mercure.findings import SETTINGS
from mroute.mercure.reading import SECTIONS
from mroute.registry import Registry
from tests.unit.mercure.conftest import FIXTURE, FIXTURES, Import, content_of

Path_ = tuple[str | int, ...]


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value that holds no others, with the way to it."""
    below = value.items() if isinstance(value, dict) else enumerate(value)
    for step, each in below if isinstance(value, dict | list) else ():
        if isinstance(each, dict | list) and each:
            yield from leaves(each, (*path, step))
        else:
            yield (*path, step), each


def changed(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return [*value, "x"] if isinstance(value, list) else {"x": 1} if value == {} else f"{value}x"


def unreported(
    configuration: dict[str, Any], registry: Registry, within: Path_ = ()
) -> list[Path_]:
    """The leaves that could be anything else without a trace in rule file or report."""
    whole = import_configuration(configuration, registry)
    reported = {(each.section, each.name, each.key) for each in whole.findings}
    found = []
    for path, value in leaves(configuration):
        entry = path[:3] if path[0] in SECTIONS else (SETTINGS, "", path[0])
        if path[: len(within)] != within or entry in reported:
            continue
        other = copy.deepcopy(configuration)
        place: Any = other
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = changed(value)
        if import_configuration(other, registry) == whole:
            found.append(path)
    return found


def test_the_fixture_is_as_large_as_it_should_be() -> None:
    assert len(FIXTURE["rules"]) >= 35
    rules = [each for each in FIXTURE["rules"].values() if isinstance(each, dict)]
    for action in ("route", "process", "both", "notification", "discard"):
        assert any(rule.get("action") == action for rule in rules), action
    kinds = {target.get("target_type") for target in FIXTURE["targets"].values()}
    assert kinds >= {"dicom", "dicomtls", "dicomweb", "sftp", "rsync", "s3", "xnat", "folder"}


def test_the_rule_file_is_the_expected_one(imported: Import) -> None:
    assert imported(**FIXTURE).text == (FIXTURES / "mroute.yaml").read_text("utf-8")


def test_the_report_is_the_expected_one(imported: Import) -> None:
    expected = json.loads((FIXTURES / "report.json").read_text("utf-8"))
    own = [each for each in imported(**FIXTURE).findings if each.code.startswith("MR4")]
    assert [
        (each.section, each.name, each.key, each.code, each.message, each.hint) for each in own
    ] == [
        (
            "rules" if each["rule"] else each["section"].partition(".")[0],
            each["rule"] or each["section"].partition(".")[2],
            each["key"],
            each["code"],
            each["message"],
            each["hint"],
        )
        for each in expected
    ]


def test_every_kind_of_finding_occurs() -> None:
    expected = json.loads((FIXTURES / "report.json").read_text("utf-8"))
    assert {each["code"] for each in expected} - {"MR140"} == set(Code)
    assert set(MEANINGS) == set(Code)


@pytest.mark.parametrize("name", list(FIXTURE["rules"]))
def test_every_value_of_a_rule_is_converted_or_reported(name: str, registry: Registry) -> None:
    """The heart of the matter: what is neither in the rule file nor in the report is lost."""
    configuration = {
        "rules": {name: FIXTURE["rules"][name]},
        "targets": {key: {"target_type": "dummy"} for key in FIXTURE["targets"]},
        "modules": {key: {"docker_tag": "a"} for key in FIXTURE["modules"]},
    }
    assert unreported(configuration, registry, ("rules", name)) == []


def test_every_other_value_is_converted_or_reported(registry: Registry) -> None:
    study = FIXTURE["rules"]["quiet-study"]
    assert unreported({**FIXTURE, "rules": {"study": study}}, registry) == []


def test_what_is_lost_would_be_found(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = {"rules": {"a": {"rule": "True", "x": 1}}, "targets": {}, "modules": {}}
    assert unreported(configuration, registry) == []
    monkeypatch.setattr("mroute.mercure.keys.Keys.close", lambda _: None)
    assert unreported(configuration, registry) == [("rules", "a", "x")]


def test_everything_that_validate_rules_refuses_is_in_the_report(
    imported: Import, registry: Registry, tmp_path: Path
) -> None:
    whole: Imported = imported(**FIXTURE)
    file = tmp_path / "mroute.yaml"
    file.write_text(whole.text, "utf-8")
    problems = {(each.code, each.message) for each in validate(file, registry)}
    assert problems <= {(each.code, each.message) for each in whole.findings}
    refused = {each.name for each in whole.findings if each.severity is Severity.ERROR}
    assert refused >= {"set", "power", "assigned", "segmentation", "nowhere", "no-entry"}


def test_a_small_site_works_at_once(imported: Import, registry: Registry, tmp_path: Path) -> None:
    whole = imported(
        rules={
            "mr": {"rule": "@Modality@ == 'MR'", "target": "nothing"},
            "all": {"rule": "True", "target": ["nothing"], "fallback": True, "disabled": True},
        },
        targets={"nothing": {"target_type": "dummy"}},
        series_complete_trigger=30,
    )
    assert whole.findings == ()
    file = tmp_path / "mroute.yaml"
    file.write_text(whole.text, "utf-8")
    rules = load(file, registry).rules
    assert rules.evaluate({"Modality": "MR"}).triggered == ("mr",)
    assert content_of(whole)["timing"]["series_complete_after"] == "30s"
    assert content_of(whole)["rules"]["all"]["disabled"] is True
