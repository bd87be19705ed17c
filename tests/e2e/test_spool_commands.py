"""``mroute spool`` beside a running ``mroute run``: what it lists, tries again and discards.

Knows processes, folders and the JSON that programs rely on. Does not know how anything is found.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mroute.cli import main
from tests.e2e.sites import HEAD, Played, drop, run_once, write_rules
from tests.e2e.test_run import move_in, running, wait_for
from tests.unit.spool.test_queue import INFO

DOCUMENTED = {"id", "queue", "uid", "uid_type", "rules", "images", "state", "because"}

TO_PACS = "rules: {r: {when: 'True', action: route, targets: [pacs]}}\n"


def spool(root: Path, *arguments: str, stdin: str = "") -> Result:
    command, *rest = arguments
    named = ["spool", command, "-c", str(root / "mroute.yaml"), *rest]
    return CliRunner().invoke(main, named, input=stdin)


def listed(root: Path, *arguments: str) -> list[dict[str, Any]]:
    result = spool(root, "ls", "--json", *arguments)
    assert result.exit_code == 0, result.output
    items = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(item.keys() >= DOCUMENTED for item in items)
    return items


def until(look: Callable[[], bool]) -> None:
    """Wait until something is so, for as long as a slow machine may take."""
    end = time.monotonic() + 30
    while not look():
        assert time.monotonic() < end


def block(path: Path) -> None:
    """Let a folder target fail: a file is where its folder should be."""
    path.write_text("in the way")


def test_a_dead_letter_of_a_queue_is_redriven_while_mroute_runs(tmp_path: Path) -> None:
    rules = HEAD.replace("study_complete_after: 0s", "retry_max: 0")
    block(tmp_path / "pacs")
    move_in(tmp_path, "1.1")
    write_rules(tmp_path, rules + TO_PACS)
    with running(tmp_path) as process:
        wait_for(process, "task_settled")
        (dead,) = listed(tmp_path, "--state", "dead")
        assert (dead["queue"], dead["uid"], dead["rules"]) == ("error", "1.1", ["r"])
        assert dead["targets"] == ["pacs"]
        shown = json.loads(spool(tmp_path, "show", "--json", dead["id"][:8]).stdout)
        assert shown["retry"] == "moves it back to 'outgoing'"
        (tmp_path / "pacs").unlink()
        result = spool(tmp_path, "retry", "--all-dead", "--target", "pacs")
        assert (result.exit_code, result.output) == (
            0,
            f"'{dead['id']}' went back to 'outgoing'\n",
        )
        wait_for(process, "task_settled")
        until(lambda: not listed(tmp_path))
    assert Played(tmp_path).images("pacs") == {"1.1#0": 1}
    (done,) = listed(tmp_path, "--all")
    assert (done["state"], done["because"]) == ("done", "sent to 'pacs'")


def test_a_dead_letter_of_routing_is_routed_anew_while_mroute_runs(tmp_path: Path) -> None:
    write_rules(tmp_path, HEAD + TO_PACS)
    folder = drop(tmp_path / "elsewhere", "1.1")
    (folder / ".force-rule").write_text("later-rule")
    (tmp_path / "spool" / "incoming").mkdir(parents=True)
    folder.rename(tmp_path / "spool" / "incoming" / "1.1")
    with running(tmp_path) as process:
        wait_for(process, "subject_committed")
        (dead,) = listed(tmp_path, "--queue", "error")
        assert dead["because"].startswith("routing: ")
        write_rules(tmp_path, HEAD + TO_PACS.replace("{r:", "{later-rule:"))
        wait_for(process, "configuration_changed")
        assert spool(tmp_path, "retry", dead["id"]).exit_code == 0
        wait_for(process, "task_settled")
        until(lambda: not listed(tmp_path))
    assert Played(tmp_path).images("pacs") == {"1.1#0": 1}
    assert Played(tmp_path).images("spool/error") == {}


def test_a_task_that_rests_is_tried_at_once_while_mroute_runs(tmp_path: Path) -> None:
    write_rules(tmp_path, HEAD + TO_PACS)
    block(tmp_path / "pacs")
    move_in(tmp_path, "1.1")
    with running(tmp_path) as process:
        wait_for(process, "task_settled")
        (rests,) = listed(tmp_path, "--target", "pacs")
        assert rests["state"] == "retry"
        assert rests["because"].startswith("retry 1 of 5 at ")
        (tmp_path / "pacs").unlink()
        assert spool(tmp_path, "retry", rests["id"]).output == f"'{rests['id']}' is due now\n"
        wait_for(process, "task_settled")
        until(lambda: not listed(tmp_path))
    assert Played(tmp_path).images("pacs") == {"1.1#0": 1}


def test_what_waits_is_discarded_while_mroute_runs(tmp_path: Path) -> None:
    rules = HEAD.replace("series_complete_after: 0s", "series_complete_after: 1h")
    write_rules(tmp_path, rules + TO_PACS)
    with running(tmp_path) as process:
        wait_for(process, "started")
        move_in(tmp_path, "1.1")
        (item,) = listed(tmp_path, "--state", "arriving")
        assert item["because"].endswith("if nothing more arrives")
        refused = spool(tmp_path, "discard", "1.1")
        assert refused.exit_code == 2
        assert "say --yes" in refused.output
        assert spool(tmp_path, "discard", "1.1", "--yes").exit_code == 0
        (gone,) = listed(tmp_path, "--all")
        assert (gone["state"], gone["because"]) == ("discarded", "from 'incoming'")
    assert Played(tmp_path).images("spool/discard") == {"1.1#0": 1}


def test_a_collecting_study_is_listed_and_discarded(tmp_path: Path) -> None:
    rules = """\
        rules:
          study:
            when: 'True'
            on: study
            study: {complete: timeout}
            action: route
            targets: [pacs]
    """
    head = HEAD.replace("study_complete_after: 0s", "study_complete_after: 1h")
    drop(tmp_path, "1.1", 2, StudyInstanceUID="9.9")
    run_once(tmp_path, head + "\n".join(line[8:] for line in rules.splitlines()) + "\n")
    (study,) = listed(tmp_path)
    assert (study["id"], study["state"], study["images"]) == ("9.9#study", "collecting", 2)
    assert study["because"].startswith("for 'timeout'; 1 series so far, the last at ")
    assert spool(tmp_path, "discard", "--yes", "9.9").exit_code == 0
    assert Played(tmp_path).images("spool/discard") == {"1.1#0": 1, "1.1#1": 1}
    assert listed(tmp_path) == []


def test_a_dead_notification_is_redriven_and_a_task_announces_its_end_anew(tmp_path: Path) -> None:
    told = """{channel: webhook, url: "http://127.0.0.1:9", events: [completed, error]}"""
    rules = HEAD.replace("study_complete_after: 0s", "retry_max: 0, give_up_notices_after: 0s")
    route = f"rules: {{r: {{when: 'True', action: route, targets: [pacs], notify: [{told}]}}}}\n"
    block(tmp_path / "pacs")
    drop(tmp_path, "1.1")
    run_once(tmp_path, rules + route)
    dead = {item["uid_type"]: item for item in listed(tmp_path)}
    assert dead.keys() == {"series", "notification"}
    assert dead["notification"]["uid"] == dead["series"]["id"]
    result = spool(tmp_path, "retry", dead["notification"]["id"])
    assert result.output == f"'{dead['notification']['id']}' went back to 'outbox'\n"
    (waiting,) = listed(tmp_path, "--queue", "outbox")
    assert waiting["because"] == "webhook: due"
    spool(tmp_path, "retry", dead["series"]["id"])
    run_once(tmp_path)  # it fails again, and says so again
    (again,) = listed(tmp_path, "--uid", "1.1")
    journal = json.loads(spool(tmp_path, "show", "--json", again["id"]).stdout)["journal"]
    actions = [each["action"] for each in journal]
    assert actions.count("announced") == 2
    assert actions.index("redriven") < len(actions) - 1


def test_patients_are_told_of_only_when_asked_for(tmp_path: Path) -> None:
    drop(tmp_path, "1.1", PatientName="DOE^JANE", PatientID="4711", AccessionNumber="A1")
    run_once(tmp_path, HEAD + TO_PACS)
    (item,) = listed(tmp_path, "--all")
    for options in ([], ["--json"]):
        assert "DOE^JANE" not in spool(tmp_path, "show", item["id"], *options).output
        said = spool(tmp_path, "show", item["id"], "--phi", *options).output
        assert "DOE^JANE" in said
        assert "4711" in said


def test_a_broken_rule_file_hides_nothing(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    write_rules(tmp_path, "spool: spool\nrules: {r: {when: 'tags.', action: nonsense}}\n")
    assert [item["id"] for item in listed(tmp_path)] == ["1.1"]
    write_rules(tmp_path, "{")
    assert spool(tmp_path, "ls").exit_code == 3
    found = CliRunner().invoke(main, ["spool", "ls", "--spool", str(tmp_path / "spool")])
    assert (found.exit_code, "1.1" in found.output) == (0, True)


@pytest.mark.parametrize("command", ["ls", "shape", "show x", "retry x", "discard x"])
def test_a_spool_that_is_not_there_is_exit_code_4(tmp_path: Path, command: str) -> None:
    write_rules(tmp_path, HEAD + TO_PACS)
    result = spool(tmp_path, *command.split())
    assert result.exit_code == 4
    assert "there is no spool that can be read" in result.output
    (tmp_path / "spool").mkdir()
    assert "is no spool" in spool(tmp_path, *command.split()).output
    assert list((tmp_path / "spool").iterdir()) == []


def test_an_id_that_is_unknown_or_of_several_is_told(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    drop(tmp_path, "1.2")
    write_rules(tmp_path, HEAD + TO_PACS)
    for command in ("show", "retry"):
        unknown, several = spool(tmp_path, command, "7"), spool(tmp_path, command, "1.")
        assert (unknown.exit_code, several.exit_code) == (1, 1)
        assert "nothing in the spool has the id '7'" in unknown.output
        assert "the beginning of '1.1' in 'incoming', '1.2' in 'incoming'" in several.output


def test_usage_is_told(tmp_path: Path) -> None:
    write_rules(tmp_path, HEAD + TO_PACS)
    drop(tmp_path, "1.1")
    usages = [["retry"], ["retry", "--all-dead", "x"], ["retry", "x", "--target", "pacs"]]
    for usage in [*usages, ["ls", "--state", "tired"]]:
        assert spool(tmp_path, *usage).exit_code == 2
    assert "not both" in spool(tmp_path, "retry", "--all-dead", "x").stderr
    assert "not both" not in spool(tmp_path, "retry").stderr
    assert CliRunner().invoke(main, ["spool", "ls"]).exit_code == 2


def test_nothing_from_outside_reaches_the_terminal(tmp_path: Path) -> None:
    drop(tmp_path, "1.1").rename(tmp_path / "spool" / "incoming" / "1.1\x1b[2J")
    write_rules(tmp_path, HEAD + TO_PACS)
    for command in (["ls"], ["show", "1.1"]):
        result = spool(tmp_path, *command)
        assert "\x1b" not in result.output
        assert "1.1\\x1b[2J" in result.output


def test_the_shape_counts_by_age_queue_target_stage(tmp_path: Path) -> None:
    rules = HEAD.replace("{type: dummy}", "{type: dummy, fail: the target sleeps}")
    drop(tmp_path, "1.1")
    run_once(tmp_path, rules + "rules: {r: {when: 'True', action: route, targets: [silent]}}\n")
    drop(tmp_path, "1.2")
    (task,) = (tmp_path / "spool" / "outgoing").glob("*/task.json")
    content = json.loads(task.read_text())
    content["journal"][0]["time"] = "2020-01-01T00:00:00+00:00"
    task.write_text(json.dumps(content))
    result = spool(tmp_path, "shape", "--json")
    rows = {
        (row["queue"], row["below"]): (row["total"], {k: v for k, v in row["ages"].items() if v})
        for row in map(json.loads, result.stdout.splitlines())
    }
    assert rows == {
        ("incoming", None): (1, {"5": 1}),
        ("outgoing", None): (1, {"1280+": 1}),
        ("outgoing", "silent"): (1, {"1280+": 1}),
    }
    table = spool(tmp_path, "shape").output.splitlines()
    assert table[0].split() == [
        "TOTAL", "5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+"
    ]  # fmt: skip
    assert table[-1].split() == ["silent", "1", *"000000000", "1"]


def test_a_thousand_tasks_are_listed(quick_path: Path) -> None:
    write_rules(quick_path, HEAD + TO_PACS)
    (quick_path / "spool" / "incoming").mkdir(parents=True)
    entry = {"actor": "router", "action": "created", "outcome": ""}
    for number in range(1_000):
        folder = quick_path / "spool" / "outgoing" / f"t{number}"
        folder.mkdir(parents=True)
        content = {
            "id": folder.name,
            "info": {**INFO, "priority": "normal"},
            "journal": [{"time": "2026-11-25T00:00:00+00:00", **entry}],
        }
        (folder / "task.json").write_text(json.dumps(content))
    assert len(listed(quick_path)) == 1_000


def test_an_empty_spool_and_an_unknown_folder_are_told(tmp_path: Path) -> None:
    run_once(tmp_path, HEAD + TO_PACS)
    empty = spool(tmp_path, "ls")
    assert (empty.exit_code, empty.stdout, empty.stderr) == (0, "", "nothing waits\n")
    unknown = spool(tmp_path, "ls", "--queue", "outgoin")
    assert unknown.exit_code == 2
    assert "the spool has no folder 'outgoin'; there are .staging, discard," in unknown.output
