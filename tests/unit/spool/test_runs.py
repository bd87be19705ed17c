"""The runs of a spool: known while they live, forgotten when they died, and on one host only.

Knows the files of a run. Does not know what runs do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mroute.errors import SpoolError
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.locks import Lock, try_lock
from mroute.spool.runs import Run, living_runs, registered, this_run

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE = this_run(Path("/site/mroute.yaml"), NOW)


def test_a_run_knows_the_others_that_live_and_leaves_nothing(spool: Spool, files: Files) -> None:
    other = replace(HERE, id="other", rule_file="/site/other.yaml")
    with registered(spool, files, HERE, {}) as alone:
        with registered(spool, files, other, {}) as others:
            assert (alone, others) == ([], [HERE])
        with registered(spool, files, other, {"a": 1}) as others:
            assert others == [HERE]
    assert list(spool.runs.iterdir()) == []
    assert json.loads((spool.root / ".contributions.json").read_text()) == {"a": 1}


def test_a_run_that_was_killed_is_forgotten(spool: Spool, files: Files) -> None:
    script = f"""
import os
from pathlib import Path
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.runs import Run, registered
run = Run("9", "elsewhere", "another-boot", 1, "/x.yaml", "yesterday")
with registered(Spool(Path({str(spool.root)!r})), Files(), run, {{}}):
    os._exit(9)
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == 9
    assert len(list(spool.runs.iterdir())) == 2
    with registered(spool, files, HERE, {}) as others:
        assert others == []
        assert len(list(spool.runs.iterdir())) == 2


def test_a_run_on_another_host_is_refused_with_what_to_do(spool: Spool, files: Files) -> None:
    there = Run("2", "scan-2", "another-boot", 42, "/site/mroute.yaml", NOW.isoformat())
    with registered(spool, files, there, {}):
        with pytest.raises(SpoolError) as refused, registered(spool, files, HERE, {}):
            pass
        assert len(list(spool.runs.iterdir())) == 2
    for part in ("on host 'scan-2', process 42, since 2026-11-23T12:00:00+00:00", "stop that one"):
        assert part in str(refused.value)
    assert refused.value.exit_code == 4


def test_a_run_of_which_nothing_can_be_read_is_no_neighbour(spool: Spool, files: Files) -> None:
    lock = try_lock(spool.runs / "x.lock")
    assert lock is not None
    for content in ("{", "[]", '{"host": 1}'):
        (spool.runs / "x.json").write_text(content)
        with (
            pytest.raises(SpoolError, match="on host 'unknown'"),
            registered(spool, files, HERE, {}),
        ):
            pass
    lock.release()
    with registered(spool, files, HERE, {}) as others:
        assert others == []


def test_facts_without_a_lock_are_those_of_no_run(spool: Spool, files: Files) -> None:
    (spool.runs / "y.json").write_text("{}")
    with registered(spool, files, HERE, {}) as others:
        assert others == []
        assert not (spool.runs / "y.json").exists()


def test_containers_of_one_kernel_are_one_host() -> None:
    assert this_run(Path("x"), NOW).boot_id == HERE.boot_id
    assert len(HERE.boot_id) > 8


def test_whoever_only_looks_sees_the_runs_that_live_and_removes_nothing(
    spool: Spool, files: Files
) -> None:
    with registered(spool, files, HERE, {}):
        (spool.runs / "dead.lock").touch()
        (spool.runs / "dead.json").write_text("{}")
        before = sorted(spool.runs.iterdir())
        assert living_runs(spool) == [HERE]
        assert sorted(spool.runs.iterdir()) == before
    assert living_runs(spool) == []
    assert living_runs(Spool(spool.root / "gone")) == []


def test_a_run_begins_while_somebody_looks_at_its_lock(
    spool: Spool, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [None, None]

    def looked_at(path: Path) -> Lock | None:
        return answers.pop() if answers else try_lock(path)

    monkeypatch.setattr("mroute.spool.runs.try_lock", looked_at)
    with registered(spool, files, HERE, {}):
        assert answers == []
        assert living_runs(spool) == [HERE]
    monkeypatch.setattr("mroute.spool.runs.try_lock", lambda path: None)
    monkeypatch.setattr("mroute.spool.runs._PAUSE", 0)
    with (
        pytest.raises(SpoolError, match="somebody else holds it"),
        registered(spool, files, HERE, {}),
    ):
        pass
