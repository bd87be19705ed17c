"""Parts of mroute as processes of their own, killed while they work; and what systemd hears.

Knows processes, signals and folders. Does not know what runs inside.
"""

from __future__ import annotations

import configparser
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mroute.cli import main
from mroute.cli.run import command
from mroute.service import Service, open_site
from tests.e2e.sites import HEAD, ROUTE, Played, drop, later, plugins_with, write_rules
from tests.interop.peers import until

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from mroute.cli import main; main()"]

NOTIFIED = HEAD + (
    "rules: {r: {when: 'True', action: route, targets: [pacs, archive], "
    "notify: [{channel: webhook, url: 'http://127.0.0.1:9/', events: [received]}]}}\n"
)


@contextmanager
def part(root: Path, *names: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    only = [word for name in names for word in ("--only", name)]
    with (
        (root / "log").open("ab") as log,
        subprocess.Popen(
            [*COMMAND, "run", "-c", str(root / "mroute.yaml"), *only],
            stderr=log,
            env={**os.environ, **environment},
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def test_the_commands_of_the_page_and_of_its_unit_are_understood() -> None:
    page = (ROOT / "docs/how-to/run-as-a-service.md").read_text()
    commands = re.findall(r"^(?:ExecStart=/opt/mroute/bin/)?mroute run (.*)$", page, re.MULTILINE)
    parsed = [command.make_context("run", each.split()).params for each in commands]
    assert [each["only"] for each in parsed] == [
        (),
        ("receiver",),
        ("router", "notices", "processing"),
        ("outgoing",),
    ]
    unit = configparser.RawConfigParser()
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(page.partition("```ini mroute.service\n")[2].partition("```")[0])
    assert unit["Service"]["Type"] == "notify"
    assert int(unit["Service"]["WatchdogSec"]) > 10


def test_a_part_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    ran = CliRunner().invoke(main, ["run", "-c", str(file), "--once", "--only", "roter"])
    assert ran.exit_code == 2
    assert "there is no part 'roter'; there is 'router', 'notices', " in ran.output
    assert "'outgoing'" in ran.output
    assert "'receiver'" in ran.output


def test_only_the_parts_that_are_named_run(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    drop(tmp_path, "1.1")
    once = ["run", "-c", str(file), "--once"]
    played = Played(tmp_path)
    assert CliRunner().invoke(main, [*once, "--only", "outgoing"]).exit_code == 0
    assert played.images("spool/incoming") == {"1.1#0": 1}
    until(lambda: _routed([*once, "--only", "router"], played), "the series")
    assert played.images("spool/outgoing") == {"1.1#0": 1}
    assert CliRunner().invoke(main, [*once, "--only", "outgoing"]).exit_code == 0
    assert played.images("pacs") == {"1.1#0": 1}


def _routed(command: list[str], played: Played) -> bool:
    assert CliRunner().invoke(main, command).exit_code == 0
    return not played.images("spool/incoming")


def test_a_service_that_no_setting_asks_for_does_not_run_and_says_so(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    hooks, registry = plugins_with()
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    with open_site(file, hooks, registry, later) as site:
        assert Service(site, only=["receiver"]).parts.services() == {}
        assert Service(site).parts.services().keys() & {"service receiver"} == set()
    said = [each["detail"] for each in played.facts("trouble_noticed")]
    assert said == ["does not run: no setting asks for it"]


def test_edited_rules_apply_where_no_router_runs(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    drop(tmp_path, "1.1")
    hooks, registry = plugins_with()
    with open_site(file, hooks, registry, later) as site:
        Service(site, only=["router"]).run_once()
        working = Service(site, only=["outgoing"])
        write_rules(tmp_path, ROUTE.replace("path: pacs", "path: elsewhere"))
        working.run_once()
    assert Played(tmp_path).images("elsewhere") == {"1.1#0": 1}
    assert not (tmp_path / "pacs").exists()


@pytest.mark.parametrize("seed", range(2))
def test_whichever_part_is_killed_every_image_arrives(tmp_path: Path, seed: int) -> None:
    write_rules(tmp_path, NOTIFIED)
    chance = random.Random(seed)
    parts = [("router",), ("outgoing",), ("notices", "processing")]
    expected = dict[str, int]()
    played = Played(tmp_path)
    with ExitStack() as stack:
        running = {names: stack.enter_context(part(tmp_path, *names)) for names in parts}
        for round_ in range(4):
            for number in range(5):
                uid = f"1.{round_}.{number}"
                folder = drop(tmp_path / "elsewhere", uid, 3)
                until((tmp_path / "spool/incoming").is_dir, "the spool")
                folder.rename(tmp_path / "spool/incoming" / uid)
                expected |= {f"{uid}#{image}": 1 for image in range(3)}
            _until_delivered(tmp_path / "pacs", chance.randrange(5 * round_, 5 * round_ + 5))
            killed = chance.choice(parts)
            running[killed].kill()
            running[killed].wait()
            running[killed] = stack.enter_context(part(tmp_path, *killed))
        until(lambda: len(list((tmp_path / "spool/success").glob("*/task.json"))) >= 40, "the end")
        assert all(process.poll() is None for process in running.values())
    assert played.images("pacs") == played.images("archive") == expected
    assert len(list((tmp_path / "spool/outbox").glob("*.json"))) == 20
    assert played.images("spool/error") == {}


def _until_delivered(folder: Path, series: int) -> None:
    until(lambda: len(list(folder.glob("[!.]*"))) >= series, "series")


def test_systemd_hears_that_mroute_is_ready_alive_and_about_to_stop(tmp_path: Path) -> None:
    write_rules(tmp_path, ROUTE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        with part(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
            assert listening.recv(100) == b"READY=1"
            assert (tmp_path / "spool/incoming").is_dir()
            assert listening.recv(100) == b"WATCHDOG=1"
            process.send_signal(signal.SIGTERM)
            heard = listening.recv(100)
            while heard == b"WATCHDOG=1":
                heard = listening.recv(100)
            assert process.wait() == 0
    assert heard == b"STOPPING=1"


def test_systemd_hears_nothing_while_a_part_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_rules(tmp_path, ROUTE)
    hooks, registry = plugins_with()
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    alive = list[int]()
    with open_site(file, hooks, registry, later) as site:
        service = Service(site)
        monkeypatch.setattr(service._manager, "alive", lambda: alive.append(1))
        look = service._looking_around()
        service._supervisor.at_work("router")
        look()
        monkeypatch.setattr("mroute.service.HANGS", -1.0)
        look()
        look()
        monkeypatch.setattr("mroute.service.HANGS", 600.0)
        look()
        monkeypatch.setattr("mroute.service.HANGS", -1.0)
        look()
    assert alive == [1, 1]
    assert [(each["where"], each["detail"]) for each in played.facts("trouble_noticed")] == [
        ("router", "has not gone on for -1 s"),
        ("router", "has not gone on for -1 s"),
    ]


def test_housekeeping_deletes_what_is_finished_and_nothing_else(tmp_path: Path) -> None:
    keeping = "settings: {housekeeping: {success: 1h, discard: 1h, every: 0s}}\n"
    file = write_rules(
        tmp_path, ROUTE.replace("when: 'True'", "when: tags.Modality == 'MR'") + keeping
    )
    hooks, registry = plugins_with()
    played, stop = Played(tmp_path), threading.Event()
    hooks.listen(played.events.append)
    with open_site(file, hooks, registry, later) as site:
        drop(tmp_path, "1.1", Modality="MR")
        drop(tmp_path, "1.2", Modality="CT")
        Service(site).run_once()
        drop(tmp_path, "1.3", Modality="MR")
        (tmp_path / "pacs").rename(tmp_path / "delivered")
        (tmp_path / "pacs").touch()  # the next one waits
        Service(site).run_once()
        (tmp_path / "spool/error/dead").mkdir()
        before = [played.images(f"spool/{queue}") for queue in ("success", "discard", "outgoing")]
        for path in (tmp_path / "spool").glob("*/*"):
            os.utime(path, (0, 0))
        service = Service(site, stop)
        hooks.listen(lambda event: stop.set() if len(_removed(played)) == 2 else None)
        service.parts.services()["service housekeeping"]()
    assert before == [{"1.1#0": 1}, {"1.2#0": 1}, {"1.3#0": 1}]
    assert played.images("spool") == {"1.3#0": 1}
    assert (tmp_path / "spool/error/dead").is_dir()
    assert sorted(each["queue"] for each in _removed(played)) == ["discard", "success"]


def _removed(played: Played) -> list[dict[str, Any]]:
    return played.facts("task_removed")
