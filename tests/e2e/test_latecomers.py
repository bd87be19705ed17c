"""Series that come after their study went on, and studies that wait for what is still on its way.

Knows the folders of a site, its events and its task files. Does not know how any of it is done.
"""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.events import Event, StudyCompleted
from mroute.router import Routing, route_error_files, route_series, route_studies
from mroute.service import open_site
from tests.e2e.sites import HEAD, Played, TimedSite, drop, plugins_with, write_rules

RULES = """
rules:
  spine: {when: "tags.Modality == 'MR'", action: route, targets: [archive], on: study,
          study: {complete: received_series, series: "'T1'", latecomers: POLICY}}
"""
DISCARDED = """
rules:
  spine: {when: "tags.Modality == 'MR'", action: route, targets: [archive], on: study,
          study: {complete: received_series, series: "'T9'", after: 1h, latecomers: POLICY}}
"""


def arrive(root: Path, uid: str, description: str = "T1", **tags: str) -> None:
    content = {"Modality": "MR", "StudyInstanceUID": "9.9", "SeriesDescription": description}
    drop(root, uid, **{**content, **tags})


def site(root: Path, policy: str, rules: str = RULES) -> TimedSite:
    return TimedSite(root, HEAD + rules.replace("POLICY", policy))


def delivered(root: Path) -> dict[str, dict[str, Any]]:
    """The tasks in the archive, by the series that they hold."""
    found = {}
    for path in (root / "archive").glob("*/task.json"):
        held = {each.name.partition("#")[0] for each in path.parent.glob("*.dcm")}
        found[",".join(sorted(held))] = json.loads(path.read_text())
    return found


def late(played: Played) -> list[tuple[str, str, str]]:
    return [(e["uid"], e["treatment"], e["first_task"]) for e in played.facts("latecomer_arrived")]


def test_a_latecomer_begins_a_new_study(tmp_path: Path) -> None:
    where = site(tmp_path, "new")
    arrive(tmp_path, "1.1")
    assert late(where.run()) == []
    arrive(tmp_path, "1.2", "T2")
    played = where.run()
    first = delivered(tmp_path)["1.1"]
    assert late(played) == [("1.2", "new", first["id"])]
    assert set(played.images("spool/studies")) == {"1.2#0"}
    arrive(tmp_path, "1.3", "T1 too")  # the new study is collecting: this one is not late
    assert late(where.run()) == []
    found = delivered(tmp_path)
    assert set(found) == {"1.1", "1.2,1.3"}
    assert {each["info"].get("addition_to", "") for each in found.values()} == {""}


def test_a_latecomer_follows_alone_and_names_the_first_task(tmp_path: Path) -> None:
    where = site(tmp_path, "follow")
    arrive(tmp_path, "1.1")
    where.run()
    first = delivered(tmp_path)["1.1"]
    for uid in ("1.2", "1.3"):
        arrive(tmp_path, uid, "T2")
        played = where.run()
        assert late(played) == [(uid, "follow", first["id"])]
        task = delivered(tmp_path)[uid]
        assert task["info"]["addition_to"] == first["id"]
        assert task["info"]["uid_type"] == "series"
        assert task["info"]["triggered_rules"] == ["spine"]
    assert played.images("spool/studies") == {}


def test_a_latecomer_is_held_for_a_person(tmp_path: Path) -> None:
    where = site(tmp_path, "hold")
    arrive(tmp_path, "1.1")
    where.run()
    first = delivered(tmp_path)["1.1"]
    arrive(tmp_path, "1.2", "T2")
    played = where.run()
    assert late(played) == [("1.2", "hold", first["id"])]
    assert set(played.images("spool/error")) == {"1.2#0"}
    (reason,) = played.reasons()
    assert reason.startswith("it came after its study had gone on for rule 'spine' at ")
    assert f"as task '{first['id']}'; 'latecomers: hold' leaves it to a person" in reason
    assert "'T1' was received as 'T1'" in reason
    (path,) = (tmp_path / "spool" / "error").glob("*/task.json")
    assert json.loads(path.read_text())["info"]["addition_to"] == first["id"]


def test_other_rules_go_on_with_a_series_that_one_rule_holds(tmp_path: Path) -> None:
    more = "  all: {when: 'True', action: route, targets: [pacs]}\n"
    where = site(tmp_path, "hold", RULES + more)
    arrive(tmp_path, "1.1")
    where.run()
    arrive(tmp_path, "1.2", "T2")
    played = where.run()
    assert set(played.images("spool/error")) == {"1.2#0"}
    assert played.images("pacs") == {"1.1#0": 1, "1.2#0": 1}
    assert played.images("archive") == {"1.1#0": 1}


def test_a_follower_is_pooled_with_what_another_rule_sends_to_its_target(tmp_path: Path) -> None:
    more = "  all: {when: 'True', action: route, targets: [archive]}\n"
    where = site(tmp_path, "follow", RULES + more)
    arrive(tmp_path, "1.1")
    where.run()
    arrive(tmp_path, "1.2", "T2")
    where.run()
    task = delivered(tmp_path)["1.2"]
    assert task["info"]["triggered_rules"] == ["spine", "all"]
    assert task["info"]["addition_to"]
    assert Played(tmp_path).images("archive")["1.2#0"] == 1


@pytest.mark.parametrize("policy", ["new", "follow", "hold"])
def test_what_was_discarded_cannot_be_followed(tmp_path: Path, policy: str) -> None:
    where = site(tmp_path, policy, DISCARDED)
    arrive(tmp_path, "1.1")
    where.run()
    where.hours = 2
    assert set(where.run().images("spool/discard")) == {"1.1#0"}
    arrive(tmp_path, "1.2")
    played = where.run()
    treatment = "hold" if policy == "hold" else "new"
    assert [each[:2] for each in late(played)] == [("1.2", treatment)]
    place = "error" if policy == "hold" else "studies"
    assert set(played.images(f"spool/{place}")) == {"1.2#0"}


@pytest.mark.parametrize("within", ["30m", "0s"])
def test_nobody_is_late_for_what_is_forgotten(tmp_path: Path, within: str) -> None:
    rules = HEAD.replace("timing: {", f"timing: {{latecomers_within: {within}, ")
    where = TimedSite(tmp_path, rules + RULES.replace("POLICY", "hold"))
    arrive(tmp_path, "1.1")
    where.run()
    where.hours = 1
    arrive(tmp_path, "1.2")
    played = where.run()
    assert late(played) == []
    assert set(delivered(tmp_path)) == {"1.1", "1.2"}


def test_a_series_of_another_study_or_rule_is_not_late(tmp_path: Path) -> None:
    more = RULES.partition("rules:\n")[2].replace("spine", "other").replace("'MR'", "'CT'")
    where = site(tmp_path, "hold", RULES + more)
    arrive(tmp_path, "1.1")
    where.run()
    arrive(tmp_path, "1.2", StudyInstanceUID="9.8")
    arrive(tmp_path, "1.3", Modality="CT")
    played = where.run()
    assert late(played) == []
    assert played.images("archive") == {"1.1#0": 1, "1.2#0": 1, "1.3#0": 1}


def test_a_study_waits_while_loose_images_wait_to_be_received(tmp_path: Path) -> None:
    rules = HEAD + RULES.replace("POLICY", "new").replace(
        "received_series, series: \"'T1'\"", "timeout"
    )
    where = TimedSite(tmp_path, rules)
    arrive(tmp_path, "1.1")
    hooks, registry = plugins_with()
    with open_site(write_rules(tmp_path, rules), hooks, registry, where.clock) as opened:
        routing, stop = Routing(lambda: opened), threading.Event()
        route_series(routing, stop)
        incoming = opened.spool.incoming
        for number in range(150):
            tags = {"SeriesInstanceUID": "1.2", "SOPInstanceUID": f"1.2.{number}"}
            (incoming / f"{number}.dcm").write_text(f"loose {number}")
            (incoming / f"{number}.tags").write_text(
                json.dumps({**tags, "Modality": "MR", "StudyInstanceUID": "9.9"})
            )
        where.hours = 1
        passes = []
        for _ in range(4):
            received = route_series(routing, stop), route_error_files(routing, stop)
            passes.append((*received, route_studies(routing, stop)))
    # 100 of them are received, then the rest; then their series joins, and the study goes on.
    assert passes[0] == (0, 100, 0)
    assert sum(each[1] for each in passes) == 150
    assert sum(each[2] for each in passes) == 1
    (task,) = (tmp_path / "spool" / "outgoing").glob("*/task.json")
    assert len(list(task.parent.glob("*.dcm"))) == 151


def test_a_study_that_waits_for_a_series_to_join_keeps_no_router_busy(tmp_path: Path) -> None:
    rules = HEAD.replace("study_complete_after: 0s", "study_complete_after: 1h")
    rules += RULES.replace("POLICY", "new").replace("received_series, series: \"'T1'\"", "timeout")
    where = TimedSite(tmp_path, rules)
    arrive(tmp_path, "1.1")
    hooks, registry = plugins_with()
    with open_site(tmp_path / "mroute.yaml", hooks, registry, where.clock) as opened:
        routing, stop = Routing(lambda: opened), threading.Event()
        route_series(routing, stop)
        route_studies(routing, stop)
        assert routing.due is not None
        assert routing.due > where.clock()
        where.hours = 1.1
        (opened.spool.staging / "series-another-claim").mkdir()
        mark = opened.spool.studies / "9.9#spine" / ".joining-claim"
        mark.touch()
        for _ in range(3):
            route_series(routing, stop)
            assert route_studies(routing, stop) == 0
            assert routing.due is None
        mark.unlink()
        assert route_studies(routing, stop) == 1


def test_series_that_begin_to_arrive_in_the_middle_of_a_pass_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mroute.router.studies._FRESH", 0.0)
    rules = HEAD + RULES.replace("POLICY", "new").replace(
        "received_series, series: \"'T1'\"", "timeout"
    )
    where = TimedSite(tmp_path, rules)
    for number in (1, 2, 3):
        arrive(tmp_path, f"1.{number}", StudyInstanceUID=f"9.{number}")
    hooks, registry = plugins_with()
    done: list[str] = []

    def arrives(event: Event) -> None:
        if isinstance(event, StudyCompleted):
            done.append(event.study_uid)
            if len(done) == 1:
                arrive(tmp_path, "1.4", StudyInstanceUID="9.2")

    hooks.listen(arrives)
    with open_site(tmp_path / "mroute.yaml", hooks, registry, where.clock) as opened:
        routing, stop = Routing(lambda: opened), threading.Event()
        assert route_series(routing, stop) == 3
        where.hours = 0.1
        assert route_studies(routing, stop) == 2
    assert done == ["9.1", "9.3"]


def test_loose_images_that_rest_hold_up_neither_others_nor_studies(tmp_path: Path) -> None:
    rules = HEAD + RULES.replace("POLICY", "new")
    where = TimedSite(tmp_path, rules)
    arrive(tmp_path, "1.1")
    hooks, registry = plugins_with()
    with open_site(tmp_path / "mroute.yaml", hooks, registry, where.clock) as opened:
        routing, stop = Routing(lambda: opened), threading.Event()
        incoming = opened.spool.incoming
        for number in range(130):
            tags = {"SeriesInstanceUID": "1.2", "SOPInstanceUID": f"1.2.{number}"}
            (incoming / f"{number:03}.dcm").write_text(f"loose {number}")
            (incoming / f"{number:03}.tags").write_text(json.dumps(tags))
            if number < 120:  # they could not be moved a moment ago
                resting = str(incoming / f"{number:03}.dcm")
                routing.deferred[resting] = where.clock() + timedelta(seconds=20)
        where.hours = 0.001
        assert route_series(routing, stop) == 1
        assert route_error_files(routing, stop) == 10
        assert route_studies(routing, stop) == 1
