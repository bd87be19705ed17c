"""Routers that are killed at random instants, two of them at once on one spool.

Knows how to start routers cheaply, how a trial goes, and that its seed repeats it as far as two
processes and a clock allow. Does not know where the images belong: the account of the site does.

Run as a program it is the nursery: a process that has loaded everything and waits for orders on its
standard input. ``start`` forks a router and answers with its process id, ``wait`` answers with the
exit code of one. A router that is forked is at work after some 50 ms, one that is started from the
command line after a second.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mroute.service import Service, open_site
from tests.e2e.accounting import Account, much_later
from tests.e2e.sites import later

ROUTERS = 2
LONGEST = 0.4
"""Seconds that routers live at most before one is killed; all is done in about that time."""

_FINISHES = 5
ROOT = Path(__file__).parents[2]


class Nursery:
    """The process that routers are forked from, as the test sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, account: Account, *, once: bool) -> int:
        """Start a router; returns its process id."""
        return int(self._ask(f"start {'once' if once else 'on'} {account.root}"))

    def wait(self, pid: int) -> int:
        """Wait for the end of a router; returns its exit code."""
        return int(self._ask(f"wait {pid}"))

    def _ask(self, order: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery for the trials of a test."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.killing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Nursery(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def try_killing(nursery: Nursery, root: Path, seed: int) -> list[str]:
    """Kill routers at random while they work, then let them finish; returns what happened.

    Series arrive before and between. What is wrong in the end is raised as `AssertionError`.
    """
    chance = random.Random(seed)
    account = Account.open(root, studies=2, images=3)
    story = [f"seed {seed}"]
    living = list[int]()
    for study in range(chance.randint(2, 4)):
        if study:
            account = account.with_study(1 + study, images=2)
        living += [nursery.start(account, once=False) for _ in range(ROUTERS - len(living))]
        instant = chance.uniform(0.03, LONGEST)
        time.sleep(instant)
        dying = chance.sample(living, chance.randint(1, len(living)))
        for pid in dying:
            os.kill(pid, signal.SIGKILL)
        codes = [nursery.wait(pid) for pid in dying]
        living = [pid for pid in living if pid not in dying]
        story.append(f"killed {len(dying)} of {ROUTERS} after {instant:.3f} s: {codes}")
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        nursery.wait(pid)
    story.append(f"all are dead: {account.waiting()}")
    assert account.present() >= account.images(), story
    for _ in range(_FINISHES):
        last = [nursery.start(account, once=True) for _ in range(ROUTERS)]
        codes = [nursery.wait(pid) for pid in last]
        story.append(f"finished with {codes}: {account.waiting()}")
        if not account.left():
            break
    account.check("\n".join(story))
    return story


def serve() -> None:
    """Be the nursery, once everything that a router needs was loaded and used."""
    with TemporaryDirectory() as folder:
        account = Account.open(Path(folder) / "site", studies=1, images=1)
        sys.stdout = sys.stderr = io.StringIO()
        _route(account.root, once=True)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    for line in sys.stdin:
        order, *details = line.split(maxsplit=2)
        if order == "start":
            answer = _fork(Path(details[1].strip()), once=details[0] == "once")
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(int(details[0]), 0)[1])
        print(answer, flush=True)  # noqa: T201


def _fork(root: Path, *, once: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        log = os.open(root.with_name(f"{root.name}.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _route(root, once=once)
        code = 0
    finally:
        os._exit(code)


def _route(root: Path, *, once: bool) -> None:
    hooks, registry = Account(root, {}).plugins()
    clock = much_later if once else later
    with open_site(root / "mroute.yaml", hooks, registry, clock) as site:
        service = Service(site)
        service.run_once() if once else service.run()


if __name__ == "__main__":
    serve()
