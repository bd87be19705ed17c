"""Whether what is in the spool can be moved on by whoever works on it.

Knows what a `mroute run` by another user, root say, leaves behind. It asks the bits of the mode, so
that root finds it as well, whom nothing forbids. Does not know access control lists.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mroute.doctor.finding import Finding, command, ok, problem
from mroute.spool.layout import Spool
from mroute.spool.upkeep.entries import Entry, entries

_ROOT = 0
_READ, _WRITE, _ENTER = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Worker:
    """A user who works on a spool."""

    uid: int
    groups: frozenset[int]

    def may(self, status: os.stat_result, bits: int) -> bool:
        """Whether the mode of a file or folder lets the user do all of ``bits``."""
        if self.uid == _ROOT:
            return True
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid in self.groups else 0
        return (status.st_mode >> shift) & bits == bits

    def may_rename(self, entry: Entry) -> bool:
        """Whether the user can give an entry another name, in another folder too (rename(2))."""
        owners = (_ROOT, entry.folder.st_uid, entry.status.st_uid)
        if entry.folder.st_mode & stat.S_ISVTX and self.uid not in owners:
            return False
        # Of a folder that is moved its '..' changes, so it is written itself.
        moved = not stat.S_ISDIR(entry.status.st_mode) or self.may(entry.status, _WRITE)
        return moved and self.may(entry.folder, _WRITE | _ENTER)

    def may_use(self, entry: Entry, locks: Path) -> bool:
        """Whether the user can look into an entry, and take it where it is a lock."""
        if stat.S_ISLNK(entry.status.st_mode):
            return True
        more = _ENTER if stat.S_ISDIR(entry.status.st_mode) else 0
        if entry.path.is_relative_to(locks):
            more |= _WRITE
        return self.may(entry.status, _READ | more)


def worker_of(root: Path) -> Worker:
    """Whoever works on the spool at ``root``: this user, or for root the one whose spool it is."""
    uid = os.geteuid()
    if uid != _ROOT:
        return Worker(uid, frozenset({os.getegid(), *os.getgroups()}))
    status = root.stat()
    try:
        account = pwd.getpwuid(status.st_uid)
        groups = frozenset(os.getgrouplist(account.pw_name, account.pw_gid))
    except KeyError:  # the system does not know the owner
        groups = frozenset({status.st_gid})
    return Worker(status.st_uid, groups)


def check_owners(spool: Spool) -> Iterator[Finding]:
    """What belongs to somebody else, and cannot be renamed or read by whoever works on it."""
    if not spool.root.exists():
        return
    worker = worker_of(spool.root)
    user = _name_of(worker.uid)
    stuck = [
        each
        for each in entries(spool.root)
        if each.status.st_uid != worker.uid
        and not (worker.may_rename(each) and worker.may_use(each, spool.locks))
    ]
    if not stuck:
        yield ok(f"'{user}' can move all that is in the spool")
        return
    owners = {each.status.st_uid for each in stuck}
    yield problem(
        f"'{user}' cannot move or read {len(stuck)} files and folders of "
        f"{', '.join(_name_of(uid) for uid in sorted(owners))}, such as '{stuck[0].path}'; "
        "a 'mroute run' of that user has made them, say",
        f"run {command('chown', '-R', f'--reference={spool.root}', spool.root)} as root",
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
