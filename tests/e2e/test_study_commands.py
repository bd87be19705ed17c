"""What an administrator asks about studies and does to them: ``spool`` and ``explain``.

Knows what is printed, and the folders. Does not know how anything is found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mroute.cli import main
from tests.e2e.sites import Played, TimedSite
from tests.e2e.test_study_sentences import BOTH, NEVER, TIMEOUT, arrive, rules, spoil, study_of


def ask(root: Path, *arguments: str, rule_file: bool = True) -> Result:
    named = ["-c", str(root / "mroute.yaml")] if rule_file else ["--spool", str(root / "spool")]
    return CliRunner().invoke(main, [*arguments, *named])


def shown(root: Path, id_: str, **how: bool) -> dict[str, Any]:
    result = ask(root, "spool", "show", "--json", id_, **how)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def explained(root: Path, folder: Path) -> list[dict[str, Any]]:
    result = ask(root, "explain", "--json", str(folder))
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def collecting(root: Path, study: str = NEVER, text: str = "") -> TimedSite:
    """A site with a collecting study of one series."""
    where = TimedSite(root, text or rules(study))
    arrive(root, "1.1")
    where.run()
    return where


def folder_of(root: Path) -> Path:
    return root / "spool" / "studies" / "9.9#mr"


@pytest.mark.parametrize("rule_file", [True, False])
def test_a_study_is_completed_by_hand(tmp_path: Path, rule_file: bool) -> None:
    where = collecting(tmp_path)
    result = ask(tmp_path, "spool", "complete", "9.9", rule_file=rule_file)
    said = "'9.9#mr' goes on as it is when the router looks next\n"
    assert (result.exit_code, result.output) == (0, said)
    again = ask(tmp_path, "spool", "complete", "9.9#mr")
    assert "was completed before" in again.output
    assert (again.exit_code, study_of(tmp_path)["study"]["complete_force"]) == (0, True)
    (item,) = [
        json.loads(line) for line in ask(tmp_path, "spool", "ls", "--json").stdout.splitlines()
    ]
    assert item["because"] == "an administrator has completed it; it goes on next"
    played = where.run()
    assert played.images("pacs") == {"1.1#0": 1}
    task = json.loads(next((tmp_path / "pacs").glob("*/task.json")).read_text())
    actions = [(each["actor"], each["action"]) for each in task["journal"][:3]]
    assert actions == [("router", "created"), ("administrator", "forced"), ("router", "completed")]


def test_what_cannot_be_completed_says_why(tmp_path: Path) -> None:
    where = collecting(tmp_path)
    arrive(tmp_path, "1.2")
    result = ask(tmp_path, "spool", "complete", "1.2", "7.7", "9.9")
    assert result.exit_code == 1
    assert "'1.2' is complete in 'incoming'; only a collecting study can be completed" in (
        result.output
    )
    assert "nothing in the spool has the id '7.7'" in result.output
    assert "'9.9#mr' goes on as it is" in result.output
    assert where.run().images("pacs") == {"1.1#0": 1, "1.2#0": 1}


@pytest.mark.damages_task_files
def test_a_damaged_study_cannot_be_completed(tmp_path: Path) -> None:
    collecting(tmp_path)
    spoil(folder_of(tmp_path))
    result = ask(tmp_path, "spool", "complete", "9.9")
    assert result.exit_code == 1
    assert "is damaged in 'studies'" in result.output


def test_show_says_what_a_study_waits_for(tmp_path: Path) -> None:
    study = (
        "complete: all_of, conditions: [{complete: received_series, series: \"'T2'\"}, "
        "{complete: timeout}], after: 3h, else: error, latecomers: hold, "
        'when: "len(series) > 1"'
    )
    where = collecting(tmp_path, study)
    arrive(tmp_path, "1.2", "so'\n\x1b[31mT", PatientID="another")
    where.run()
    arrive(tmp_path, "1.3")
    found = shown(tmp_path, "9.9")["study"]
    assert found["state"] == "collecting"
    assert [each["description"] for each in found["series"]] == ["T1", "so'\n\x1b[31mT"]
    assert found["arriving"] == ["1.3"]
    assert found["condition"] == "all_of (received_series 'T2'; timeout)"
    assert found["complete"] is False
    assert found["because"] == (
        "received_series: not complete: 'T2' is missing; timeout: 1 series still arriving"
    )
    assert found["forced"]["to"] == "error"
    assert found["wanted"] == {"value": True, "because": "len(series) > 1 is true"}
    assert (found["latecomers"], found["rule_now"]) == ("hold", "same")
    assert found["trouble"] == [
        "series '1.2': its PatientID is not that of the first series; all series are kept together"
    ]
    text = ask(tmp_path, "spool", "show", "9.9").output
    assert "complete    no: received_series: not complete: 'T2' is missing; timeout: " in text
    assert "\x1b" not in text
    assert "4711" not in text
    assert "another" not in text


@pytest.mark.parametrize(
    ("change", "rule_now", "unknown"),
    [
        (lambda text: text, "same", ""),
        (lambda text: text.replace("[pacs]", "[archive]"), "changed", ""),
        (lambda text: text.replace("  mr:", "  mri:"), "removed", ""),
        (
            lambda text: text.replace("route", "rout"),
            "unknown",
            "the rule file cannot be used: whether its",
        ),
    ],
)
def test_show_says_what_became_of_the_rule(
    tmp_path: Path, change: Callable[[str], str], rule_now: str, unknown: str
) -> None:
    collecting(tmp_path)
    path = tmp_path / "mroute.yaml"
    path.write_text(change(path.read_text()))
    told = shown(tmp_path, "9.9")
    assert told["study"]["rule_now"] == rule_now
    assert told["study_unknown"].startswith(unknown)
    assert bool(told["study_unknown"]) == bool(unknown)


def test_show_needs_no_rule_file(tmp_path: Path) -> None:
    collecting(tmp_path)
    (tmp_path / "mroute.yaml").unlink()
    told = shown(tmp_path, "9.9", rule_file=False)
    assert told["study"]["because"] == "not complete: 'T9' is missing"
    assert told["study_unknown"].startswith("no rule file is named")


def test_show_says_why_a_study_cannot_be_asked_about(tmp_path: Path) -> None:
    collecting(tmp_path)
    path = folder_of(tmp_path) / "task.json"
    content = json.loads(path.read_text())
    content["collection"]["rule"]["study"]["complete"] = "moonlight"
    path.write_text(json.dumps(content))
    told = shown(tmp_path, "9.9")
    assert told["study"] is None
    assert "cannot be used any more" in told["study_unknown"]


def test_after_completion_the_clause_is_told(tmp_path: Path) -> None:
    where = collecting(tmp_path, f"{BOTH}, latecomers: follow")
    arrive(tmp_path, "1.2", "T2")
    where.run()
    (task,) = (tmp_path / "spool" / "success").iterdir()
    clause = "'T1' was received as 'T1'; 'T2' was received as 'T2'"
    found = shown(tmp_path, task.name)["study"]
    assert (found["state"], found["because"]) == ("gone on", clause)
    assert [each["uid"] for each in found["series"]] == ["1.1", "1.2"]
    assert f"went on  {clause}" in ask(tmp_path, "spool", "show", task.name).output
    first, *_ = explained(tmp_path, task)
    assert (first["triggered"], first["rules"]["mr"]["because"]) == (["mr"], clause)
    arrive(tmp_path, "1.3", "T3")
    where.run()
    late = next(path for path in (tmp_path / "spool" / "success").iterdir() if path != task)
    assert f"addition to  {task.name}" in ask(tmp_path, "spool", "show", late.name).output
    assert shown(tmp_path, late.name)["study"] is None


def test_explain_says_what_would_become_of_a_study(tmp_path: Path) -> None:
    collecting(tmp_path, f'{NEVER}, after: 3h, else: proceed, when: "len(series) > 1"')
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    (line,) = explained(tmp_path, folder_of(tmp_path))
    assert line["subject"].endswith("9.9#mr")
    assert (line["triggered"], line["discarded_by"], line["fallback"]) == ([], None, False)
    answer = line["rules"]["mr"]
    assert (answer["value"], answer["because"]) == (False, "not complete: 'T9' is missing")
    (task,) = line["plan"]
    assert task["queue"] == "discard"
    assert "'study.when' of rule 'mr' is false: len(series) > 1 is false" in task["reason"]
    assert line["study"]["images"] == 1
    arrive(tmp_path, "1.2", "T9")
    text = ask(tmp_path, "explain", str(folder_of(tmp_path))).output
    assert "(collecting study of 'mr')" in text
    assert "arriving:    1.2" in text
    assert "'T1', 1 image, " in text
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after.pop(tmp_path / "spool/incoming") != before.pop(tmp_path / "spool/incoming")
    assert after == before


@pytest.mark.damages_task_files
def test_explain_says_which_study_cannot_be_read(tmp_path: Path) -> None:
    collecting(tmp_path)
    spoil(folder_of(tmp_path))
    result = ask(tmp_path, "explain", str(folder_of(tmp_path)))
    assert result.exit_code == 1
    assert "task.json' is damaged" in result.output
    assert "Traceback" not in result.output


def test_explain_says_that_there_is_no_such_study(tmp_path: Path) -> None:
    collecting(tmp_path)
    gone = str(tmp_path / "spool" / "studies" / "9.9#gone")
    result = ask(tmp_path, "explain", gone, str(folder_of(tmp_path)))
    assert result.exit_code == 1
    assert f"'{gone}' does not exist" in result.output
    assert "(collecting study of 'mr')" in result.output


def test_explain_of_a_series_says_what_study_it_joins(tmp_path: Path) -> None:
    study = (
        "complete: any_of, conditions: [{complete: timeout, quiet: 90m}, "
        "{complete: expected_instances}], after: 3h, else: proceed, latecomers: hold, "
        'when: "len(series) > 1"'
    )
    TimedSite(tmp_path, rules(study))
    folder = arrive(tmp_path, "1.1")
    text = ask(tmp_path, "explain", str(folder)).output
    assert (
        "studies/: join study 9.9 (rule 'mr'), complete by any_of (timeout quiet=1h30m; "
        "expected_instances), or after 3h: proceed; acted on if len(series) > 1; latecomers: hold"
    ) in text


def everywhere(root: Path) -> Counter[str]:
    """Each image in the archives and the folders where something ends or waits."""
    played = Played(root)
    places = ("pacs", "archive", "spool/error", "spool/studies", "spool/incoming")
    return sum((played.images(place) for place in places), Counter())


@pytest.mark.damages_task_files
@pytest.mark.parametrize("kind", ["forced", "damaged", "unknown action"])
def test_a_dead_study_is_tried_again_for_its_rule_alone(tmp_path: Path, kind: str) -> None:
    text = rules(
        f"{NEVER}, after: 1h, else: error", other="when: 'True', action: route, targets: [archive]"
    )
    where = collecting(tmp_path, text=text)
    arrive(tmp_path, "1.2", "T2")
    where.run()
    if kind == "damaged":
        spoil(folder_of(tmp_path))
    if kind == "unknown action":
        path = folder_of(tmp_path) / "task.json"
        content = json.loads(path.read_text())
        content["collection"]["rule"]["action"] = "teleport"
        path.write_text(json.dumps(content))
    where.hours = 1.1
    assert where.run().images("spool/error") == {"1.1#0": 1, "1.2#0": 1}
    (dead,) = (tmp_path / "spool" / "error").iterdir()
    retry = "puts its images back into 'incoming', to be routed anew for rule 'mr' alone"
    assert shown(tmp_path, dead.name)["retry"] == retry
    result = ask(tmp_path, "spool", "retry", dead.name)
    said = f"'{dead.name}': 2 images went back to 'incoming', for rule 'mr' alone\n"
    assert (result.exit_code, result.output) == (0, said)
    played = where.run()
    assert set(played.images("spool/studies")) == {"1.1#0", "1.2#0"}
    assert played.facts("latecomer_arrived") == []
    # The other rule has sent each of them once, and not again.
    assert played.images("archive") == {"1.1#0": 1, "1.2#0": 1}
    ask(tmp_path, "spool", "complete", "9.9")
    assert where.run().images("pacs") == {"1.1#0": 1, "1.2#0": 1}


def test_a_latecomer_that_is_held_is_tried_again_as_a_new_study(tmp_path: Path) -> None:
    text = rules(
        "complete: received_series, series: \"'T1'\", latecomers: hold",
        other="when: 'True', action: route, targets: [archive]",
    )
    where = TimedSite(tmp_path, text)
    arrive(tmp_path, "1.1")
    where.run()
    arrive(tmp_path, "1.2", "T2")
    assert set(where.run().images("spool/error")) == {"1.2#0"}
    (dead,) = (tmp_path / "spool" / "error").iterdir()
    assert ask(tmp_path, "spool", "retry", dead.name).exit_code == 0
    played = where.run()
    assert set(played.images("spool/studies")) == {"1.2#0"}
    assert played.images("archive") == {"1.1#0": 1, "1.2#0": 1}
    assert everywhere(tmp_path) == {"1.1#0": 2, "1.2#0": 2}


def test_a_study_that_is_discarded_by_hand_is_not_followed(tmp_path: Path) -> None:
    where = collecting(tmp_path, f"{NEVER}, latecomers: follow")
    result = ask(tmp_path, "spool", "discard", "--yes", "9.9")
    assert (result.exit_code, result.output) == (0, "'9.9#mr' went to 'discard'\n")
    arrive(tmp_path, "1.2")
    played = where.run()
    assert [each["treatment"] for each in played.facts("latecomer_arrived")] == ["new"]
    assert set(played.images("spool/discard")) == {"1.1#0"}
    assert TIMEOUT not in study_of(tmp_path)["study"]["complete_trigger"]


def test_a_study_whose_first_series_is_joining_is_not_listed_as_damaged(tmp_path: Path) -> None:
    collecting(tmp_path)
    folder = tmp_path / "spool" / "studies" / "8.8#mr"
    folder.mkdir()
    listed = ask(tmp_path, "spool", "ls", "--json").stdout.splitlines()
    assert sorted(json.loads(each)["state"] for each in listed) == ["collecting", "damaged"]
    (folder / ".joining-a-claim").touch()
    (line,) = ask(tmp_path, "spool", "ls", "--json").stdout.splitlines()
    assert json.loads(line)["id"] == "9.9#mr"
