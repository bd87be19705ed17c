"""The documented scenarios of routing, on a whole site with the default plugins.

Knows what an administrator sees in the folders of the spool. Does not know how it comes about.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sites import (
    HEAD,
    ROUTE,
    Played,
    TimedSite,
    drop,
    run_once,
    write_rules,
)


def tasks(root: Path, place: str) -> list[dict[str, Any]]:
    """The task files below a folder of the site, in the order of their rules."""
    found = [json.loads(path.read_text()) for path in (root / place).glob("*/task.json")]
    return sorted(found, key=lambda task: str(task["info"]["triggered_rules"]))


def spool_images(played: Played) -> Counter[str]:
    return sum(
        (
            played.images(f"spool/{place}")
            for place in ("incoming", "studies", "processing", "outgoing", ".staging")
        ),
        Counter(),
    )


def test_one_rule_to_one_target(tmp_path: Path) -> None:
    drop(tmp_path, "1.1", 3, PatientName="Doe^Jane", SenderAET="CT1")
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#0", "1.1#1", "1.1#2"}
    (task,) = tasks(tmp_path, "spool/success")
    assert task["info"]["action"] == "route"
    assert task["info"]["applied_rule"] == ""
    assert task["info"]["triggered_rules"] == ["r"]
    assert task["info"]["patient_name"] == "Doe^Jane"
    assert task["dispatch"]["target_name"] == ["pacs"]
    assert task["dispatch"]["status"]["pacs"]["state"] == "complete"
    assert task["process"] == {}
    assert task["study"] == {}
    assert spool_images(played) == {}


def test_two_rules_to_one_target_are_one_task_that_names_both(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    rules = (
        HEAD
        + """
rules:
  r1: {when: 'True', action: route, targets: [pacs, pacs]}
  r2: {when: 'True', action: route, targets: [pacs, archive], priority: urgent}
"""
    )
    played = run_once(tmp_path, rules)
    assert played.images("pacs") == {"1.1#0": 1}
    assert played.images("archive") == {"1.1#0": 1}
    found = {task["dispatch"]["target_name"][0]: task for task in tasks(tmp_path, "spool/success")}
    assert found["pacs"]["info"]["triggered_rules"] == ["r1", "r2"]
    assert found["archive"]["info"]["triggered_rules"] == ["r2"]
    assert found["pacs"]["info"]["priority"] == "urgent"


def test_several_actions_on_one_series_all_happen(tmp_path: Path) -> None:
    drop(tmp_path, "1.1", 2, StudyInstanceUID="9.9", SeriesDescription="T1")
    rules = f"""{HEAD}
modules:
  copy: {{runner: command, command: [{sys.executable}, -c, {json.dumps(COPY)}]}}
rules:
  send: {{when: 'True', action: route, targets: [pacs]}}
  work: {{when: 'True', action: process, modules: [copy]}}
  collect: {{when: 'True', action: route, targets: [archive], on: study,
             study: {{complete: received_series, series: "'T1' and 'T2'"}}}}
  tell: {{when: 'True', action: notification,
          notify: [{{channel: webhook, url: "http://127.0.0.1:9"}}]}}
"""
    played = run_once(tmp_path, rules)
    assert played.images("pacs") == {"1.1#0": 1, "1.1#1": 1}
    assert played.images("spool/studies") == {"1.1#0": 1, "1.1#1": 1}
    assert played.images("spool/success") == {
        "1.1#0": 1,
        "1.1#1": 1,
        "worked on 1.1#0": 1,
        "worked on 1.1#1": 1,
    }
    drop(tmp_path, "1.2", StudyInstanceUID="9.9", SeriesDescription="axial t2")
    played = run_once(tmp_path)
    assert played.images("archive") == {"1.1#0": 1, "1.1#1": 1, "1.2#0": 1}
    assert played.images("spool/studies") == {}
    (task,) = tasks(tmp_path, "archive")
    assert task["info"]["uid"] == "9.9"
    assert task["info"]["uid_type"] == "study"
    assert task["study"]["received_series"] == ["T1", "axial t2"]
    assert task["study"]["received_series_uid"] == ["1.1", "1.2"]


COPY = """
import os, pathlib
out = pathlib.Path(os.environ['MROUTE_OUT_DIR'])
for image in pathlib.Path(os.environ['MROUTE_IN_DIR']).glob('*.dcm'):
    (out / image.name).write_text('worked on ' + image.read_text())
"""


def test_no_rule_is_a_discard_that_says_so(tmp_path: Path) -> None:
    drop(tmp_path, "1.1", Modality="XX")
    rules = HEAD + "rules: {r: {when: \"tags.Modality == 'CT'\", action: route, targets: [pacs]}}\n"
    played = run_once(tmp_path, rules)
    assert set(played.images("spool/discard")) == {"1.1#0"}
    (task,) = tasks(tmp_path, "spool/discard")
    assert task["journal"][0]["outcome"] == "no rule triggered"
    (event,) = played.facts("series_discarded")
    assert event["rule"] is None


def test_a_discard_rule_wins_over_every_other(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    rules = (
        HEAD
        + """
rules:
  send: {when: 'True', action: route, targets: [pacs]}
  drop: {when: 'True', action: discard, on: study, study: {complete: timeout}}
  last: {when: 'True', action: route, targets: [archive], fallback: true}
"""
    )
    played = run_once(tmp_path, rules)
    assert set(played.images("spool/discard")) == {"1.1#0"}
    assert not played.images("pacs") + played.images("archive") + spool_images(played)
    (task,) = tasks(tmp_path, "spool/discard")
    assert task["journal"][0]["outcome"] == "discarded by rule 'drop'"


def test_a_forced_rule_from_a_trusted_file_is_the_only_one(tmp_path: Path) -> None:
    rules = (
        HEAD
        + """
rules:
  send: {when: 'True', action: route, targets: [pacs]}
  rescue: {when: 'False', action: route, targets: [archive]}
"""
    )
    (drop(tmp_path, "1.1") / ".force-rule").write_text("rescue")
    (drop(tmp_path, "1.2") / ".force-rule").write_text("gone")
    drop(tmp_path, "1.3", ForceRule="rescue")
    played = run_once(tmp_path, rules)
    assert set(played.images("archive")) == {"1.1#0"}
    assert set(played.images("pacs")) == {"1.3#0"}
    assert set(played.images("spool/error")) == {"1.2#0"}
    (reason,) = played.reasons()
    assert "the series asks for rule 'gone', which does not exist or is disabled" in reason


def test_series_are_routed_in_the_order_of_their_names(tmp_path: Path) -> None:
    for uid in ("1.3", "1.1", "1.2"):
        drop(tmp_path, uid)
    played = run_once(tmp_path, ROUTE)
    assert [each["uid"] for each in played.facts("series_received")] == ["1.1", "1.2", "1.3"]


def test_a_target_that_was_removed_sends_its_tasks_to_error(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    (tmp_path / "spool" / "outgoing").mkdir()
    (tmp_path / "spool" / "outgoing" / "HALT").touch()
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("spool/outgoing")) == {"1.1#0"}
    (tmp_path / "spool" / "outgoing" / "HALT").unlink()
    write_rules(tmp_path, ROUTE.replace("  pacs:", "  other:").replace("[pacs]", "[other]"))
    played = run_once(tmp_path)
    assert set(played.images("spool/error")) == {"1.1#0"}
    assert played.reasons() == ["target 'pacs' is not configured any more"]


STUDY = """
rules:
  spine: {when: "tags.Modality == 'MR'", action: route, targets: [archive], on: study,
          study: {complete: timeout, after: 90m, else: ELSE}}
"""


QUIET = HEAD.replace("study_complete_after: 0s", "study_complete_after: 1h")


def test_a_study_waits_for_its_quiet_time(tmp_path: Path) -> None:
    site = TimedSite(tmp_path, QUIET + STUDY.replace("ELSE", "ignore"))
    drop(tmp_path, "1.1", Modality="MR", StudyInstanceUID="9.9")
    assert set(site.run().images("spool/studies")) == {"1.1#0"}
    site.hours = 0.9
    drop(tmp_path, "1.2", Modality="MR", StudyInstanceUID="9.9")
    assert set(site.run().images("spool/studies")) == {"1.1#0", "1.2#0"}
    site.hours = 1.8  # an hour after the first series, but not after the second
    assert set(site.run().images("spool/studies")) == {"1.1#0", "1.2#0"}
    site.hours = 2.0
    assert site.run().images("archive") == {"1.1#0": 1, "1.2#0": 1}


def test_a_study_waits_for_series_that_are_still_arriving(tmp_path: Path) -> None:
    rules = HEAD.replace("series_complete_after: 0s", "series_complete_after: 1h")
    site = TimedSite(tmp_path, rules + STUDY.replace("ELSE", "ignore"))
    two_hours_ago = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    folder = drop(tmp_path, "1.1", Modality="MR", StudyInstanceUID="9.9")
    os.utime(folder, (two_hours_ago, two_hours_ago))
    drop(tmp_path, "1.2", Modality="MR", StudyInstanceUID="9.9")
    drop(tmp_path, "1.3", Modality="MR", StudyInstanceUID="other")
    assert set(site.run().images("spool/studies")) == {"1.1#0"}
    site.hours = 1.1
    assert site.run().images("archive") == {"1.1#0": 1, "1.2#0": 1, "1.3#0": 1}


@pytest.mark.parametrize(
    ("otherwise", "place"),
    [
        ("discard", "spool/discard"),
        ("proceed", "archive"),
        ("ignore", "spool/studies"),
        ("error", "spool/error"),
    ],
)
def test_a_study_that_never_completes_is_forced(tmp_path: Path, otherwise: str, place: str) -> None:
    rules = STUDY.replace("timeout", "received_series, series: \"'never'\"")
    site = TimedSite(tmp_path, HEAD + rules.replace("ELSE", otherwise))
    drop(tmp_path, "1.1", Modality="MR", StudyInstanceUID="9.9")
    assert set(site.run().images("spool/studies")) == {"1.1#0"}
    site.hours = 1.6
    played = site.run()
    assert set(played.images(place)) == {"1.1#0"}
    if otherwise == "error":
        assert played.reasons()


def test_a_study_whose_task_file_is_damaged_goes_to_error_and_loses_nothing(
    tmp_path: Path,
) -> None:
    site = TimedSite(tmp_path, QUIET + STUDY.replace("ELSE", "ignore"))
    drop(tmp_path, "1.1", Modality="MR", StudyInstanceUID="9.9")
    site.run()
    (task,) = (tmp_path / "spool" / "studies").glob("*/task.json")
    task.write_text('{"id": ')
    drop(tmp_path, "1.2", Modality="MR", StudyInstanceUID="9.9")
    site.run()
    site.hours = 0.1  # the series that could not join is tried again
    played = site.run()
    assert set(played.images("spool/error")) == {"1.1#0"}
    assert set(played.images("spool/studies")) == {"1.2#0"}
    (reason,) = played.reasons()
    assert "task.json' is damaged" in reason
    (kept,) = (tmp_path / "spool" / "error").glob("*/task.json.kept")
    assert kept.read_text() == '{"id": '


def test_a_study_finishes_under_the_rule_as_it_was_when_it_began(tmp_path: Path) -> None:
    site = TimedSite(tmp_path, QUIET + STUDY.replace("ELSE", "ignore"))
    drop(tmp_path, "1.1", Modality="MR", StudyInstanceUID="9.9")
    site.run()
    write_rules(tmp_path, QUIET + "rules: {}\n")
    site.hours = 1.1
    assert site.run().images("archive") == {"1.1#0": 1}


def test_a_series_without_a_study_goes_to_error_under_a_study_rule(tmp_path: Path) -> None:
    drop(tmp_path, "1.1", Modality="MR")
    played = run_once(tmp_path, HEAD + STUDY.replace("ELSE", "ignore"))
    assert set(played.images("spool/error")) == {"1.1#0"}
    (reason,) = played.reasons()
    assert "StudyInstanceUID" in reason
    assert "spine" in reason
