"""Which targets may be sent to: halted, down and busy ones must wait, and nothing else does."""

from __future__ import annotations

import errno
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mroute.models import Durability, TargetBase
from mroute.spool import targets as module
from mroute.spool.files import Files
from mroute.spool.layout import HALTED_SUFFIX, Spool
from mroute.spool.locks import Lock, try_lock
from mroute.spool.targets import Admission, Targets, try_target_now

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LEAST, LONGEST = timedelta(seconds=15), timedelta(minutes=15)


class Middle(random.Random):
    """No jitter: the longest wait that there can be."""

    def uniform(self, a: float, b: float) -> float:
        return b


def targets_on(spool: Spool) -> Targets:
    return Targets(spool, Files(Durability.PROCESS), Middle())


def pacs(**fields: object) -> TargetBase:
    return TargetBase.model_validate({"type": "dicom", **fields})


def admit(
    targets: Targets, *pending: str, now: datetime = NOW, **configured: TargetBase
) -> Admission | None:
    return targets.admit(pending, configured, now, LONGEST)


def down(targets: Targets, target: TargetBase, now: datetime = NOW) -> bool:
    return targets.went_down("pacs", target, "refused", now, LEAST, LONGEST)


def test_a_task_goes_where_it_may(spool: Spool) -> None:
    targets, target = targets_on(spool), pacs()
    admission = admit(targets, "pacs", "archive", pacs=target, archive=target)
    assert admission is not None
    assert admission.takes == {"pacs": "pacs", "archive": "archive"}


def test_a_task_without_targets_or_with_one_that_is_gone_waits_for_none(spool: Spool) -> None:
    targets = targets_on(spool)
    assert admit(targets) == Admission()
    gone = admit(targets, "gone")
    assert gone is not None
    assert gone.takes == {"gone": "gone"}


def test_so_many_at_once_by_all_routers(spool: Spool) -> None:
    target = pacs(concurrency=2)
    mine, others = targets_on(spool), targets_on(spool)
    first, second = admit(mine, "pacs", pacs=target), admit(others, "pacs", pacs=target)
    assert first is not None
    assert second is not None
    assert admit(mine, "pacs", pacs=target) is None
    second.release()
    assert admit(mine, "pacs", pacs=target) is not None


def test_one_that_is_busy_keeps_no_other_from_its_images(spool: Spool) -> None:
    targets, target = targets_on(spool), pacs(concurrency=1)
    holding = admit(targets, "pacs", pacs=target)
    admission = admit(targets, "pacs", "archive", pacs=target, archive=target)
    assert holding is not None
    assert admission is not None
    assert admission.takes == {"archive": "archive"}


def test_one_that_is_halted_waits(spool: Spool) -> None:
    targets, target = targets_on(spool), pacs()
    halt = spool.target_file("pacs", HALTED_SUFFIX)
    halt.touch()
    assert admit(targets, "pacs", pacs=target) is None
    halt.unlink()
    assert admit(targets, "pacs", pacs=target) is not None


def test_a_name_that_is_no_path_is_no_way_out_of_the_folder(spool: Spool) -> None:
    for name in ("../../evil", "a/b", "..", "a b#c"):
        assert spool.target_file(name, ".json").parent == spool.targets


def test_one_that_is_down_is_tried_by_one_task_and_then_by_all(spool: Spool) -> None:
    targets, target = targets_on(spool), pacs()
    assert down(targets, target) is True
    assert down(targets, target, NOW + timedelta(seconds=1)) is False
    assert admit(targets, "pacs", now=NOW + timedelta(seconds=29), pacs=target) is None
    later = NOW + timedelta(seconds=31)
    probe = admit(targets, "pacs", now=later, pacs=target)
    assert probe is not None
    assert admit(targets, "pacs", now=later, pacs=target) is None
    assert targets.came_up("pacs", target, later) == timedelta(seconds=31)
    probe.release()
    both = [admit(targets, "pacs", now=later, pacs=target) for _ in range(2)]
    assert None not in both
    assert targets.health("pacs", target).up_since == later
    assert targets.came_up("pacs", target, later) is None


def test_the_time_between_two_tries_doubles_up_to_the_longest(spool: Spool) -> None:
    targets, target, waits = targets_on(spool), pacs(), []
    for _ in range(9):
        down(targets, target)
        probe_at = targets.health("pacs", target).probe_at
        assert probe_at is not None
        waits.append((probe_at - NOW).total_seconds())
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_the_time_is_jittered(spool: Spool) -> None:
    targets = Targets(spool, Files(Durability.PROCESS), random.Random(7))
    waits = set()
    for number in range(20):
        targets.went_down(str(number), pacs(), "refused", NOW, LEAST, LONGEST)
        probe_at = targets.health(str(number), pacs()).probe_at
        assert probe_at is not None
        waits.add((probe_at - NOW).total_seconds())
    assert len(waits) == 20
    assert all(7.5 <= wait <= 15 for wait in waits)


def test_another_router_knows_and_a_restart_remembers(spool: Spool) -> None:
    down(targets_on(spool), pacs())
    assert admit(targets_on(spool), "pacs", pacs=pacs()) is None


def test_one_that_is_configured_otherwise_now_is_tried_at_once(spool: Spool) -> None:
    targets = targets_on(spool)
    down(targets, pacs())
    assert admit(targets, "pacs", pacs=pacs(comment="another port")) is not None


def test_an_administrator_has_it_tried_at_once(spool: Spool) -> None:
    targets = targets_on(spool)
    down(targets, pacs())
    try_target_now(spool, "pacs")
    try_target_now(spool, "pacs")
    assert admit(targets, "pacs", pacs=pacs()) is not None


def test_a_clock_that_was_set_back_is_not_waited_for(spool: Spool) -> None:
    targets, target = targets_on(spool), pacs()
    down(targets, target, NOW + timedelta(days=400))
    assert admit(targets, "pacs", pacs=target) is not None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"of": 1}', b"\xff"])
def test_a_damaged_memory_is_none(spool: Spool, content: bytes) -> None:
    spool.target_file("pacs", ".json").write_bytes(content)
    assert admit(targets_on(spool), "pacs", pacs=pacs()) is not None


def test_the_alternate_is_there_for_one_that_stays_down(spool: Spool) -> None:
    targets = targets_on(spool)
    target, other = pacs(alternate="other", alternate_after="30m"), pacs()
    down(targets, target)
    before, after = NOW + timedelta(minutes=29), NOW + timedelta(minutes=30)
    down(targets, target, before)
    assert admit(targets, "pacs", now=before, pacs=target, other=other) is None
    admission = admit(targets, "pacs", "other", now=after, pacs=target, other=other)
    assert admission is not None
    assert admission.takes == {"pacs": "other", "other": "other"}
    admission.release()
    targets.came_up("pacs", target, after)
    back = admit(targets, "pacs", now=after, pacs=target, other=other)
    assert back is not None
    assert back.takes == {"pacs": "pacs"}


def test_so_many_images_a_minute(spool: Spool) -> None:
    targets, target = targets_on(spool), pacs(images_per_minute=60)
    targets.spend("pacs", target, 30, NOW)
    assert admit(targets, "pacs", now=NOW + timedelta(seconds=29), pacs=target) is None
    assert admit(targets, "pacs", now=NOW + timedelta(seconds=30), pacs=target) is not None
    free = pacs()
    targets.spend("free", free, 10**9, NOW)
    assert admit(targets, "free", free=free) is not None


def test_an_error_leaves_no_place_taken(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    targets, target = targets_on(spool), pacs(concurrency=1)
    down(targets, target)
    later = NOW + timedelta(minutes=1)

    def fail(path: Path) -> Lock | None:
        if path.name == "pacs.0":
            raise OSError(errno.EMFILE, "Too many open files")
        return try_lock(path)

    with monkeypatch.context() as broken:
        broken.setattr(module, "try_lock", fail)
        with pytest.raises(OSError, match="Too many open files") as raised:
            admit(targets, "other", "pacs", now=later, other=target, pacs=target)
    assert raised.value.errno == errno.EMFILE  # it is kept, and with it all that it refers to
    admission = admit(targets, "other", "pacs", now=later, other=target, pacs=target)
    assert admission is not None
    assert admission.takes == {"other": "other", "pacs": "pacs"}
