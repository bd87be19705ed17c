"""What services are told of the spool: all that waits, and the targets that are down.

Knows spools as routers, workers and faults leave them. Does not know who asks.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.contributions import WaitingItem
from mroute.overview import Overview
from mroute.service import open_site
from mroute.site import Site
from mroute.spool import waiting
from mroute.spool.layout import HALTED_SUFFIX
from mroute.spool.targets import Targets
from mroute.spool.taskfile import read_task
from tests.e2e.sites import HEAD, plugins_with, write_rules
from tests.unit.spool.test_queue import NOW, make_task


@pytest.fixture
def site(tmp_path: Path) -> Site:
    hooks, registry = plugins_with()
    with open_site(write_rules(tmp_path, HEAD), hooks, registry, lambda: NOW) as opened:
        return opened


@pytest.fixture
def waits(site: Site) -> Callable[[], list[WaitingItem]]:
    return Overview(lambda: site).waiting


def edit(folder: Path, **sections: Any) -> Path:
    content = json.loads((folder / "task.json").read_text())
    (folder / "task.json").write_text(json.dumps({**content, **sections}))
    return folder


def for_targets(site: Site, task_id: str, *names: str, **status: dict[str, str]) -> Path:
    section = {"target_name": names, "status": status, "retries": None, "next_retry_at": None}
    return edit(make_task(site.spool, task_id, minutes=3), dispatch=section)


def test_a_task_waits_for_the_targets_that_have_not_got_it(
    site: Site, waits: Callable[[], list[WaitingItem]]
) -> None:
    got = {"state": "complete", "time": NOW.isoformat()}
    for_targets(site, "a", "pacs", "archive", pacs=got)
    since = NOW - timedelta(minutes=3)
    assert waits() == [WaitingItem("outgoing", "waiting", since, ("archive",))]


def test_the_state_of_a_task_is_that_of_the_list(
    site: Site, waits: Callable[[], list[WaitingItem]]
) -> None:
    make_task(site.spool, "due")
    make_task(site.spool, "rests", retry=NOW + timedelta(minutes=5))
    for_targets(site, "halted", "pacs")
    for_targets(site, "goes", "pacs", "archive")
    site.spool.target_file("pacs", HALTED_SUFFIX).touch()
    assert Counter(item.state for item in waits()) == {"waiting": 2, "retry": 1, "halted": 1}
    (site.spool.queue("outgoing") / "HALT").touch()
    assert {item.state for item in waits()} == {"halted"}


@pytest.mark.damages_task_files
def test_every_other_place_is_looked_at(site: Site, waits: Callable[[], list[WaitingItem]]) -> None:
    spool = site.spool
    for path in (spool.incoming / "1.2.3", spool.queue("error") / "x", spool.incoming / ".hidden"):
        path.mkdir()
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    (spool.incoming / "loose.dcm").touch()
    (spool.outbox / "d.json").touch()
    (spool.outbox / ".d.json.part").touch()
    os.utime(spool.outbox / "d.json", (NOW.timestamp(), NOW.timestamp()))
    shutil.move(make_task(spool, "study", minutes=7), spool.studies / "1.2#r")
    assert sorted(waits(), key=lambda item: item.queue) == [
        WaitingItem("error", "dead", NOW),
        WaitingItem("incoming", "arriving", NOW),
        WaitingItem("outbox", "waiting", NOW),
        WaitingItem("studies", "collecting", NOW - timedelta(minutes=7)),
    ]


@pytest.mark.damages_task_files
def test_what_cannot_be_read_is_left_out(
    site: Site, waits: Callable[[], list[WaitingItem]]
) -> None:
    make_task(site.spool, "good")
    (make_task(site.spool, "damaged") / "task.json").write_text("{")
    (site.spool.queue("outgoing") / "no-task").mkdir()
    assert [item.since for item in waits()] == [NOW]


def test_a_time_that_an_administrator_wrote_is_now(
    site: Site, waits: Callable[[], list[WaitingItem]]
) -> None:
    entry = {"time": "1764072000", "actor": "router", "action": "created", "outcome": ""}
    edit(make_task(site.spool, "a"), journal=[entry])
    assert waits() == [WaitingItem("outgoing", "waiting", NOW)]


def test_a_folder_that_is_gone_has_nothing(
    site: Site, waits: Callable[[], list[WaitingItem]]
) -> None:
    make_task(site.spool, "a")
    for name in ("error", "outbox", "incoming", "studies"):
        (site.spool.root / name).rmdir()
    assert len(waits()) == 1


def test_a_spool_that_cannot_be_read_is_an_error(
    site: Site, waits: Callable[[], list[WaitingItem]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("mroute.overview.os.scandir", refuse)
    with pytest.raises(PermissionError):
        waits()


def test_a_task_file_is_read_once(
    site: Site, waits: Callable[[], list[WaitingItem]], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(folder: Path) -> dict[str, Any]:
        read.append(folder.name)
        return read_task(folder)

    monkeypatch.setattr(waiting, "read_task", reading)
    make_task(site.spool, "a")
    folder = make_task(site.spool, "b")
    assert [len(waits()) for _ in range(3)] == [2, 2, 2]
    assert sorted(read) == ["a", "b"]
    shutil.rmtree(folder)
    assert len(waits()) == 1


def test_a_target_is_down_since_nothing_could_be_sent_to_it(site: Site) -> None:
    targets = Targets(site.spool, site.files)
    least, longest = timedelta(seconds=15), timedelta(minutes=15)
    pacs = site.configuration.targets["pacs"]
    targets.went_down("pacs", pacs, "refused", NOW, least, longest)
    assert Overview(lambda: site).targets() == {"pacs": NOW, "archive": None, "silent": None}
    targets.came_up("pacs", pacs, NOW)
    assert Overview(lambda: site).targets() == {"pacs": None, "archive": None, "silent": None}
