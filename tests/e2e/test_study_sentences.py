"""Sections G and H of the documented behaviour, each scenario by its number, and bad input.

Knows folders, task files and events of a site whose clock is moved by hand. Where the documented
system loses or strays, the outcome is the safe one. Does not know how anything comes about.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.router import Routing, route_series, route_studies
from mroute.service import open_site
from mroute.testing import MovingClock
from tests.e2e.sites import HEAD, Played, TimedSite, drop, plugins_with, write_rules

ROOT = Path(__file__).parents[2]
TIMING = "version: 1\ntiming: {series_complete_after: 0s, study_complete_after: 1h}\n"
SITE = TIMING + HEAD.partition("study_complete_after: 0s}\n")[2]

HELD_ELSEWHERE = {
    67: "tests/plugins/test_study_conditions.py::"
    "test_a_study_is_complete_when_the_series_asked_for_are_there",
    69: "tests/unit/config/test_study.py::test_what_is_wrong_is_said_with_its_place",
    70: "tests/unit/config/test_study.py::test_what_cannot_be_is_refused",
}
"""Scenarios whose test stands where its subject is."""

TOLD = 'notify: [{channel: webhook, url: "http://127.0.0.1:9", events: [received, completed]}]'


def rules(study: str, action: str = "action: route, targets: [pacs]", **more: str) -> str:
    """A rule file with a rule for studies of MR, and others."""
    lines = [f"  mr: {{when: \"tags.Modality == 'MR'\", on: study, {action}, study: {{{study}}}}}"]
    lines += [
        f'  {name}: {{when: "{each}"}}' if "," not in each else f"  {name}: {{{each}}}"
        for name, each in more.items()
    ]
    return SITE + "rules:\n" + "\n".join(lines) + "\n"


def site(root: Path, study: str, **more: str) -> TimedSite:
    return TimedSite(root, rules(study, **more))


def arrive(root: Path, uid: str, description: str = "T1", images: int = 1, **tags: str) -> Path:
    """A series of study 9.9."""
    content = {"StudyInstanceUID": "9.9", "Modality": "MR", "SeriesDescription": description}
    return drop(root, uid, images, **{**content, "PatientID": "4711", **tags})


def study_of(root: Path) -> dict[str, Any]:
    """The task file of the only collecting study."""
    (path,) = (root / "spool" / "studies").glob("*/task.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def task_in(root: Path, place: str) -> dict[str, Any]:
    """The task file of the only task in a folder of the site."""
    (path,) = (root / place).glob("*/task.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


TIMEOUT = "complete: timeout"
BOTH = "complete: received_series, series: \"'T1' and 'T2'\""
NEVER = "complete: received_series, series: \"'T9'\""


def test_55_the_first_series_makes_the_study(tmp_path: Path) -> None:
    arrive(tmp_path, "1.1", images=2)
    played = site(tmp_path, TIMEOUT).run()
    assert [path.name for path in (tmp_path / "spool" / "studies").glob("[!.]*")] == ["9.9#mr"]
    assert played.images("spool/studies") == {"1.1#0": 1, "1.1#1": 1}
    (joined,) = played.facts("study_joined")
    assert (joined["rule"], joined["number"], joined["images"]) == ("mr", 1, 2)


def test_56_and_57_the_study_section_grows_with_each_series(tmp_path: Path) -> None:
    where = site(tmp_path, "complete: timeout, else: proceed, after: 5h")
    arrive(tmp_path, "1.1", "first")
    where.run()
    before = study_of(tmp_path)
    where.hours = 0.5
    arrive(tmp_path, "1.2", "second")
    (joined,) = where.run().facts("study_joined")
    after = study_of(tmp_path)
    assert joined["number"] == 2
    assert after["id"] == before["id"]
    assert after["info"] == before["info"]
    assert (before["info"]["uid"], before["info"]["uid_type"]) == ("9.9", "study")
    assert before["info"]["applied_rule"] == "mr"
    section = after["study"]
    assert section["creation_time"] == before["study"]["creation_time"]
    assert section["last_receive_time"] > before["study"]["last_receive_time"]
    assert section["received_series"] == ["first", "second"]
    assert section["received_series_uid"] == ["1.1", "1.2"]
    assert section["complete_trigger"] == "timeout"
    assert section["complete_force"] is False
    assert section["complete_force_action"] == "proceed"


def test_58_a_series_that_is_sent_again_is_there_twice(tmp_path: Path) -> None:
    where = site(tmp_path, TIMEOUT)
    arrive(tmp_path, "1.1")
    where.run()
    folder = arrive(tmp_path, "1.1")
    (folder / "1.1#0.dcm").write_text("another content")
    played = where.run()
    assert study_of(tmp_path)["study"]["received_series_uid"] == ["1.1", "1.1"]
    assert set(played.images("spool/studies")) == {"1.1#0", "another content"}


def test_59_the_files_are_moved(tmp_path: Path) -> None:
    arrive(tmp_path, "1.1")
    site(tmp_path, TIMEOUT).run()
    (image,) = (tmp_path / "spool" / "studies").rglob("*.dcm")
    assert image.stat().st_nlink == 1
    assert list((tmp_path / "spool" / "incoming").iterdir()) == []


def test_60_a_series_that_the_rule_is_not_for_is_not_collected(tmp_path: Path) -> None:
    arrive(tmp_path, "1.1")
    arrive(tmp_path, "1.2", Modality="SR")
    played = site(tmp_path, TIMEOUT).run()
    assert set(played.images("spool/studies")) == {"1.1#0"}
    assert set(played.images("spool/discard")) == {"1.2#0"}


@pytest.mark.parametrize(
    ("number", "uid", "reason"),
    [
        (61, "", "rule 'mr' collects studies, but the series has no StudyInstanceUID"),
        (62, "../outgoing/evil", "'../outgoing/evil' cannot be used as StudyInstanceUID"),
        (62, "/etc/evil", "'/etc/evil' cannot be used as StudyInstanceUID"),
    ],
)
def test_61_and_62_a_study_that_cannot_be(
    tmp_path: Path, number: int, uid: str, reason: str
) -> None:
    arrive(tmp_path, "1.1", StudyInstanceUID=uid)
    played = site(tmp_path, TIMEOUT).run()
    assert set(played.images("spool/error")) == {"1.1#0"}
    (said,) = played.reasons()
    assert said.startswith(reason[:20]) or uid in said
    assert played.images("spool/studies") == {}
    assert not (tmp_path / "spool" / "outgoing" / "evil").exists()


def test_63_and_64_the_quiet_time_begins_with_the_last_series(tmp_path: Path) -> None:
    where = site(tmp_path, TIMEOUT)
    arrive(tmp_path, "1.1")
    where.run()
    where.hours = 0.9
    arrive(tmp_path, "1.2")
    where.run()
    where.hours = 1.85
    assert where.run().facts("study_completed") == []
    where.hours = 1.95
    (done,) = where.run().facts("study_completed")
    assert (done["condition"], done["series"], done["images"]) == ("timeout", 2, 2)


def test_65_a_series_without_tags_holds_up_no_study(tmp_path: Path) -> None:
    where = TimedSite(
        tmp_path, rules(TIMEOUT).replace("series_complete_after: 0s", "series_complete_after: 1h")
    )
    os.utime(arrive(tmp_path, "1.1"), (1, 1))
    where.run()
    where.hours = 1.1
    for path in arrive(tmp_path, "1.2").glob("*.tags"):
        path.write_text("{")
    (tmp_path / "spool" / "incoming" / "1.3").mkdir()
    assert where.run().images("pacs") == {"1.1#0": 1}


def test_66_series_that_are_arriving_are_not_waited_for_by_name(tmp_path: Path) -> None:
    where = TimedSite(
        tmp_path, rules(BOTH).replace("series_complete_after: 0s", "series_complete_after: 1m")
    )
    old = arrive(tmp_path, "1.1"), arrive(tmp_path, "1.2", "T2")
    for folder in old:
        os.utime(folder, (1, 1))
    arrive(tmp_path, "1.3", "T3")  # it is still arriving
    played = where.run()
    assert played.images("pacs") == {"1.1#0": 1, "1.2#0": 1}
    assert set(played.images("spool/incoming")) == {"1.3#0"}
    where.hours = 1
    later = where.run()
    assert set(later.images("spool/studies")) == {"1.3#0"}
    assert [each["treatment"] for each in later.facts("latecomer_arrived")] == ["new"]


def test_68_an_empty_expression_is_as_a_timeout(tmp_path: Path) -> None:
    where = site(tmp_path, "complete: received_series, series: ''")
    arrive(tmp_path, "1.1")
    assert where.run().facts("study_completed") == []
    where.hours = 1.1
    (done,) = where.run().facts("study_completed")
    assert done["clause"] == "no series arrived for more than 1:00:00"


def by_file(folder: Path) -> None:
    (folder / ".force-complete").touch()


def in_its_task_file(folder: Path) -> None:
    content = json.loads((folder / "task.json").read_text())
    content["study"]["complete_force"] = True
    (folder / "task.json").write_text(json.dumps(content))


@pytest.mark.parametrize("force", [by_file, in_its_task_file])
@pytest.mark.parametrize("study", [NEVER, "complete: expected_instances, number: 99", TIMEOUT])
def test_71_and_72_an_administrator_completes_a_study_in_the_same_pass(
    tmp_path: Path, study: str, force: Callable[[Path], None]
) -> None:
    where = site(tmp_path, study)
    arrive(tmp_path, "1.1")
    where.run()
    force(tmp_path / "spool" / "studies" / "9.9#mr")
    played = where.run()
    assert played.images("pacs") == {"1.1#0": 1}
    (done,) = played.facts("study_completed")
    assert (done["clause"], done["forced"]) == ("an administrator said so", None)
    task = task_in(tmp_path, "pacs")
    assert task["study"]["complete_force"] is True
    assert not list(tmp_path.rglob(".force-complete"))


@pytest.mark.parametrize(
    ("otherwise", "place"),
    [("proceed", "pacs"), ("discard", "spool/discard"), ("error", "spool/error")],
)
def test_73_and_74_a_study_is_forced_when_its_time_is_over(
    tmp_path: Path, otherwise: str, place: str
) -> None:
    where = site(tmp_path, f"{NEVER}, after: 2h, else: {otherwise}")
    arrive(tmp_path, "1.1")
    where.run()
    where.hours = 1.9
    arrive(tmp_path, "1.2", "T2")  # what comes later does not begin the time anew
    assert where.run().facts("study_completed") == []
    where.hours = 2.1
    played = where.run()
    (done,) = played.facts("study_completed")
    assert done["forced"] == otherwise
    assert played.images(place) == {"1.1#0": 1, "1.2#0": 1}
    assert played.images("spool/studies") == {}
    task = task_in(tmp_path, place)
    said = f"not complete 2:00:00 after the first series arrived; then: {otherwise}"
    assert [e["outcome"] for e in task["journal"] if e["action"] == "completed"] == [said]


@pytest.mark.parametrize(
    ("otherwise", "told"),
    [("proceed", ["completed", "received"]), ("discard", []), ("error", ["error"])],
)
def test_who_is_told_of_a_study_that_is_forced(
    tmp_path: Path, otherwise: str, told: list[str]
) -> None:
    action = "action: route, targets: [pacs], " + TOLD.replace("completed]", "completed, error]")
    where = site(tmp_path, f"{NEVER}, after: 2h, else: {otherwise}", action=action)
    arrive(tmp_path, "1.1")
    where.run()
    where.hours = 2.1
    where.run()
    outbox = (tmp_path / "spool" / "outbox").iterdir()
    assert sorted(json.loads(path.read_text())["event"] for path in outbox) == told


def test_who_is_told_of_a_latecomer_that_is_held(tmp_path: Path) -> None:
    action = "action: route, targets: [pacs], " + TOLD.replace("received, completed", "error")
    study = "complete: received_series, series: \"'T1'\", latecomers: hold"
    where = site(tmp_path, study, action=action)
    arrive(tmp_path, "1.1")
    where.run()
    arrive(tmp_path, "1.2", "SECRET")
    where.run()
    (path,) = (tmp_path / "spool" / "outbox").iterdir()
    message = json.loads(path.read_text())
    (dead,) = (tmp_path / "spool" / "error").iterdir()
    assert (message["event"], message["task_id"]) == ("error", dead.name)
    assert "'latecomers: hold' leaves it to a person" in message["body"]
    assert "SECRET" not in path.read_text()


def test_73_a_study_whose_time_is_ignored_waits_on(tmp_path: Path) -> None:
    where = site(tmp_path, f"{NEVER}, after: 2h, else: ignore")
    arrive(tmp_path, "1.1")
    where.run()
    where.hours = 2000
    assert set(where.run().images("spool/studies")) == {"1.1#0"}


def test_75_a_complete_study_is_one_task_for_all_targets(tmp_path: Path) -> None:
    where = site(tmp_path, BOTH, action=f"action: route, targets: [pacs, archive], {TOLD}")
    arrive(tmp_path, "1.1", images=2)
    arrive(tmp_path, "1.2", "T2")
    played = where.run()
    assert played.images("pacs") == played.images("archive")
    assert len(played.images("pacs")) == 3
    task = task_in(tmp_path, "spool/success")
    assert task["dispatch"]["target_name"] == ["pacs", "archive"]
    assert task["info"]["uid_type"] == "study"
    assert [each["uid"] for each in task["collection"]["series"]] == ["1.1", "1.2"]
    told = [json.loads(p.read_text())["event"] for p in (tmp_path / "spool/outbox").iterdir()]
    assert sorted(told) == ["completed", "received"]


def test_76_an_action_that_only_tells_puts_the_study_into_success(tmp_path: Path) -> None:
    where = site(tmp_path, BOTH, action=f"action: notification, {TOLD}")
    arrive(tmp_path, "1.1")
    arrive(tmp_path, "1.2", "T2")
    played = where.run()
    assert played.images("spool/success") == {"1.1#0": 1, "1.2#0": 1}
    told = [json.loads(p.read_text())["event"] for p in (tmp_path / "spool/outbox").iterdir()]
    assert sorted(told) == ["completed", "received"]


def test_76_a_study_is_processed_as_a_whole(tmp_path: Path) -> None:
    text = rules(BOTH, "action: both, modules: [copy], targets: [pacs]")
    command = '[sh, -c, "cp $MROUTE_IN_DIR/*.dcm $MROUTE_OUT_DIR/"]'
    where = TimedSite(
        tmp_path,
        text.replace(
            "rules:", f"modules: {{copy: {{runner: command, command: {command}}}}}\nrules:"
        ),
    )
    arrive(tmp_path, "1.1")
    arrive(tmp_path, "1.2", "T2")
    assert where.run().images("pacs") == {"1.1#0": 1, "1.2#0": 1}
    assert task_in(tmp_path, "pacs")["info"]["uid_type"] == "study"


def without_target(text: str) -> str:
    return text.replace("  pacs: {type: folder, path: pacs}\n", "").replace("[pacs]", "[archive]")


def test_77_a_study_whose_target_is_gone_goes_to_error(tmp_path: Path) -> None:
    where = site(tmp_path, BOTH)
    arrive(tmp_path, "1.1")
    where.run()
    (tmp_path / "mroute.yaml").write_text(without_target(rules(BOTH)))
    arrive(tmp_path, "1.2", "T2")
    played = where.run()
    assert played.images("spool/error") == {"1.1#0": 1, "1.2#0": 1}
    assert "pacs" in played.reasons()[0]
    assert where.run().facts("subject_rejected") == []  # and not round and round


def test_78_several_studies_go_on_in_the_order_of_their_names(tmp_path: Path) -> None:
    where = site(tmp_path, TIMEOUT)
    for number in (3, 1, 2):
        arrive(tmp_path, f"1.{number}", StudyInstanceUID=f"9.{number}")
    where.run()
    where.hours = 1.1
    done = where.run().facts("study_completed")
    assert [each["study_uid"] for each in done] == ["9.1", "9.2", "9.3"]


@dataclass(frozen=True)
class Edit:
    """How somebody changes a rule file while a study is collected under it."""

    says: str
    change: Callable[[str], str]
    rule_now: str


EDITS = [
    Edit("as it was", lambda text: text, "same"),
    Edit("changed", lambda text: text.replace("[pacs]", "[archive]"), "changed"),
    Edit("another condition", lambda text: text.replace("'T2'", "'T3'"), "changed"),
    Edit("renamed", lambda text: text.replace("  mr:", "  mri:"), "removed"),
    Edit("removed", lambda text: text.replace("  mr:", "  x:").replace("'MR'", "'XX'"), "removed"),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.says.replace(" ", "-"))
def test_a_study_finishes_under_its_rule_as_that_was(tmp_path: Path, edit: Edit) -> None:
    text = rules(
        "complete: any_of, conditions: [{complete: received_series, series: \"'T1' and "
        "'T2'\"}, {complete: timeout, quiet: 2h}]"
    )
    where = TimedSite(tmp_path, text)
    arrive(tmp_path, "1.1")
    where.run()
    (tmp_path / "mroute.yaml").write_text(edit.change(text))
    where.hours = 2.1
    played = where.run()
    assert played.images("pacs") == {"1.1#0": 1}
    (done,) = played.facts("study_completed")
    assert (done["rule"], done["rule_now"]) == ("mr", edit.rule_now)
    assert done["clause"] == "timeout: no series arrived for more than 2:00:00"


@pytest.mark.parametrize(
    ("when", "place", "reason"),
    [
        ("any(s.SeriesDescription == 'T1' for s in series)", "pacs", ""),
        ("len(series) > 2", "spool/discard", "'study.when' of rule 'mr' is false: "),
        ("all(s.SliceThickness < 2 for s in series)", "spool/discard", "is unknown: tag 'Slice"),
    ],
)
def test_a_condition_over_the_study_decides_whether_it_is_acted_on(
    tmp_path: Path, when: str, place: str, reason: str
) -> None:
    where = site(tmp_path, f'{BOTH}, when: "{when}"')
    arrive(tmp_path, "1.1")
    assert where.run().facts("study_completed") == []
    arrive(tmp_path, "1.2", "T2")
    played = where.run()
    assert played.images(place) == {"1.1#0": 1, "1.2#0": 1}
    (done,) = played.facts("study_completed")
    assert done["acted_on"] is (not reason)
    if reason:
        assert played.images("pacs") == {}
        created = task_in(tmp_path, place)["journal"][-1]
        assert reason in created["outcome"]


def test_two_patients_of_one_study_are_kept_told_and_noted(tmp_path: Path) -> None:
    where = site(tmp_path, BOTH)
    arrive(tmp_path, "1.1")
    where.run()
    arrive(tmp_path, "1.2", "T2", PatientID="0815")
    played = where.run()
    assert played.images("pacs") == {"1.1#0": 1, "1.2#0": 1}
    (trouble,) = played.facts("trouble_noticed")
    said = "its PatientID is not that of the first series; all series are kept together"
    assert trouble["detail"] == f"a series joined a study of rule 'mr', and {said}"
    task = task_in(tmp_path, "pacs")
    assert task["collection"]["trouble"] == [f"series '1.2': {said}"]
    assert ("trouble", f"series '1.2': {said}") in [
        (each["action"], each["outcome"]) for each in task["journal"]
    ]
    assert "4711" not in said
    assert "0815" not in json.dumps(trouble)


def spoil(folder: Path) -> None:
    (folder / "task.json").write_text("{")


def lose(folder: Path) -> None:
    (folder / "task.json").unlink()


def unknown_action(folder: Path) -> None:
    content = json.loads((folder / "task.json").read_text())
    content["collection"]["rule"]["action"] = "teleport"
    (folder / "task.json").write_text(json.dumps(content))


def no_times(folder: Path) -> None:
    content = json.loads((folder / "task.json").read_text())
    del content["study"]["creation_time"]
    (folder / "task.json").write_text(json.dumps(content))


def no_condition(folder: Path) -> None:
    content = json.loads((folder / "task.json").read_text())
    del content["collection"]["rule"]["study"]["complete"]
    (folder / "task.json").write_text(json.dumps(content))


@pytest.mark.damages_task_files
@pytest.mark.parametrize("damage", [spoil, lose, unknown_action, no_times, no_condition])
def test_a_study_that_cannot_be_used_goes_to_error_once(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    where = site(tmp_path, BOTH)
    arrive(tmp_path, "1.1", images=2)
    where.run()
    damage(tmp_path / "spool" / "studies" / "9.9#mr")
    played = where.run()
    assert played.images("spool/error") == {"1.1#0": 1, "1.1#1": 1}
    (reason,) = played.reasons()
    assert reason
    assert len(played.facts("subject_rejected")) == 1
    arrive(tmp_path, "1.2", "T2")  # and the next one begins anew
    again = where.run()
    assert set(again.images("spool/studies")) == {"1.2#0"}
    assert again.facts("subject_rejected") == []


@pytest.mark.damages_task_files
def test_a_series_that_is_joining_does_not_hold_a_damaged_study(tmp_path: Path) -> None:
    where = site(tmp_path, BOTH)
    arrive(tmp_path, "1.1")
    where.run()
    folder = tmp_path / "spool" / "studies" / "9.9#mr"
    spoil(folder)
    arrive(tmp_path, "1.2", "T2")
    first = where.run()
    where.hours = 0.1  # the series was deferred: it joins when the damaged study is gone
    second = where.run()
    assert set(second.images("spool/error")) == {"1.1#0"}
    assert set(second.images("spool/studies")) == {"1.2#0"}
    assert len(first.facts("series_deferred")) == 1


def test_images_that_are_added_or_deleted_by_hand(tmp_path: Path) -> None:
    where = site(tmp_path, TIMEOUT)
    arrive(tmp_path, "1.1", images=3)
    where.run()
    folder = tmp_path / "spool" / "studies" / "9.9#mr"
    (folder / "1.1#0.dcm").unlink()
    (folder / "added.dcm").write_text("added")
    (folder / "1.1#1.tags").unlink()
    where.hours = 1.1
    assert where.run().images("pacs") == {"1.1#1": 1, "1.1#2": 1, "added": 1}


def test_a_study_that_is_deleted_by_hand_is_gone(tmp_path: Path) -> None:
    where = site(tmp_path, TIMEOUT)
    arrive(tmp_path, "1.1")
    where.run()
    folder = tmp_path / "spool" / "studies" / "9.9#mr"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    arrive(tmp_path, "1.2")
    played = where.run()
    assert set(played.images("spool/studies")) == {"1.2#0"}
    assert played.facts("latecomer_arrived") == []


def test_a_mark_that_was_left_behind_holds_no_study(tmp_path: Path) -> None:
    where = site(tmp_path, TIMEOUT)
    arrive(tmp_path, "1.1")
    where.run()
    (tmp_path / "spool" / "studies" / "9.9#mr" / ".joining-of-a-claim-that-is-gone").touch()
    where.hours = 1.1
    (told,) = where.run().facts("trouble_noticed")
    assert "had a place in a study and never joined" in told["detail"]
    assert where.run().images("pacs") == {"1.1#0": 1}


def test_what_a_description_says_is_kept_as_it_is(tmp_path: Path) -> None:
    where = site(tmp_path, "complete: received_series, series: \"'Größe' and 'T2'\"")
    odd = "T2 'so' \"genannt\"\nGröße \u202e\x1b[31m \udcff"
    arrive(tmp_path, "1.1", odd)
    played = where.run()
    (done,) = played.facts("study_completed")
    assert "'Größe' was received as" in done["clause"]
    assert "\x1b" not in done["clause"]
    received = task_in(tmp_path, "pacs")["study"]["received_series"]
    assert received == [odd.replace("\udcff", "\ufffd")]


def test_a_clock_that_is_set_back_neither_completes_nor_strands_a_study(tmp_path: Path) -> None:
    where = site(tmp_path, f"{TIMEOUT}, after: 3h, else: discard")
    where.hours = 100
    arrive(tmp_path, "1.1")
    where.run()
    where.hours = 0
    assert where.run().facts("study_completed") == []
    assert [e["action"] for e in study_of(tmp_path)["journal"]] == ["created", "dated"]
    where.hours = 0.9
    assert where.run().facts("study_completed") == []
    where.hours = 1.1
    (done,) = where.run().facts("study_completed")
    assert done["forced"] is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("change", ["2026-10-25T00:40:00", "2026-03-29T00:40:00"])
def test_a_change_of_daylight_saving_changes_nothing(
    quick_path: Path, change: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        clock = MovingClock(datetime.fromisoformat(change).replace(tzinfo=UTC))
        hooks, registry = plugins_with()
        file = write_rules(quick_path, rules(TIMEOUT))
        folder = arrive(quick_path, "1.1")
        os.utime(folder, (1, 1))
        with open_site(file, hooks, registry, clock) as opened:
            routing, stop = Routing(lambda: opened), threading.Event()
            assert route_series(routing, stop) == 1
            for minutes, complete in ((59, 0), (1, 0), (1, 1)):
                clock.move(timedelta(minutes=minutes))
                assert route_studies(routing, stop) == complete
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_study_of_many_series(quick_path: Path) -> None:
    where = site(quick_path, "complete: expected_instances, number: 120")
    for number in range(120):
        arrive(quick_path, f"1.{number}", f"series {number}")
    played = where.run()
    assert len(played.images("pacs")) == 120
    assert len(task_in(quick_path, "pacs")["collection"]["series"]) == 120


@pytest.mark.slow
def test_a_study_of_five_hundred_series(quick_path: Path) -> None:
    where = site(quick_path, "complete: expected_instances, number: 500")
    for number in range(500):
        arrive(quick_path, f"1.{number}", f"series {number}")
    assert len(where.run().images("pacs")) == 500


def test_every_scenario_has_a_test() -> None:
    text = Path(__file__).read_text("utf-8")
    named = {
        int(number)
        for line in text.splitlines()
        if line.startswith("def test_")
        for number in line.replace("(", "_").split("_")
        if number.isdigit()
    }
    assert named | HELD_ELSEWHERE.keys() == set(range(55, 79))
    for place in HELD_ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), place
    assert isinstance(Played(ROOT), Played)
