"""A commit that is interrupted at each of its calls, and carried on: everything once.

Knows what a plan must come to, whatever happens on the way. Does not know how a commit goes about
it. That these tests can fail is tested too: with mistakes put into the commit on purpose.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from mroute.models import Durability
from mroute.spool.commit import Commit
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.manifest import Manifest
from mroute.types import Plan, Series
from tests.faults import LATE, Killed, Short, every, failing, fault, reaching
from tests.unit.spool.commits import (
    MakePlan,
    everything,
    images_by_place,
    one_task,
    route_all,
    route_plan,
    work,
)
from tests.unit.spool.conftest import UID, drop_series, left_in_staging

CODES = (errno.ENOSPC, errno.EACCES, errno.EIO, errno.EXDEV, errno.EMFILE, errno.EROFS)
IMAGES = Counter(f"{UID}#{number}.dcm" for number in range(2))
THREE = Counter(dict.fromkeys(IMAGES, 3))


def name_of(code: int) -> str:
    return errno.errorcode[code]


def two_tasks(series: Series) -> Plan:
    return Plan((route_plan(), route_plan(key="archive")))


EXPECTED: dict[MakePlan, dict[str, Counter[str]]] = {
    one_task: {"success": IMAGES},
    two_tasks: {"success": Counter(dict.fromkeys(IMAGES, 2))},
    everything: {"success": THREE, "studies": IMAGES},
}
CHANGES_OF: dict[MakePlan, int] = {one_task: 8, two_tasks: 25, everything: 50}
"""Changes that the commit of a plan makes at least."""


class Trial:
    """One spool after the other, each with a fresh series, in the same folder."""

    def __init__(self, root: Path, make_plan: MakePlan, durability: Durability) -> None:
        self.root = root
        self.make_plan = make_plan
        self.runs = 0
        self._files = Files(durability)
        self._spool = Spool(root / "spool")

    def begin(self) -> None:
        """Start over with a new series."""
        shutil.rmtree(self._spool.root, ignore_errors=True)
        self._spool.prepare(["outgoing", "processing"])
        (self._spool.root / "delivered").mkdir()
        drop_series(self._spool, images=len(IMAGES))

    def run(self) -> None:
        """Commit what there is to commit."""
        self.runs += 1
        route_all(self._spool, self._files, self.make_plan)

    def check_intact(self, why: str) -> None:
        """Assert that every image is there, and every task that can be seen is whole."""
        present = {path.name: path.stat().st_size for path in self.root.rglob("*.dcm")}
        assert set(present) >= set(IMAGES), f"lost: {why}"
        for queue in ("outgoing", "processing"):
            for task in self._spool.queue(queue).iterdir():
                if not task.name.startswith("."):
                    assert {each.name for each in task.glob("*.dcm")} == set(IMAGES), why
                    assert (task / "task.json").stat().st_size, why

    def check(self, why: str) -> None:
        """Let workers that were fast see it all, commit again, and assert the end."""
        work(self._spool)
        self.run()
        work(self._spool)
        assert images_by_place(self._spool) == EXPECTED[self.make_plan], why
        contents = {path.read_bytes() for path in self.root.rglob("*.dcm")}
        assert contents == {f"image {n} of {UID}".encode() for n in range(len(IMAGES))}, why
        plan = self.make_plan(Series("1", {"StudyInstanceUID": "1.2.3"}, (), "0" * 32))
        assert len(list(self._spool.queue("success").iterdir())) == len(plan.tasks), why
        assert len(list((self._spool.root / "delivered").iterdir())) == len(plan.deliveries), why
        assert left_in_staging(self._spool) == [], why


def kill_everywhere(trial: Trial, *, power: bool = False) -> None:
    """Kill the commit at each of its changes, or let the power go there, and check the end."""
    at, hit = 0, "the first"
    while hit:
        trial.begin()
        with fault(trial.root, at) as trap, suppress(Killed):
            trial.run()
        if power:
            trap.lose_unflushed()
        hit, at = trap.hit, at + 1
        trial.check_intact(hit)
        trial.check(hit)
    assert at > CHANGES_OF[trial.make_plan], "the commit made fewer changes than it must"


def fail_everywhere(trial: Trial, code: int, *, after: bool) -> None:
    """Let each call of the commit that can fail with ``code`` do so, and check the end."""
    at, hit = 0, "the first"
    while hit:
        trial.begin()
        failure = fault(trial.root, at, failing(code), of=reaching(code), after=after)
        with failure as caught, suppress(OSError):
            trial.run()
        hit, at = caught.hit, at + 1
        trial.check_intact(hit)
        trial.check(hit)
    assert at > 3, "the faults did not reach the commit"


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
@pytest.mark.parametrize("make_plan", EXPECTED, ids=lambda plan: plan.__name__)
def test_a_commit_that_ends_anywhere_is_carried_on(
    quick_path: Path, make_plan: MakePlan, power: bool
) -> None:
    durability = Durability.POWER if power else Durability.PROCESS
    trial = Trial(quick_path, make_plan, durability)
    kill_everywhere(trial, power=power)
    assert trial.runs > 2 * CHANGES_OF[make_plan]


@pytest.mark.parametrize(
    ("code", "after"),
    [*((code, False) for code in CODES), *((code, True) for code in LATE)],
    ids=lambda each: ("took effect" if each else "before") if each in (0, 1) else name_of(each),
)
@pytest.mark.parametrize("make_plan", [one_task, everything], ids=lambda plan: plan.__name__)
def test_a_call_that_fails_anywhere_is_made_again(
    quick_path: Path, make_plan: MakePlan, code: int, after: bool
) -> None:
    trial = Trial(quick_path, make_plan, Durability.POWER)
    fail_everywhere(trial, code, after=after)
    assert trial.runs > 6


def test_short_writes_and_short_copies_are_completed(quick_path: Path) -> None:
    trial = Trial(quick_path, everything, Durability.POWER)
    trial.begin()
    with fault(trial.root, every, Short, of={"write", "copy_file_range"}) as trap:
        trial.run()
    assert trap.seen > 30
    trial.check("all writes were short")


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK], ids=name_of)
def test_images_are_copied_where_no_link_can_be_made(quick_path: Path, code: int) -> None:
    trial = Trial(quick_path, everything, Durability.POWER)
    trial.begin()
    with fault(trial.root, every, failing(code), of={"link"}) as trap:
        trial.run()
    assert trap.seen > 3 * len(IMAGES)
    trial.check("no link was made")


# What the tests above are worth: each of these mistakes must be found by one of them.


def release_first(patch: pytest.MonkeyPatch) -> None:
    """The manifest goes before everything was published."""

    def carry_out(self: Commit) -> Manifest:
        manifest = Manifest.from_json(json.loads(self._manifest.read_bytes()))
        self._manifest.unlink()
        self._files.flush_folders(self._publish(manifest))
        self._claim.release()
        return manifest

    patch.setattr(Commit, "carry_out", carry_out)


def plan_again(patch: pytest.MonkeyPatch) -> None:
    """The manifest of a process that died is not carried out, but made again."""
    patch.setattr(Commit, "begun", False)


def forget_to_flush(patch: pytest.MonkeyPatch) -> None:
    """Files are renamed into place before their content is on disk."""
    patch.setattr(Files, "_flush", lambda self, descriptor: None)


def ignore_links(patch: pytest.MonkeyPatch) -> None:
    """A link that cannot be made is passed over."""

    def take_all(
        self: Files, source: Path, destination: Path, names: Iterable[tuple[str, str]], copy: bool
    ) -> None:
        for pair in names:
            with suppress(OSError):
                take_all_rightly(self, source, destination, [pair], copy)

    take_all_rightly = Files.take_all
    patch.setattr(Files, "take_all", take_all)


def write_in_place(patch: pytest.MonkeyPatch) -> None:
    """Files are written under the names that they have in the end."""

    def write(self: Files, path: Path, content: bytes) -> None:
        path.write_bytes(content)

    patch.setattr(Files, "write_unflushed", write)


def delete_on_failure(patch: pytest.MonkeyPatch) -> None:
    """A claim whose rename failed is removed with all in it, although the rename took effect."""
    patch.setattr(Path, "rmdir", shutil.rmtree)


def publish_twice(patch: pytest.MonkeyPatch) -> None:
    """What is published stays in the claim as well, and is published again by the next."""

    def move(self: Files, source: Path, destination: Path) -> None:
        if source.exists():
            shutil.copytree(source, destination)

    patch.setattr(Files, "move_folder_unflushed", move)


KILLED, POWER_LOST, FAILED, TOOK_EFFECT = (
    kill_everywhere,
    partial(kill_everywhere, power=True),
    partial(fail_everywhere, code=errno.EIO, after=False),
    partial(fail_everywhere, code=errno.EIO, after=True),
)


@pytest.mark.parametrize(
    ("mistake", "found_by", "saying"),
    [
        (release_first, KILLED, "not empty"),
        (plan_again, KILLED, "not empty"),
        (publish_twice, KILLED, "create /spool/outgoing"),
        (forget_to_flush, POWER_LOST, "Expecting value"),
        (write_in_place, POWER_LOST, "Expecting value"),
        (ignore_links, FAILED, "link /"),
        (delete_on_failure, TOOK_EFFECT, "lost: rename /spool/incoming"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_mistake_in_the_commit_is_found(
    quick_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mistake: Callable[[pytest.MonkeyPatch], None],
    found_by: Callable[[Trial], None],
    saying: str,
) -> None:
    trial = Trial(quick_path, everything, Durability.POWER)
    mistake(monkeypatch)
    with pytest.raises((AssertionError, OSError, ValueError), match=saying):
        found_by(trial)
    monkeypatch.undo()
    trial.begin()
    trial.run()
    trial.check("without the mistake")
