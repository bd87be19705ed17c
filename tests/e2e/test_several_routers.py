"""Several routers on one spool: each takes what is free, and what one left by dying goes on.

Knows folders, events and processes. Does not know how the work is shared out.
"""

from __future__ import annotations

import http.server
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from mroute.cli import main
from mroute.service import Service, open_site
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.runs import Run, registered
from tests.e2e.sites import HEAD, ROUTE, Played, drop, later, plugins_with, write_rules

COMMAND = [sys.executable, "-c", "from mroute.cli import main; main()"]


def routed(log: str) -> int:
    return log.count('"event": "subject_committed"')


def test_routers_share_a_spool_and_every_image_arrives_once(tmp_path: Path) -> None:
    rules = ROUTE.replace("[pacs]", "[pacs, archive]")
    file = write_rules(tmp_path, rules)
    for number in range(40):
        drop(tmp_path, f"1.{number}", 2)
    command = [*COMMAND, "run", "--once", "-c", str(file), "--log-format", "json"]
    with ExitStack() as stack:
        runs = [
            stack.enter_context(
                subprocess.Popen(
                    command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
                )
            )
            for _ in range(3)
        ]
        logs = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert sum(map(routed, logs)) == 40
    played = Played(tmp_path)
    for place in ("pacs", "archive"):
        assert set(played.images(place).values()) == {1}
        assert len(played.images(place)) == 80
    assert played.images("spool/incoming") == {}
    assert played.images("spool/.staging") == {}


def test_two_rule_files_on_one_spool_are_told(tmp_path: Path) -> None:
    first = write_rules(tmp_path, ROUTE)
    second = tmp_path / "second.yaml"
    second.write_text(ROUTE)
    hooks, registry = plugins_with()
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    with open_site(first, *plugins_with(), later), open_site(first, hooks, registry, later):
        assert played.facts("trouble_noticed") == []
        with open_site(second, hooks, registry, later):
            notices = played.facts("trouble_noticed")
    assert {each["where"] for each in notices} == {str(tmp_path / "spool")}
    assert f"another rule file, '{first}'" in notices[0]["detail"]


def test_a_run_beside_one_on_another_host_exits_4(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    spool = Spool(tmp_path / "spool")
    spool.prepare(["outgoing"])
    there = Run("2", "scan-2", "another-boot", 42, str(file), "2026-11-23T12:00:00+00:00")
    with registered(spool, Files(), there, {}):
        result = CliRunner().invoke(main, ["run", "--once", "-c", str(file)])
    assert result.exit_code == 4
    assert "in use by 'mroute run' on host 'scan-2', process 42, since 2026-11-23" in result.output


def test_what_a_router_left_by_dying_is_taken_over_by_one_that_lives(tmp_path: Path) -> None:
    file = write_rules(tmp_path, ROUTE)
    with open_site(file, *plugins_with(), later) as site:
        drop(tmp_path, "1.1")
        script = f"""
import os, signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import mroute.spool.commit as commit
from tests.e2e.sites import plugins_with, later
from mroute.service import Service, open_site
commit.Commit._publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with open_site(Path({str(file)!r}), *plugins_with(), later) as site:
    Service(site).run_once()
"""
        died = subprocess.run([sys.executable, "-c", script], check=False)
        assert died.returncode == -signal.SIGKILL
        assert Played(tmp_path).images("pacs") == {}
        Service(site).run_once()
    assert Played(tmp_path).images("pacs") == {"1.1#0": 1}
    assert Played(tmp_path).images("spool/.staging") == {}


@contextmanager
def slow_webhook() -> Iterator[tuple[str, threading.Event, threading.Event, list[str]]]:
    """A web server that holds back its first answer until it is told to go on."""
    asked, go_on, bodies = threading.Event(), threading.Event(), list[str]()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if len(bodies) == 1:
                asked.set()
                go_on.wait(60)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked, go_on, bodies
        finally:
            go_on.set()
            server.shutdown()
            thread.join()


def test_a_router_that_hangs_on_a_webhook_holds_up_one_delivery(tmp_path: Path) -> None:
    with slow_webhook() as (url, asked, go_on, bodies):
        told = f'{{channel: webhook, url: "{url}", events: [received]}}'
        rules = f"{{when: 'True', action: route, targets: [pacs], notify: [{told}]}}"
        file = write_rules(tmp_path, f"{HEAD}rules: {{r: {rules}}}\n")
        for number in range(4):
            drop(tmp_path, f"1.{number}")
        with (
            open_site(file, *plugins_with(), later) as one,
            open_site(file, *plugins_with(), later) as other,
        ):
            Service(one).parts.steps()["router"]()
            hanging = threading.Thread(target=Service(one).parts.steps()["notices"])
            hanging.start()
            assert asked.wait(60)
            assert Service(other).parts.steps()["notices"]() == 3
            assert len(list((tmp_path / "spool" / "outbox").iterdir())) == 1
            go_on.set()
            hanging.join()
    assert len(bodies) == len(set(bodies)) == 4
    assert list((tmp_path / "spool" / "outbox").iterdir()) == []


@pytest.mark.parametrize("name", ["outgoing", "studies", "incoming"])
def test_a_folder_that_cannot_be_made_holds_up_what_needs_it(tmp_path: Path, name: str) -> None:
    rules = """
    rules:
      away: {when: "tags.Modality == 'CT'", action: route, targets: [pacs]}
      gone: {when: "tags.Modality == 'MR'", action: discard}
    """
    file = write_rules(tmp_path, HEAD + "\n".join(each[4:] for each in rules.splitlines()))
    hooks, registry = plugins_with()
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    stop = threading.Event()
    passes = list[int]()
    with open_site(file, hooks, registry, later) as site:
        folder = tmp_path / "spool" / name
        folder.rmdir()
        folder.write_text("no folder")
        if name != "incoming":
            drop(tmp_path, "1.1", Modality="CT")
            drop(tmp_path, "1.2", Modality="MR")
        service = Service(site, stop)
        route = service.parts.steps()["router"]

        def counted() -> int:
            passes.append(1)
            if len(passes) == 3:
                stop.set()
            return route()

        loop = partial(service._repeat, "router", counted, stop, lambda: 0.0)
        service._supervisor.begin("router", loop).join()
        troubles = [each for each in played.facts("trouble_noticed") if each["where"] == "router"]
        assert len(passes) == 3
        assert len(troubles) == 1
        assert f"'{folder}'" in troubles[0]["detail"]
        discarded = {} if name == "incoming" else {"1.2#0": 1}
        assert played.images("spool/discard") == discarded
        folder.unlink()
        if name == "incoming":
            drop(tmp_path, "1.1", Modality="CT")
        stop.clear()
        # A series that could not be committed rests for a while.
        an_hour_on = replace(site, clock=lambda: later() + timedelta(hours=1))
        Service(an_hour_on).run_once()
    assert played.images("pacs") == {"1.1#0": 1}
