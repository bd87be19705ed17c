"""``mroute run``: once, until a signal, through edits of its rules, and after a run that died.

Knows processes, signals and folders. Does not know what runs inside.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from mroute.cli import main
from mroute.service import Service, open_site
from tests.e2e.sites import HEAD, ROUTE, Played, drop, later, plugins_with, run_once, write_rules

COMMAND = [sys.executable, "-c", "from mroute.cli import main; main()"]


@contextmanager
def running(root: Path) -> Iterator[subprocess.Popen[str]]:
    """``mroute run`` as a process, its log as JSON lines on standard error."""
    with subprocess.Popen(
        [*COMMAND, "run", "-c", str(root / "mroute.yaml"), "--log-format", "json"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    ) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def wait_for(process: subprocess.Popen[str], *events: str) -> list[dict[str, object]]:
    """Read the log until each of the events was in it."""
    waiting, seen = set(events), []
    assert process.stderr is not None
    for line in process.stderr:
        seen.append(json.loads(line))
        waiting.discard(seen[-1]["event"])
        if not waiting:
            return seen
    raise AssertionError(f"the log ended without {waiting}: {seen}")


def move_in(root: Path, uid: str, **tags: str) -> None:
    """Drop a series as a whole, so that a run never sees half of it."""
    folder = drop(root / "elsewhere", uid, **tags)
    (root / "spool" / "incoming").mkdir(parents=True, exist_ok=True)
    folder.rename(root / "spool" / "incoming" / uid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_ends_on_a_signal_with_exit_code_0(tmp_path: Path, number: signal.Signals) -> None:
    write_rules(tmp_path, ROUTE)
    move_in(tmp_path, "1.1")
    with running(tmp_path) as process:
        wait_for(process, "task_settled")
        process.send_signal(number)
        assert process.wait() == 0
    assert set(Played(tmp_path).images("pacs")) == {"1.1#0"}


def test_a_signal_is_heard_while_the_rules_are_first_loaded(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    # The signal comes when loading has begun, and before the first rule is done.
    script = f"""
import os, signal
from mroute import config
from mroute.cli import main
load = config.load
def loading(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    return load(*arguments)
config.load = loading
main(["run", "-c", {str(file)!r}])
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not (tmp_path / "spool").exists()


def test_a_killed_run_frees_the_spool_and_the_next_carries_on(tmp_path: Path) -> None:
    write_rules(tmp_path, ROUTE)
    move_in(tmp_path, "1.1")
    with running(tmp_path) as process:
        wait_for(process, "series_received")
        process.kill()
        process.wait()
    move_in(tmp_path, "1.2")
    run_once(tmp_path)
    assert Played(tmp_path).images("pacs") == {"1.1#0": 1, "1.2#0": 1}
    assert Played(tmp_path).images("spool/.staging") == {}


def test_edited_rules_apply_to_the_next_series_and_broken_ones_never(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    hooks, registry = plugins_with()
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    with open_site(file, hooks, registry, later) as site:
        service = Service(site)
        drop(tmp_path, "1.1")
        service.run_once()
        write_rules(tmp_path, HEAD + "rules: {r: {when: 'True', action: rout, targets: [pacs]}}\n")
        drop(tmp_path, "1.2")
        service.run_once()
        file.unlink()
        drop(tmp_path, "1.3")
        service.run_once()
        write_rules(tmp_path, ROUTE.replace("[pacs]", "[archive]"))
        drop(tmp_path, "1.4")
        service.run_once()
    assert set(played.images("pacs")) == {"1.1#0", "1.2#0", "1.3#0"}
    assert set(played.images("archive")) == {"1.4#0"}
    changes = played.facts("configuration_changed")
    assert [each["accepted"] for each in changes] == [False, False, True]
    assert "unknown action 'rout'" in changes[0]["detail"]
    assert "the last good rules stay in force" in changes[0]["detail"]


def test_a_spool_is_not_exchanged_while_mroute_runs(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    hooks, registry = plugins_with()
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    with open_site(file, hooks, registry, later) as site:
        write_rules(tmp_path, ROUTE + "spool: other\n")
        service = Service(site)
        write_rules(tmp_path, ROUTE + "spool: elsewhere\n")
        service.run_once()
        assert site.configuration.spool == tmp_path / "spool"
    (change,) = played.facts("configuration_changed")
    assert "the spool was moved while mroute runs" in change["detail"]
    assert "MR290" in change["detail"]
    assert not (tmp_path / "elsewhere").exists()


def test_once_exits_1_where_something_could_not_be_done(tmp_path: Path) -> None:
    rules = HEAD.replace("{type: dummy}", "{type: dummy, fail: the target sleeps}")
    file = write_rules(
        tmp_path, rules + "rules: {r: {when: 'True', action: route, targets: [silent]}}\n"
    )
    move_in(tmp_path, "1.1")
    result = CliRunner().invoke(main, ["run", "--once", "-c", str(file)])
    assert result.exit_code == 1
    assert "routed 1, done 0, to be tried again 1, to error/ 0, kept back 0" in result.output
    (task,) = (tmp_path / "spool" / "outgoing").glob("*/task.json")
    content = json.loads(task.read_text())
    assert content["dispatch"]["retries"] == 1
    assert content["journal"][-1]["outcome"] == "target 'silent': the target sleeps"


def test_once_exits_0_where_all_was_done(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    move_in(tmp_path, "1.1")
    result = CliRunner().invoke(main, ["run", "--once", "-c", str(file)])
    assert result.exit_code == 0
    assert "routed 1, done 1, to be tried again 0, to error/ 0, kept back 0" in result.output


def test_a_task_is_given_up_after_its_retries_and_kept(tmp_path: Path) -> None:
    head = HEAD.replace("{type: dummy}", "{type: dummy, fail: the target sleeps}")
    head = head.replace("study_complete_after: 0s", "retry_after: 1s, retry_max: 2")
    rules = head + "rules: {r: {when: 'True', action: route, targets: [silent]}}\n"
    drop(tmp_path, "1.1")
    hooks, registry = plugins_with()
    ahead = iter(range(0, 100_000, 10))

    def clock() -> object:
        from datetime import timedelta

        return later() + timedelta(seconds=next(ahead))

    with open_site(write_rules(tmp_path, rules), hooks, registry, clock) as site:  # type: ignore[arg-type]
        for _ in range(4):
            Service(site).run_once()
    played = Played(tmp_path)
    assert set(played.images("spool/error")) == {"1.1#0"}
    assert played.reasons() == ["given up after 2 retries: target 'silent': the target sleeps"]


def test_folders_that_an_administrator_deleted_are_made_again(tmp_path: Path) -> None:
    import shutil

    file = write_rules(tmp_path, ROUTE)
    with open_site(file, *plugins_with(), later) as site:
        shutil.rmtree(tmp_path / "spool" / "studies")
        shutil.rmtree(tmp_path / "spool" / "success")
        shutil.rmtree(tmp_path / "spool" / "outgoing")
        drop(tmp_path, "1.1")
        Service(site).run_once()
    assert set(Played(tmp_path).images("pacs")) == {"1.1#0"}
    assert set(Played(tmp_path).images("spool/success")) == {"1.1#0"}


def test_a_part_that_fails_keeps_no_other_from_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise TypeError("a mistake in mroute")

    monkeypatch.setattr("mroute.parts.route_studies", fail)
    file = write_rules(tmp_path, ROUTE)
    move_in(tmp_path, "1.1")
    result = CliRunner().invoke(main, ["run", "--once", "-c", str(file)])
    assert result.exit_code == 1
    assert "mroute: router failed: TypeError: a mistake in mroute" in result.output
    assert "Traceback" not in result.output
    assert set(Played(tmp_path).images("pacs")) == {"1.1#0"}


def test_a_task_that_cannot_be_settled_rests_and_is_announced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime, timedelta

    from mroute.spool.queue import Lease

    now = [datetime.now(UTC) + timedelta(seconds=5)]
    told = """{channel: webhook, url: "http://127.0.0.1:9", events: [completed]}"""
    rules = (
        f"{HEAD}rules: {{r: {{when: 'True', action: route, targets: [pacs], notify: [{told}]}}}}"
    )
    move, tried = Lease.move, list[str]()

    def fail(self: Lease, *arguments: object) -> None:
        tried.append(self.folder.name)
        raise OSError(28, "No space left on device", "success")

    drop(tmp_path, "1.1")
    hooks, registry = plugins_with()
    with open_site(write_rules(tmp_path, rules), hooks, registry, lambda: now[0]) as site:
        parts = Service(site).parts.steps()
        parts["router"]()
        monkeypatch.setattr(Lease, "move", fail)
        for seconds in (0, 1, 31):
            now[0] += timedelta(seconds=seconds)
            assert parts["queue outgoing"]() == 0
        assert len(tried) == 2
        monkeypatch.setattr(Lease, "move", move)
        now[0] += timedelta(seconds=31)
        assert parts["queue outgoing"]() == 1
    (task,) = (tmp_path / "spool" / "success").glob("*/task.json")
    actions = [each["action"] for each in json.loads(task.read_text())["journal"]]
    assert actions.count("announced") == 1
    assert len(list((tmp_path / "spool" / "outbox").glob("*.json"))) == 1
