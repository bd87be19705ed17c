"""An object store that says 'slow down' for an hour: nothing is given up, lost, or there twice.

The clock is the test's; the store is real, and so is what the queue does.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mroute.api import Event
from mroute.cli import main
from mroute.service import open_site
from mroute.testing import make_task
from mroute.worker import Worker
from mroute_dispatch.section import add_dispatching
from tests.e2e.sites import plugins_with, write_rules
from tests.e2e.test_dispatching import MINUTE, START
from tests.interop.middleman import http_answer, middleman
from tests.interop.stores import BUCKET, object_store

pytestmark = pytest.mark.interop

RULES = """\
version: 1
timing: {{retry_after: 15m, retry_max: 5, probe_after: 15s}}
settings: {{durability: process}}
targets:
  store:
    type: s3
    bucket: {bucket}
    endpoint: http://127.0.0.1:{port}
    access_key: {{env: ACCESS}}
    secret_key: {{env: SECRET}}
    concurrency: 1
rules: {{}}
"""


def state(file: Path) -> Any:
    (row,) = json.loads(
        CliRunner().invoke(main, ["targets", "list", "-c", str(file), "--json"]).output
    )
    return row


def test_slow_down_for_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS", "any")
    monkeypatch.setenv("SECRET", "keys")
    now: datetime = START
    events: list[Event] = []
    hooks, registry = plugins_with()
    hooks.listen(events.append)
    (tmp_path / "site").mkdir()
    with object_store(tmp_path / "store") as store, middleman(store.port) as man:
        man.answer = http_answer(503, "SlowDown")
        rules = RULES.format(bucket=BUCKET, port=man.port)
        file = write_rules(tmp_path / "site", rules)
        with open_site(file, hooks, registry, lambda: now) as site:
            worker = Worker(lambda: site, registry.queues["outgoing"], threading.Event())
            spool = site.spool
            names = [f"task-{number:02}" for number in range(12)]
            for name in names:
                images = {
                    f"{name}#{number}.dcm": f"{name} {number}".encode() for number in range(5)
                }
                sections = {"dispatch": add_dispatching(["store"], now)}
                make_task(spool.queue("outgoing") / name, sections, images, task_id=name)

            def folders(place: str) -> list[str]:
                return sorted(each.name for each in spool.queue(place).iterdir() if each.is_dir())

            for _ in range(120):
                now += MINUTE / 2
                worker.work_due()
            assert (folders("outgoing"), folders("error")) == (names, [])
            assert store.versions() == []
            row = state(file)
            assert (row["state"], row["waiting"]) == ("down", 12)
            assert f"bucket 'images' at http://127.0.0.1:{man.port}: 503" in row["because"]
            asked = len(man.asked)
            man.answer = b""
            now += 15 * MINUTE
            for _ in names:
                worker.work_due()
            assert folders("success") == names
            worker.close()
        assert state(file)["state"] == "up"
        changes = [each.facts() for each in events if each.name == "target_changed"]
        assert [(each["target"], each["down"]) for each in changes] == [
            ("store", True),
            ("store", False),
        ]
        assert store.versions() == sorted(
            f"1.2/1.2.3/{name}#{number}.dcm" for name in names for number in range(5)
        )
        assert asked < 300  # 15 for each try at most, with what obstore tries again
