"""The demonstration: every action on real images, and an account that finds what is missing.

Knows what the demonstration must show. Does not know how it is played.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import mroute_studies
from mroute.cli import main
from mroute.demo.accounting import account_for
from mroute.demo.play import Performance, play
from mroute.events import Event, StudyCompleted
from mroute.testing import registry_of
from mroute.types import Decision
from tests.e2e.sites import plugins_with


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Performance, list[Event]]:
    root = tmp_path_factory.mktemp("demo")
    events: list[Event] = []
    return root, play(root, *plugins_with(), events.append), events


def test_every_image_is_accounted_for(played: tuple[Path, Performance, list[Event]]) -> None:
    _, performance, _ = played
    assert performance.account.faults == ()
    assert performance.account.images > 30
    assert len(performance.series) > 15
    modalities = {series.tags.get("Modality") for series in performance.series}
    assert {"CT", "MR", "CR", "US", "RTPLAN", "SR", "ECG"} <= modalities


def test_every_rule_and_with_them_every_action_fires(
    played: tuple[Path, Performance, list[Event]],
) -> None:
    _, performance, _events = played
    fired = {name for each in performance.decisions.values() for name in each.triggered}
    assert fired == {
        "ct-to-archive",
        "thin-ct-to-research",
        "brain-mra",
        "brain",
        "carotids",
        "calcium-score",
        "whole-spine",
        "spine",
        "ultrasound",
        "no-plans",
        "everything-else",
    }
    actions = {
        triggered.rule.action
        for decision in performance.decisions.values()
        for triggered in decision.rules
    }
    assert actions == {"route", "process", "both", "notification", "discard"}
    assert any(decision.fallback for decision in performance.decisions.values())


def test_a_study_is_completed_by_each_condition(
    played: tuple[Path, Performance, list[Event]],
) -> None:
    _, performance, events = played
    completed = {each.rule: each for each in events if isinstance(each, StudyCompleted)}
    assert {rule: (each.condition, each.clause) for rule, each in completed.items()} == {
        "brain-mra": (
            "received_series",
            (
                "'ANGIO' was received as 'ANGIO Projected from   C'; 'FAST LOCALIZER' was received "
                "as 'FAST LOCALIZER'; 'PILOT' was received as 'T/S/C RF FAST PILOT'"
            ),
        ),
        "brain": ("expected_instances", "4 of 4 images came, expected by the rule"),
        "carotids": ("any_of", "timeout: no series arrived for more than 0:00:00"),
        "calcium-score": (
            "all_of",
            (
                "received_series: 'Scout' was received as 'Scout'; 'SmartScore' was received as "
                "'SmartScore - Gated 0.5 sec'; expected_instances: 7 of 7 images came, expected by "
                "the rule"
            ),
        ),
        "whole-spine": ("timeout", "no series arrived for more than 0:00:00"),
    }
    assert {each.condition for each in completed.values()} == set(
        registry_of(mroute_studies).conditions
    )
    by_place = performance.account.places.values()
    assert sum(places.get("pacs", 0) for places in by_place) == 10


def test_the_webhook_is_told_in_order(played: tuple[Path, Performance, list[Event]]) -> None:
    _, performance, _ = played
    of_study = [each["event"] for each in performance.messages if each["rule"] == "brain-mra"]
    assert of_study == ["received", "completed"]
    assert len(performance.messages) == 6


def test_the_module_has_stamped_the_images(
    played: tuple[Path, Performance, list[Event]],
) -> None:
    import pydicom

    root, _, _ = played
    (task,) = [
        path
        for path in (root / "research").glob("*/task.json")
        if json.loads(path.read_text())["info"]["action"] == "both"
    ]
    descriptions = {
        str(pydicom.dcmread(path).SeriesDescription) for path in task.parent.glob("*.dcm")
    }
    assert len(descriptions) == 3
    assert all(text.endswith("(complete study)") for text in descriptions)


def test_the_account_finds_what_is_missing_doubled_or_astray(
    played: tuple[Path, Performance, list[Event]], tmp_path: Path
) -> None:
    (tmp_path / "archive" / "t").mkdir(parents=True)
    (tmp_path / "research" / "t").mkdir(parents=True)
    (tmp_path / "spool" / "incoming").mkdir(parents=True)
    for path in ("archive/t/b.dcm", "archive/b.dcm", "research/t/c.dcm", "spool/incoming/d.dcm"):
        (tmp_path / path).write_bytes(b"")
    _, performance, _ = played
    to_archive = next(
        each for each in performance.decisions.values() if each.triggered == ("ct-to-archive",)
    )
    decisions: dict[str, Decision] = {"s": replace(to_archive)}
    account = account_for(tmp_path, {"s": ["a.dcm", "b.dcm", "c.dcm"]}, decisions)
    assert sorted(account.faults) == [
        "a.dcm is missing in archive",
        "b.dcm is 2 times in archive",
        "c.dcm is 1 times in research",
        "c.dcm is missing in archive",
        "d.dcm was left behind in incoming/",
    ]


def test_the_command_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from mroute.cli import main; main()", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "140"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "every one accounted for" in done.stdout
    assert "fallback: no other rule triggered" in done.stdout
    assert "webhook received" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_the_command_keeps_its_site_where_it_is_told(tmp_path: Path) -> None:
    runner = CliRunner()
    kept = runner.invoke(main, ["demo", "--keep", str(tmp_path / "site")])
    assert kept.exit_code == 0, kept.output
    assert (tmp_path / "site" / "mroute.yaml").exists()
    assert len(list((tmp_path / "site" / "archive").rglob("*.dcm"))) > 15
    again = runner.invoke(main, ["demo", "--keep", str(tmp_path / "site")])
    assert again.exit_code == 2
    assert "is not empty" in again.output


def test_the_command_clears_up_when_it_is_asked_to_end(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from mroute.cli import main; main()", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # Its folder is there: it is at work, and would leave it behind.
        while not any(tmp_path.iterdir()):
            assert process.poll() is None
        process.terminate()
        process.communicate()
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []
