"""A third party's plugin: installed, it is everywhere; uninstalled, its absence is named.

The distribution in ``tests/example_plugin`` is built and installed into an environment of its own
beside the wheel of mroute.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tests.conftest import ROOT, Environment

RULES = """\
# yaml-language-server: $schema=rules.schema.json
version: 1
spool: spool
timing: {series_complete_after: 0s}
targets:
  research: {type: folder, path: archive}
rules:
  head:
    when: tags.Modality == 'CT'
    action: anonymize-and-archive
    archive: research
    remove: [PatientName, PatientID, PatientSex]
"""


def install(environment: Environment) -> None:
    installed = environment.run("pip", "install", ROOT / "tests/example_plugin")
    assert installed.returncode == 0, installed.stderr


def uninstall(environment: Environment) -> None:
    uninstalled = environment.run("pip", "uninstall", "--yes", "mroute-example")
    assert uninstalled.returncode == 0, uninstalled.stderr


@pytest.fixture(scope="module")
def with_plugin(environment: Environment) -> Iterator[Environment]:
    """The environment with the plugin, while the tests of this module run."""
    install(environment)
    yield environment
    uninstall(environment)


@pytest.fixture
def without_plugin(with_plugin: Environment) -> Iterator[Environment]:
    """The same after the plugin was uninstalled."""
    uninstall(with_plugin)
    yield with_plugin
    install(with_plugin)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose rules use the plugin."""
    (tmp_path / "mroute.yaml").write_text(RULES)
    (tmp_path / "archive").mkdir()
    return tmp_path


def mroute(
    environment: Environment, site: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return environment.run("mroute", *arguments, cwd=site)


def problems(environment: Environment, site: Path) -> list[dict[str, Any]]:
    """What ``mroute validate-rules`` says about the rules, for programs."""
    said = mroute(environment, site, "validate-rules", "--format", "json", "mroute.yaml")
    found: list[dict[str, Any]] = json.loads(said.stdout)
    assert said.returncode == (1 if found else 0), said.stderr
    return found


def receive(site: Path, *names: str) -> list[Path]:
    """Put real images into ``incoming/``, as a receiver would; returns the files they come from."""
    sources = []
    for name in names:
        source = Path(str(get_testdata_file(name, download=False)))
        image = dcmread(source)
        folder = site / "spool/incoming" / image.SeriesInstanceUID
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / f"{image.SeriesInstanceUID}#{image.SOPInstanceUID}.dcm")
        sources.append(source)
    return sources


def test_its_action_is_among_the_contributions(with_plugin: Environment, site: Path) -> None:
    listed = json.loads(mroute(with_plugin, site, "plugins", "list", "--json").stdout)
    [plugin] = [each for each in listed if each["name"] == "anonymize"]
    assert plugin == {
        "name": "anonymize",
        "distribution": "mroute-example",
        "version": "1.0.0",
        "hooks": [
            "mroute_actions",
            "mroute_completion_conditions",
            "mroute_processing",
            "mroute_queues",
        ],
        "contributions": [
            {"kind": "action", "name": "anonymize-and-archive"},
            {"kind": "condition", "name": "announced_series"},
            {"kind": "queue", "name": "anonymizing"},
        ],
        "error": None,
    }
    assert {each["distribution"] for each in listed} == {"mroute", "mroute-example"}


def test_its_rules_are_validated(with_plugin: Environment, site: Path) -> None:
    assert problems(with_plugin, site) == []


def test_a_missing_field_of_its_rule_is_reported_with_place_and_expectation(
    with_plugin: Environment, site: Path
) -> None:
    (site / "mroute.yaml").write_text(RULES.replace("    archive: research\n", ""))
    [problem] = problems(with_plugin, site)
    assert problem["file"].endswith("mroute.yaml")
    assert (problem["line"], problem["column"]) == (8, 3)
    assert problem["severity"] == "error"
    assert "'archive'" in problem["message"]
    assert "anonymize-and-archive" in problem["message"]


def test_a_wrong_value_of_its_rule_is_reported_with_its_own_sentence(
    with_plugin: Environment, site: Path
) -> None:
    (site / "mroute.yaml").write_text(RULES.replace("PatientID,", "PatientIdd,"))
    [problem] = problems(with_plugin, site)
    assert (problem["line"], problem["column"]) == (12, 27)
    assert "'PatientIdd' is not in the DICOM dictionary, expected a keyword" in problem["message"]


def test_a_target_that_its_rule_names_must_exist(with_plugin: Environment, site: Path) -> None:
    (site / "mroute.yaml").write_text(RULES.replace("archive: research", "archive: reserch"))
    [problem] = problems(with_plugin, site)
    assert (problem["line"], problem["column"]) == (11, 14)
    assert "'reserch'" in problem["message"]
    assert "'research'" in problem["message"] + problem["hint"]


def test_its_action_is_in_the_exported_schema(with_plugin: Environment, site: Path) -> None:
    schema = json.loads(mroute(with_plugin, site, "schema", "rules").stdout)
    [model] = [
        each
        for each in schema["$defs"].values()
        if each.get("properties", {}).get("action", {}).get("const") == "anonymize-and-archive"
    ]
    assert sorted(model["required"]) == ["action", "archive", "when"]
    assert model["x-mroute-plugin"] == {"name": "anonymize", "distribution": "mroute-example"}
    task = json.loads(mroute(with_plugin, site, "schema", "task").stdout)
    assert "RemovalSection" in json.dumps(task["properties"]["anonymize"])


def test_it_routes_a_series_without_the_elements(with_plugin: Environment, site: Path) -> None:
    [source] = receive(site, "CT_small.dcm")
    ran = mroute(with_plugin, site, "run", "-c", "mroute.yaml", "--once")
    assert ran.returncode == 0, ran.stderr

    [archived] = (site / "archive").rglob("*.dcm")
    image, original = dcmread(archived), dcmread(source)
    for keyword in ("PatientName", "PatientID", "PatientSex"):
        assert keyword in original
        assert keyword not in image
        delattr(original, keyword)
    [other, *_] = image.OtherPatientIDsSequence
    assert "PatientID" in original.OtherPatientIDsSequence[0]
    assert "PatientID" not in other
    assert [each for each in image if each.VR != "SQ"] == [
        each for each in original if each.VR != "SQ"
    ]
    assert image.PixelData == original.PixelData

    [task_file] = (site / "spool/success").rglob("task.json")
    task = json.loads(task_file.read_text())
    assert task["info"]["applied_rule"] == "head"
    assert (task["info"]["patient_name"], task["info"]["mrn"]) == ("REMOVED", "REMOVED")
    assert task["dispatch"]["status"]["research"]["state"] == "complete"
    kept = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert [path for path in kept if b"CompressedSamples" in kept[path]] == []


@pytest.mark.parametrize(
    "study",
    [
        # The only series of its study says that it is number 1: taken for the number of series.
        "{complete: announced_series, tag: SeriesNumber}",
        # The tag is missing, so only the time can end the waiting.
        "{complete: announced_series, after: 0s, else: proceed}",
    ],
)
def test_its_condition_completes_a_study(with_plugin: Environment, site: Path, study: str) -> None:
    rule = f"""
  whole-study:
    when: tags.Modality == 'CT'
    on: study
    study: {study}
    action: route
    targets: [research]
"""
    (site / "mroute.yaml").write_text(RULES.split("  head:")[0].rstrip() + rule)
    assert problems(with_plugin, site) == []
    [source] = receive(site, "CT_small.dcm")
    assert dcmread(source).SeriesNumber == 1
    assert "NumberOfStudyRelatedSeries" not in dcmread(source)
    ran = mroute(with_plugin, site, "run", "-c", "mroute.yaml", "--once")
    assert ran.returncode == 0, ran.stderr
    [archived] = (site / "archive").rglob("*.dcm")
    assert dcmread(archived) == dcmread(source)


def test_uninstalled_its_rule_is_an_error_that_names_the_plugin(
    with_plugin: Environment, site: Path, request: pytest.FixtureRequest
) -> None:
    exported = mroute(with_plugin, site, "schema", "rules", "-o", "rules.schema.json")
    assert exported.returncode == 0, exported.stderr
    without_plugin: Environment = request.getfixturevalue("without_plugin")

    listed = json.loads(mroute(without_plugin, site, "plugins", "list", "--json").stdout)
    assert "anonymize" not in [each["name"] for each in listed]
    [problem] = problems(without_plugin, site)
    assert (problem["line"], problem["column"]) == (10, 13)
    said = problem["message"] + problem["hint"]
    for name in ("'anonymize-and-archive'", "'anonymize'", "mroute-example"):
        assert name in said
    ran = mroute(without_plugin, site, "run", "-c", "mroute.yaml", "--once")
    assert ran.returncode == 3
    assert "mroute-example" in ran.stderr
