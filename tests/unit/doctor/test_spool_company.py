"""Who works on a spool, and what waits in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mroute.doctor.finding import State
from mroute.doctor.runs import check_runs, processes_here
from mroute.doctor.waiting import check_waiting
from mroute.errors import ExitCode
from mroute.models import Durability
from mroute.spool.files import Files
from mroute.spool.layout import HALT_FILE, HALTED_SUFFIX, Spool
from mroute.spool.runs import registered, this_run
from mroute.spool.upkeep.listing import Look
from mroute.testing import make_task

NOW = datetime.now(UTC)
FILE = Path("/site/mroute.yaml")
HERE = this_run(FILE, NOW)
FILES = Files(Durability.PROCESS)


def now() -> datetime:
    return NOW


def look(spool: Spool) -> Look:
    return Look(spool, NOW, {"outgoing": "dispatch", "processing": "process"})


def test_nobody_works_on_a_spool(spool: Spool) -> None:
    for each in (spool, Spool(spool.root / "gone")):
        (found,) = check_runs(each, FILE, now)
        assert (found.state, found.said) == (State.REMARK, "no 'mroute run' works on the spool")
        assert found.advice == f"'mroute run -c {FILE}' begins one"
        assert processes_here(each, FILE, now) == ()


def test_runs_of_one_rule_file_on_one_host_are_fine(spool: Spool) -> None:
    other = replace(HERE, id="other", pid=42)
    with registered(spool, FILES, HERE, {}), registered(spool, FILES, other, {}):
        found = list(check_runs(spool, FILE, now))
        assert [each.state for each in found] == [State.OK, State.OK]
        assert sorted(processes_here(spool, FILE, now)) == sorted([HERE.pid, 42])
    assert any(f"process 42 on host '{HERE.host}' works on the spool" in e.said for e in found)


def test_a_run_by_another_rule_file_is_worth_a_word(spool: Spool) -> None:
    other = replace(HERE, rule_file="/site/other.yaml")
    with registered(spool, FILES, other, {}):
        (found,) = check_runs(spool, FILE, now)
    assert found.state is State.REMARK
    assert "by another rule file, '/site/other.yaml'" in found.said


def test_a_run_on_another_host_is_a_problem(spool: Spool) -> None:
    there = replace(HERE, host="scan-2", boot_id="another", pid=7)
    with registered(spool, FILES, there, {}):
        (found,) = check_runs(spool, FILE, now)
        assert processes_here(spool, FILE, now) == ()
    assert (found.state, found.code) == (State.PROBLEM, ExitCode.SPOOL)
    assert found.said.startswith("process 7 on host 'scan-2' works on the spool since")
    assert "give this host a spool of its own" in found.advice


def test_nothing_waits(spool: Spool) -> None:
    for each in (spool, Spool(spool.root / "gone")):
        (found,) = check_waiting(look(each), FILE)
        assert (found.state, found.said) == (State.OK, "nothing waits, and nothing is halted")


def test_what_is_halted_is_told_of_with_how_it_goes_on(spool: Spool) -> None:
    (spool.queue("outgoing") / HALT_FILE).touch()
    spool.target_file("the pacs", HALTED_SUFFIX).touch()
    found = list(check_waiting(look(spool), FILE))
    assert [(each.state, each.said, each.advice) for each in found] == [
        (
            State.REMARK,
            "the queue 'outgoing' is halted",
            f"'mroute spool resume -c {FILE} queue:outgoing' lets it go on",
        ),
        (
            State.REMARK,
            "the target 'the pacs' is halted",
            f"'mroute spool resume -c {FILE} 'target:the pacs'' lets it go on",
        ),
    ]


@pytest.mark.damages_task_files
def test_dead_letters_damage_and_the_oldest_that_waits_are_told_of(spool: Spool) -> None:
    for number in (1, 2):
        task = make_task(spool.queue("outgoing") / f"t{number}", task_id=f"t{number}")
        content = json.loads((task.folder / "task.json").read_text())
        content["journal"][0]["time"] = f"2026-01-0{3 - number}T00:00:00+00:00"
        (task.folder / "task.json").write_text(json.dumps(content))
    dead = spool.queue("error") / "d1"
    dead.mkdir()
    (dead / "reason.json").write_text(json.dumps({"stage": "routing", "reason": "PatientName X"}))
    (spool.queue("processing") / "broken").mkdir()
    said = {each.said.partition(":")[0]: each for each in check_waiting(look(spool), FILE)}
    assert {each.state for each in said.values()} == {State.REMARK}
    assert list(said) == [
        "dead letters, given up",
        "damaged, or of no installed plugin",
        "waiting",
    ]
    assert "given up: 1, the oldest since 2" in said["dead letters, given up"].said
    assert said["dead letters, given up"].said.endswith(": 'd1' in 'error'")
    assert "PatientName" not in repr(said)
    waiting = said["waiting"]
    assert waiting.said == (
        "waiting: 2, the oldest since 2026-01-01T00:00:00+00:00: 't2' in 'outgoing'"
    )
    assert waiting.advice == f"'mroute spool show -c {FILE} t2' says why"
