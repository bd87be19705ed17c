"""Sections B, C, D, E, F and J of the documented behaviour, each scenario by its number.

Knows which test holds each scenario, here or elsewhere: sections B 13-26, C 27-38, D 39-46,
E 47-52, F 53-54, J 82-85. Where the documented system loses images, the outcome is the safe one.
Does not know how anything comes about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mroute.errors import ConfigurationError
from mroute.service import Service, open_site
from tests.e2e.sites import HEAD, Played, drop, later, plugins_with, run_once, write_rules

ROOT = Path(__file__).parents[2]

HELD_ELSEWHERE = {
    21: "tests/e2e/test_routing.py::test_a_discard_rule_wins_over_every_other",
    23: "tests/e2e/test_routing.py::test_a_forced_rule_from_a_trusted_file_is_the_only_one",
    26: "tests/e2e/test_bad_input.py::test_text_that_does_not_decode_is_kept_and_named",
    30: "tests/e2e/test_routing.py::test_two_rules_to_one_target_are_one_task_that_names_both",
    31: "tests/e2e/test_routing.py::test_two_rules_to_one_target_are_one_task_that_names_both",
    33: "tests/e2e/test_routing.py::test_a_target_that_was_removed_sends_its_tasks_to_error",
    34: "tests/plugins/test_dispatch_planning.py::test_a_rule_needs_a_target",
    35: "tests/unit/spool/test_commit_faults.py::test_a_call_that_fails_anywhere_is_made_again",
    38: "tests/e2e/test_routing.py::test_several_actions_on_one_series_all_happen",
    40: "tests/plugins/test_processing_planning.py::"
    "test_settings_of_the_rule_go_over_those_of_the_module",
    42: "tests/e2e/test_bad_input.py::test_a_rule_that_names_what_there_is_not_is_refused",
    43: "tests/plugins/test_processing_planning.py::"
    "test_a_rule_needs_a_module_and_a_target_if_it_sends",
    49: "tests/plugins/test_notification_payload.py::"
    "test_whatever_a_value_says_the_message_is_json_with_that_value",
    50: "tests/e2e/test_no_patient_data.py::test_no_word_of_a_patient_is_logged_or_told",
    83: "tests/unit/spool/test_claim.py::test_a_series_that_is_gone_leaves_no_claim_behind",
    85: "tests/e2e/test_run.py::test_edited_rules_apply_to_the_next_series_and_broken_ones_never",
}
"""Scenarios whose test stands where its subject is."""

SEND = "action: route, targets: [pacs]"
ARCHIVE = "action: route, targets: [archive]"
TOLD = 'notify: [{channel: webhook, url: "http://127.0.0.1:9", events: [received, completed]}]'
MODULES = "modules: {copy: {runner: command, command: [cp]}}\n"


@dataclass(frozen=True)
class Case:
    """A series of two images under some rules, and how many images are where afterwards."""

    number: int
    says: str
    rules: Mapping[str, str]
    places: Mapping[str, int]
    tags: Mapping[str, str] = field(default_factory=dict)
    force: str = ""
    beside: str = ""
    """A file that lies in the folder of the series, or beside the rule file."""

    @property
    def id(self) -> str:
        """How the test is called."""
        return f"{self.number}-{self.says.replace(' ', '-')}"


CASES = [
    Case(13, "disabled", {"r": f"when: 'True', disabled: true, {SEND}"}, {"spool/discard": 2}),
    Case(14, "legacy tag", {"r": f"""when: "@Modality@ == 'CT'", {SEND}"""}, {"pacs": 2}),
    Case(
        14,
        "legacy tag is missing",
        {"r": f"""when: "@StudyID@ == ''", {SEND}"""},
        {"spool/discard": 2},
    ),
    # Three-valued rules: what is true whatever the tag says triggers, in either order.
    Case(
        15, "missing or true", {"r": f"""when: "@StudyID@ == 'x' or True", {SEND}"""}, {"pacs": 2}
    ),
    Case(
        15, "true or missing", {"r": f"""when: "True or @StudyID@ == 'x'", {SEND}"""}, {"pacs": 2}
    ),
    Case(
        15,
        "missing alone",
        {"r": f"""when: "not @StudyID@ == 'x'", {SEND}"""},
        {"spool/discard": 2},
    ),
    # A number in the rule makes numbers of texts.
    Case(16, "text beside a number", {"r": f"when: '@SeriesNumber@ > 5', {SEND}"}, {"pacs": 2}),
    Case(16, "converted", {"r": f"when: 'int(@SeriesNumber@) > 5', {SEND}"}, {"pacs": 2}),
    Case(
        17,
        "functions",
        {"r": f"when: 'len(tags.Modality) == 2 and has(Modality)', {SEND}"},
        {"pacs": 2},
    ),
    # All fallback rules are considered, in order.
    Case(
        19,
        "a fallback that is false",
        {
            "f1": f"when: 'True', fallback: true, {ARCHIVE}",
            "f2": f"when: 'False', fallback: true, {SEND}",
        },
        {"archive": 2},
    ),
    Case(19, "the last fallback", {"f": f"when: 'True', fallback: true, {SEND}"}, {"pacs": 2}),
    Case(
        20,
        "no fallback beside another rule",
        {"f": f"when: 'True', fallback: true, {ARCHIVE}", "r": f"when: 'True', {SEND}"},
        {"pacs": 2},
    ),
    Case(
        22,
        "a fallback that discards",
        {"f": "when: 'True', fallback: true, action: discard"},
        {"spool/discard": 2},
    ),
    Case(
        24,
        "a forced discard keeps the images",
        {"r": f"when: 'True', {SEND}", "d": "when: 'False', action: discard"},
        {"spool/discard": 2},
        force="d",
    ),
    Case(
        37,
        "priority and comment",
        {"r": f"when: 'True', priority: offpeak, comment: slow, {SEND}"},
        {"pacs": 2},
    ),
    Case(
        53,
        "a discard rule on study",
        {"d": "when: 'True', action: discard, on: study, study: {complete: timeout}"},
        {"spool/discard": 2},
    ),
    Case(
        82,
        "a file called lock",
        {"r": f"when: 'True', {SEND}"},
        {"pacs": 2},
        beside="spool/incoming/1.1/.lock",
    ),
    Case(
        84,
        "a lock beside the file",
        {"r": f"when: 'True', {SEND}"},
        {"pacs": 2},
        beside="mroute.lock",
    ),
]


def rules_of(rules: Mapping[str, str], modules: str = "") -> str:
    lines = "".join(f"  {name}: {{{text}}}\n" for name, text in rules.items())
    return f"{HEAD}{modules}rules:\n{lines}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_where_the_images_are(tmp_path: Path, case: Case) -> None:
    folder = drop(tmp_path, "1.1", 2, **{"Modality": "CT", "SeriesNumber": "7", **case.tags})
    if case.force:
        (folder / ".force-rule").write_text(case.force)
    if case.beside:
        (tmp_path / case.beside).write_text("stale")
    played = run_once(tmp_path, rules_of(case.rules))
    found = {
        place: sum(played.images(place).values())
        for place in ("pacs", "archive", "spool/discard", "spool/error", "spool/studies")
    }
    assert {place: number for place, number in found.items() if number} == case.places
    assert played.images("spool/incoming") == played.images("spool/.staging") == {}
    for event in played.facts("series_discarded"):
        asked = next((name for name in case.rules if name in ("d", "f")), None)
        assert event["rule"] == asked
        assert event["images"] == 2


@pytest.mark.parametrize(
    ("number", "text"), [(18, "x = 5"), (18, "import os"), (25, "sum(range(10**9)) > 0")]
)
def test_what_is_no_condition_is_refused(tmp_path: Path, number: int, text: str) -> None:
    drop(tmp_path, "1.1")
    with pytest.raises(ConfigurationError, match=r"mroute.yaml:\d+:\d+: error"):
        run_once(tmp_path, rules_of({"r": f"when: '{text}', {SEND}"}))
    assert set(Played(tmp_path).images("spool/incoming")) == {"1.1#0"}, number


def held(root: Path, rules: Mapping[str, str], modules: str = "") -> Played:
    """Route a series of two images, with every queue halted: what is planned can be looked at."""
    for queue in ("outgoing", "processing"):
        (root / "spool" / queue).mkdir(parents=True)
        (root / "spool" / queue / "HALT").touch()
    drop(root, "1.1", 2, Modality="CT", PatientName="DOE^JANE", StudyInstanceUID="9.9")
    return run_once(root, rules_of(rules, modules))


def tasks(root: Path, queue: str) -> list[dict[str, Any]]:
    found = (root / "spool" / queue).glob("*/task.json")
    return [json.loads(path.read_text()) for path in found]


def told(root: Path) -> list[tuple[str, str]]:
    """Rule and event of the notifications that wait or were given up."""
    found = [
        *(root / "spool" / "outbox").glob("*.json"),
        *(root / "spool" / "error").glob("*/delivery.json"),
    ]
    content = [json.loads(path.read_text()) for path in found]
    return sorted((each["rule_name"], each["event"]) for each in content)


def test_27_one_rule_and_target_is_one_task_with_every_file(tmp_path: Path) -> None:
    played = held(tmp_path, {"r": f"when: 'True', {SEND}"})
    (task,) = (tmp_path / "spool" / "outgoing").glob("*/")
    assert sorted(path.name for path in task.iterdir()) == [
        *("1.1#0.dcm", "1.1#0.tags", "1.1#1.dcm", "1.1#1.tags", "task.json")
    ]
    assert list((tmp_path / "spool" / "incoming").iterdir()) == []
    assert played.images("spool/.staging") == {}


def test_28_the_events_come_in_the_order_of_what_happens(tmp_path: Path) -> None:
    played = held(tmp_path, {"r": f"when: 'True', {SEND}"})
    names = [event.name for event in played.events if event.name != "started"]
    assert names == ["series_received", "series_decided", "subject_planned", "subject_committed"]
    received, decided, planned, committed = (event.facts() for event in played.events[-4:])
    assert {each["claim_id"] for each in (received, decided, planned, committed)} == {
        received["claim_id"]
    }
    assert (received["images"], received["rejected"], planned["images"]) == (2, 0, 2)
    assert decided["triggered"] == ("r",)
    assert planned["queues"] == ("outgoing",)
    (task,) = tasks(tmp_path, "outgoing")
    assert committed["tasks"] == (f"outgoing/{task['id']}",)
    assert task["info"]["claim_id"] == received["claim_id"]
    assert 0 < received["seconds"] <= planned["seconds"] <= committed["seconds"]
    assert 0 < decided["seconds"] < planned["seconds"]


def test_29_two_rules_to_two_targets_are_two_tasks(tmp_path: Path) -> None:
    played = held(tmp_path, {"a": f"when: 'True', {SEND}", "b": f"when: 'True', {ARCHIVE}"})
    assert played.images("spool/outgoing") == {"1.1#0": 2, "1.1#1": 2}
    assert len(tasks(tmp_path, "outgoing")) == 2
    assert list((tmp_path / "spool" / "incoming").iterdir()) == []


def test_32_the_task_file_of_a_route_task(tmp_path: Path) -> None:
    held(
        tmp_path,
        {"a": f"when: 'True', {SEND}", "b": f"when: 'True', {SEND}", "c": f"when: 'True', {TELL}"},
    )
    (task,) = tasks(tmp_path, "outgoing")
    info = task["info"]
    assert (info["action"], info["applied_rule"]) == ("route", "")
    assert (info["uid"], info["uid_type"]) == ("1.1", "series")
    assert info["triggered_rules"] == ["a", "b"]
    assert (info["patient_name"], info["mrn"]) == ("DOE^JANE", "MISSING")
    dispatch = task["dispatch"]
    assert dispatch["target_name"] == ["pacs"]
    assert dispatch["status"]["pacs"]["state"] == "waiting"
    assert (dispatch["retries"], dispatch["next_retry_at"]) == (None, None)
    assert (task["process"], task["study"]) == ({}, {})
    assert [entry["actor"] for entry in task["journal"]] == ["router"]


TELL = f"action: notification, {TOLD}"
WORK = "action: process, modules: [copy]"


@pytest.mark.parametrize(("number", "action"), [(36, SEND), (46, WORK)])
def test_a_notice_of_receipt_waits_once_beside_its_task(
    tmp_path: Path, number: int, action: str
) -> None:
    held(tmp_path, {"r": f"when: 'True', {action}, {TOLD}"}, MODULES)
    assert told(tmp_path) == [("r", "received")], number
    run_once(tmp_path)
    assert told(tmp_path) == [("r", "received")], number


def test_39_and_41_the_task_file_of_a_processing_task(tmp_path: Path) -> None:
    rules = {
        "w": f"when: 'True', {WORK}, settings: {{b: 2}}",
        "r": f"when: 'True', {SEND}",
    }
    modules = MODULES.replace("[cp]", "[cp], settings: {a: 1, b: 1}")
    held(tmp_path, rules, modules)
    (task,) = tasks(tmp_path, "processing")
    assert (task["info"]["action"], task["info"]["applied_rule"]) == ("process", "w")
    assert task["info"]["triggered_rules"] == ["w", "r"]
    assert task["dispatch"] == {}
    process = task["process"]
    assert isinstance(process, dict)
    assert process["module_name"] == "copy"
    assert process["module_config"]["command"] == ["cp"]
    assert process["settings"] == {"a": 1, "b": 2}
    assert (process["retain_input_images"], process["output"]) == (False, None)


def test_44_two_processing_rules_are_two_tasks_with_copies_of_their_own(tmp_path: Path) -> None:
    held(tmp_path, {"a": f"when: 'True', {WORK}", "b": f"when: 'True', {WORK}"}, MODULES)
    assert sorted(task["info"]["applied_rule"] for task in tasks(tmp_path, "processing")) == [
        "a",
        "b",
    ]
    images = list((tmp_path / "spool" / "processing").glob("*/*.dcm"))
    assert len({path.stat().st_ino for path in images}) == len(images) == 4


def test_45_a_processing_folder_that_cannot_be_made_loses_nothing(tmp_path: Path) -> None:
    file = write_rules(tmp_path, rules_of({"w": f"when: 'True', {WORK}"}, MODULES))
    with open_site(file, *plugins_with(), later) as site:
        folder = tmp_path / "spool" / "processing"
        folder.rmdir()
        folder.write_text("no folder")
        drop(tmp_path, "1.1", 2)
        with pytest.raises(Exception, match="processing"):
            Service(site).parts.steps()["router"]()
    played = Played(tmp_path)
    kept = played.images("spool/.staging") + played.images("spool/incoming")
    assert set(kept) == {"1.1#0", "1.1#1"}
    folder.unlink()
    (tmp_path / "spool" / "processing").mkdir()
    (tmp_path / "spool" / "processing" / "HALT").touch()
    hooks, registry = plugins_with()
    with open_site(file, hooks, registry, lambda: later().replace(year=later().year + 1)) as site:
        Service(site).run_once()
    assert played.images("spool/processing") == {"1.1#0": 1, "1.1#1": 1}
    assert played.images("spool/.staging") == {}


def test_47_notification_rules_alone_put_the_images_into_success_once(tmp_path: Path) -> None:
    played = held(tmp_path, {"a": f"when: 'True', {TELL}", "b": f"when: 'True', {TELL}"})
    assert played.images("spool/success") == {"1.1#0": 1, "1.1#1": 1}
    assert told(tmp_path) == [
        *(("a", "completed"), ("a", "received"), ("b", "completed"), ("b", "received"))
    ]


def test_48_a_notification_rule_beside_a_route_rule_adds_no_task(tmp_path: Path) -> None:
    played = held(tmp_path, {"a": f"when: 'True', {TELL}", "r": f"when: 'True', {SEND}"})
    assert played.images("spool/success") == {}
    assert played.images("spool/outgoing") == {"1.1#0": 1, "1.1#1": 1}


def test_51_each_attempt_to_tell_is_an_event(tmp_path: Path) -> None:
    played = held(tmp_path, {"a": f"when: 'True', {TELL}"})
    settled = played.facts("delivery_settled")
    # The second message waits: what is at the URL did not take the first.
    assert [(each["rule"], each["channel"]) for each in settled] == [("a", "webhook")]
    assert {each["settlement"] for each in settled} == {"retry"}
    assert all(each["seconds"] >= 0 for each in settled)


def test_52_a_notification_rule_that_tells_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="action 'notification' needs 'notify'"):
        run_once(tmp_path, rules_of({"a": "when: 'True', action: notification"}))


def test_54_a_discarded_series_is_there_as_a_whole(tmp_path: Path) -> None:
    held(tmp_path, {"d": "when: 'True', action: discard"})
    (task,) = (tmp_path / "spool" / "discard").glob("*/")
    assert sorted(path.name for path in task.iterdir()) == [
        *("1.1#0.dcm", "1.1#0.tags", "1.1#1.dcm", "1.1#1.tags", "task.json")
    ]


def test_every_scenario_has_a_test() -> None:
    here = Path(__file__).read_text("utf-8")
    wanted = {*range(13, 55), *range(82, 86)}
    cases = {case.number for case in CASES}
    rows = {18, 25, 36, 46}
    named = {
        number for number in wanted if f"def test_{number}_" in here or f"_and_{number}_" in here
    }
    assert wanted - cases - rows - named - HELD_ELSEWHERE.keys() == set()
    assert (cases | rows | named) & HELD_ELSEWHERE.keys() == set()
    for number, test in HELD_ELSEWHERE.items():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), number
