"""What root has left in the spool of somebody else: found by its bits, by root as well.

Knows how a test gives files to users; that takes root.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from mroute.doctor.finding import Finding, State
from mroute.doctor.owners import Worker, check_owners, worker_of
from mroute.spool.layout import Spool
from mroute.spool.upkeep.entries import Entry, entries

USER, OTHER = 54_321, 54_322
"""Users that the system does not know."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def theirs(spool: Spool) -> Spool:
    """A spool with a task, all of it of a user."""
    task = spool.queue("outgoing") / "t1"
    task.mkdir()
    (task / "1.dcm").touch()
    give(USER, spool.root, *spool.root.rglob("*"))
    return spool


def give(user: int, *paths: Path) -> None:
    for path in paths:
        os.chown(path, user, user, follow_symlinks=False)


def one(spool: Spool) -> Finding:
    (found,) = check_owners(spool)
    return found


def test_a_spool_of_one_user_is_fine(theirs: Spool) -> None:
    assert one(theirs) == Finding(State.OK, f"'user {USER}' can move all that is in the spool")
    assert list(check_owners(Spool(theirs.root / "gone"))) == []


def test_a_spool_of_root_is_fine(spool: Spool) -> None:
    assert one(spool).state is State.OK


def test_what_root_has_made_is_told_of(theirs: Spool) -> None:
    task = theirs.queue("outgoing") / "t2"
    task.mkdir(0o755)
    (task / "1.dcm").touch()
    found = one(theirs)
    assert found.state is State.PROBLEM
    assert found.said.startswith(
        f"'user {USER}' cannot move or read 2 files and folders of root, such as '{task}'"
    )
    assert found.advice == f"run 'chown -R --reference={theirs.root} {theirs.root}' as root"
    give(USER, task, task / "1.dcm")
    assert one(theirs).state is State.OK


def test_a_file_of_root_in_a_folder_of_the_user_is_renamed_and_may_have_to_be_read(
    theirs: Spool,
) -> None:
    image = theirs.queue("outgoing") / "t1" / "2.dcm"
    image.touch(0o644)
    assert one(theirs).state is State.OK
    image.chmod(0o600)
    assert one(theirs).said.count("1 files and folders of root") == 1


def test_a_lock_of_root_cannot_be_taken(theirs: Spool) -> None:
    lock = theirs.locks / "runs.lock"
    lock.touch(0o644)
    lock.chmod(0o644)
    assert f"such as '{lock}'" in one(theirs).said
    lock.chmod(0o646)
    assert one(theirs).state is State.OK


def test_a_group_may_be_what_lets_the_user(theirs: Spool) -> None:
    task = theirs.queue("outgoing") / "t2"
    task.mkdir()
    task.chmod(0o770)
    os.chown(task, OTHER, USER)  # the group of the spool, of which nothing else is known
    assert one(theirs).state is State.OK
    task.chmod(0o750)
    assert one(theirs).state is State.PROBLEM


def test_where_everybody_writes_only_the_owner_renames(theirs: Spool) -> None:
    shared = theirs.queue("outgoing")
    give(OTHER, shared)
    shared.chmod(0o1777)
    (shared / "file").touch(0o644)
    assert f"'{shared / 'file'}'" in one(theirs).said
    shared.chmod(0o777)
    assert one(theirs).state is State.OK


def test_the_bits_mean_what_they_mean_to_the_kernel(open_folder: Path) -> None:
    """A process of the user tries to rename each thing into another folder, and to read it."""
    there = open_folder / "there"
    there.mkdir()
    give(USER, there)
    planted = [
        planted_entry(open_folder / str(number), *each)
        for number, each in enumerate(
            product((USER, OTHER), (USER, OTHER), (0o755, 0o775, 0o777, 0o1777), (USER, OTHER))
        )
    ]
    worker = Worker(USER, frozenset({USER}))
    said = [
        [worker.may_rename(each), worker.may_use(each, open_folder / "locks")]
        for several in planted
        for each in several
    ]
    paths = [str(each.path) for several in planted for each in several]
    tried = subprocess.run(
        [sys.executable, "-c", TRY, str(USER)],
        input=json.dumps([str(there / "name"), *paths]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert dict(zip(paths, json.loads(tried.stdout), strict=True)) == dict(
        zip(paths, said, strict=True)
    )
    assert {tuple(each) for each in said} == set(product((True, False), repeat=2))


TRY = """
import json, os, sys

user = int(sys.argv[1])
os.setgroups([])
os.setgid(user)
os.setuid(user)

def can_rename(path):
    try:
        os.rename(path, name)
        os.rename(name, path)
    except PermissionError:
        return False
    return True

def can_use(path):
    try:
        if os.path.isdir(path):
            os.stat(path + "/.")
            os.listdir(path)
        else:
            open(path).close()
    except PermissionError:
        return False
    return True

name, *paths = json.load(sys.stdin)
print(json.dumps([[can_rename(path), can_use(path)] for path in paths]))
"""


def planted_entry(folder: Path, owner: int, group: int, mode: int, of: int) -> list[Entry]:
    """Files and folders of a user in a folder of a user, with some modes."""
    folder.mkdir()
    paths = []
    for bits in (0o600, 0o644, 0o700, 0o755, 0o770, 0o777):
        path = folder / oct(bits)
        path.mkdir() if bits & 0o100 else path.touch()
        os.chown(path, of, USER)
        path.chmod(bits)
        paths.append(path)
    os.chown(folder, owner, group)
    folder.chmod(mode)
    return [Entry(path, path.lstat(), folder.stat()) for path in paths]


def test_another_user_is_the_one_who_asks(theirs: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_of(theirs.root) == Worker(USER, frozenset({USER}))
    monkeypatch.setattr(os, "geteuid", lambda: OTHER)
    monkeypatch.setattr(os, "getegid", lambda: 7)
    monkeypatch.setattr(os, "getgroups", lambda: [8])
    assert worker_of(theirs.root) == Worker(OTHER, frozenset({7, 8}))
    assert one(theirs).state is State.PROBLEM


def test_links_are_moved_as_they_are_and_followed_to_the_disk_of_a_queue(
    theirs: Spool, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    (disk / "t3").mkdir(parents=True)
    give(USER, disk)
    theirs.queue("success").rmdir()
    theirs.queue("success").symlink_to(disk)
    inside = theirs.queue("success") / "t3"
    assert f"such as '{inside}'" in one(theirs).said
    give(USER, disk / "t3")
    (disk / "t3" / "away").symlink_to("/etc")
    assert one(theirs).state is State.OK
    names = [each.path.name for each in entries(theirs.root)]
    assert "away" in names
    assert "passwd" not in names
