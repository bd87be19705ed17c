"""What can happen around a running router: folders, clocks, targets and names, and large numbers.

Knows what an administrator and a clock can do. Does not know how a router notices.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mroute.errors import MrouteError
from mroute.service import Service, open_site
from tests.e2e.accounting import Account, much_later
from tests.e2e.sites import HEAD, Played, drop, later, plugins_with, run_once, write_rules
from tests.faults import CHANGES, failing, fault

rmdir = os.rmdir


class Clock:
    """A clock that is set by hand, beside the right one."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return later() + self.ahead


@contextmanager
def service_of(account: Account, clock: Clock | None = None) -> Iterator[Service]:
    with open_site(account.root / "mroute.yaml", *account.plugins(), clock or later) as site:
        yield Service(site)


def test_a_queue_that_cannot_be_written_is_waited_for(quick_path: Path) -> None:
    account = Account.open(quick_path / "site", studies=1, images=2)
    with service_of(account) as service:
        outgoing = account.root / "spool" / "outgoing"
        always = fault(outgoing, lambda number: True, failing(errno.EACCES), of=CHANGES)
        with always as trap:
            service.run_once()
        assert trap.seen > 1
        account.check_intact("read-only")
        found, expected = account.found(), account.expected()
        for place in ("spool/discard", "spool/error"):  # what needs no such queue is done
            assert found[place] == expected[place]
        assert found["pacs"] == {}
    with service_of(account) as service:
        service.run_once()
    account.check()


def test_a_target_that_is_removed_keeps_no_other_from_its_images(tmp_path: Path) -> None:
    rules = "rules: {r: {when: 'True', action: route, targets: [pacs, archive]}}\n"
    drop(tmp_path, "1.1", 2)
    halt = tmp_path / "spool" / "outgoing" / "HALT"
    halt.parent.mkdir()
    halt.touch()
    run_once(tmp_path, HEAD + rules)
    halt.unlink()
    write_rules(tmp_path, (HEAD + rules).replace("archive", "museum"))
    played = run_once(tmp_path)
    assert played.images("pacs") == {"1.1#0": 1, "1.1#1": 1}
    assert played.images("archive") == played.images("museum") == {}
    assert played.images("spool/error") == {"1.1#0": 1, "1.1#1": 1}
    assert played.reasons() == ["target 'archive' is not configured any more"]
    (tags,) = (tmp_path / "spool" / "error").glob("*/1.1#1.tags")
    assert json.loads(tags.read_text())["SOPInstanceUID"] == "1.1.1"


def test_arrivals_do_not_wait_for_a_clock_that_was_set_back(quick_path: Path) -> None:
    account, clock = Account.open(quick_path / "site", studies=2, images=1), Clock()
    clock.ahead = -timedelta(days=3)
    with service_of(account, clock) as service:
        service.run_once()
        assert account.waiting()["incoming"]  # what is dated into the future is dated now
        service.run_once()
    assert account.found()["pacs"] == account.expected()["pacs"]
    account.check()


def test_retries_do_not_wait_for_a_clock_that_was_set_back(tmp_path: Path) -> None:
    rules = HEAD.replace("study_complete_after: 0s", "retry_after: 15m") + (
        "rules: {r: {when: 'True', action: route, targets: [pacs]}}\n"
    )
    clock = Clock()
    drop(tmp_path, "1.1")
    (tmp_path / "pacs").write_text("in the way")
    with open_site(write_rules(tmp_path, rules), *plugins_with(), clock) as site:
        service = Service(site)
        service.run_once()
        assert set(Played(tmp_path).images("spool/outgoing")) == {"1.1#0"}
        (tmp_path / "pacs").unlink()
        clock.ahead = -timedelta(days=3)
        service.run_once()
        clock.ahead += timedelta(minutes=16)
        service.run_once()
    assert set(Played(tmp_path).images("pacs")) == {"1.1#0"}


def test_a_claim_that_failed_does_not_wait_for_a_clock_that_was_set_back(
    quick_path: Path,
) -> None:
    account, clock = Account.open(quick_path / "site", studies=1, images=1), Clock()
    with service_of(account, clock) as service:
        with fault(account.root / "spool" / "outgoing", lambda number: True, failing(errno.EIO)):
            service.run_once()
        assert account.waiting()[".staging"]
        clock.ahead = -timedelta(days=3)
        service.run_once()
        clock.ahead += timedelta(minutes=1)
        service.run_once()
    account.check()


FOLDERS = (
    "incoming",
    "studies",
    "outgoing",
    "processing",
    "success",
    "discard",
    "error",
    "outbox",
    ".staging",
    ".staging/locks",
    ".staging/locks/runs",
    ".",
)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_was_deleted_between_two_passes_is_made_again(
    quick_path: Path, name: str
) -> None:
    account = Account.open(quick_path / "site", studies=0, images=1)
    with service_of(account) as service:
        service.run_once()
        shutil.rmtree(account.root / "spool" / name)
        assert not (account.root / "spool" / name).exists()
        if name != "incoming":
            account = account.with_study(0, images=2)
        service.run_once()
        account = account.with_study(1, images=1)
        service.run_once()
    account.check()


@pytest.mark.parametrize("name", ["outgoing", "processing", "success", "studies", "outbox"])
def test_a_folder_that_is_deleted_in_the_middle_of_a_commit_is_waited_for(
    quick_path: Path, name: str
) -> None:
    """An empty one: what is in it would be deleted with it."""
    account = Account.open(quick_path / "site", studies=1, images=1)
    folder, deleted = account.root / "spool" / name, list[int]()

    def delete(number: int) -> bool:
        try:
            rmdir(folder)
            deleted.append(number)
        except OSError:
            pass  # it is not empty, or not there
        return False

    deleting = fault(account.root, delete)
    with service_of(account) as service, deleting as trap, suppress(MrouteError):
        service.run_once()
    assert len(deleted) > 1, trap.calls
    account.check_intact(name)
    for _ in range(2):
        with open_site(account.root / "mroute.yaml", *account.plugins(), much_later) as site:
            Service(site).run_once()
    account.check(name)


def test_a_spool_may_have_any_name(quick_path: Path) -> None:
    root = quick_path / "Spühl mit Leerzeichen" / "画像 'a\"b' $HOME %s {x}"
    account = Account.open(root, studies=2, images=2)
    with service_of(account) as service:
        service.run_once()
    assert account.left() == []
    account.check()


def arrive(root: Path, series: int, images: int) -> set[str]:
    """Let many small series arrive quickly; returns what their images are."""
    contents = set()
    for number in range(series):
        uid = f"1.{number}"
        folder = root / "spool" / "incoming" / uid
        folder.mkdir(parents=True)
        tags = json.dumps({"SeriesInstanceUID": uid, "Modality": "MR"})
        for image in range(images):
            folder.joinpath(f"{uid}#{image}.dcm").write_text(f"{uid}#{image}")
            folder.joinpath(f"{uid}#{image}.tags").write_text(tags)
            contents.add(f"{uid}#{image}")
    return contents


def check_many(root: Path, series: int, images: int) -> None:
    """Assert that each image of many is at each of three targets, once."""
    rules = """
version: 1
timing: {series_complete_after: 0s}
targets: {a: {type: dummy}, b: {type: dummy}, c: {type: dummy}}
rules:
  one: {when: "tags.Modality == 'MR'", action: route, targets: [a]}
  all: {when: "tags.Modality == 'MR'", action: route, targets: [b, c, a]}
"""
    contents = arrive(root, series, images)
    played = run_once(root, rules)
    found = played.images("spool/success")
    assert set(found) == contents
    assert set(found.values()) == {3}
    assert len(played.facts("task_settled")) == 3 * series
    for place in ("incoming", "outgoing", "error", ".staging", "studies"):
        assert played.images(f"spool/{place}") == {}


@pytest.mark.parametrize("series", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_series_that_wait_at_the_start_all_arrive(quick_path: Path, series: int) -> None:
    check_many(quick_path, series, images=1)
    assert not list((quick_path / "spool" / "incoming").iterdir())


@pytest.mark.parametrize("images", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_series_of_many_images_arrives_at_every_target(quick_path: Path, images: int) -> None:
    check_many(quick_path, 1, images)
    assert len(list((quick_path / "spool" / "success").iterdir())) == 3
