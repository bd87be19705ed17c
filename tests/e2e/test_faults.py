"""Faults in a whole site: whatever fails, every image is accounted for.

Knows what can go wrong around a router and what must hold afterwards. Does not know which
operations a router is made of: the fault layer counts them.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import pytest

from mroute.errors import MrouteError
from mroute.service import Service, open_site
from mroute.types import Clock
from tests.e2e.accounting import Account, much_later
from tests.e2e.sites import later
from tests.faults import (
    CHANGES,
    EVERYTHING,
    LATE,
    Killed,
    Short,
    Trap,
    every,
    failing,
    fault,
    reaching,
)

CODES = (errno.ENOSPC, errno.EACCES, errno.EIO, errno.EXDEV, errno.EMFILE, errno.EROFS)
SPACING = 61
"""Calls from one that fails to the next, in one run: so few runs let every call fail once."""

_PASSES = 30
_NO_SHORTAGE = (errno.EIO, errno.EACCES)


class Trial:
    """One site after the other, each fresh, in the same folder."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "site"
        self.account = Account.open(self._root, studies=1, images=1)
        self._plugins = self.account.plugins()

    def begin(self) -> None:
        """Start over with new series."""
        shutil.rmtree(self._root)
        self.account.heard.unlink(missing_ok=True)
        self.account = Account.open(self._root, studies=1, images=1)

    def run(self, clock: Clock = later, passes: int = 1) -> None:
        """Run routers, one after the other, until one finds nothing that fails."""
        for _ in range(passes):
            with suppress(MrouteError, OSError):
                with open_site(self._root / "mroute.yaml", *self._plugins, clock) as site:
                    Service(site).run_once()
                return

    def run_under(self, of: Collection[str], error: Callable[[], BaseException]) -> Trap:
        """Run a router, and let every call ``of`` a kind go wrong once it has begun."""
        with open_site(self._root / "mroute.yaml", *self._plugins, later) as site:
            service = Service(site)
            with fault(self._root, every, error, of=of) as trap, suppress(MrouteError):
                service.run_once()
        return trap

    def finish(self) -> None:
        """Run without faults; once more where a study was not complete before its last series."""
        for _ in range(2):
            if not self.account.left():
                break
            with open_site(self._root / "mroute.yaml", *self._plugins, much_later) as site:
                Service(site).run_once()


@pytest.fixture
def trial(quick_path: Path) -> Trial:
    return Trial(quick_path)


def name_of(code: int) -> str:
    return errno.errorcode[code]


def try_failing(trial: Trial, code: int, first: int, after: bool) -> None:
    """Let calls fail from number ``first`` on, then let nothing fail, and check the account."""
    trial.begin()
    root = trial.account.root

    def fails(number: int) -> bool:
        return number % SPACING == first

    with fault(root, fails, failing(code), of=reaching(code), after=after) as trap:
        trial.run(passes=_PASSES)
    why = f"{name_of(code)} {first}, after: {after}, the last at: {trap.hit}"
    trial.account.check_intact(why)
    trial.finish()
    reasons = trial.account.reasons()
    for reason in reasons:
        assert os.strerror(code) in reason, why
        # A file that cannot be read may never be, and a module cannot say why it failed.
        assert code in _NO_SHORTAGE or reason.startswith("module 'copy' failed: "), (why, reason)
    if reasons:
        trial.account.check_intact(why)
    else:
        trial.account.check(why)


@pytest.mark.parametrize("code", CODES, ids=name_of)
def test_what_fails_is_tried_again_or_in_error_with_the_reason(trial: Trial, code: int) -> None:
    for first in range(0, SPACING, 10):
        try_failing(trial, code, first, after=code in LATE and first % 4 != 0)
    assert first > SPACING // 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "after"), [*((code, False) for code in CODES), *((code, True) for code in LATE)]
)
def test_every_call_can_fail(trial: Trial, code: int, after: bool) -> None:
    for first in range(SPACING):
        try_failing(trial, code, first, after)
    assert first == SPACING - 1


def try_killing(trial: Trial, at: int, *, power: bool) -> Trap:
    """Kill a router at a change, or let the power go there, and check the account."""
    trial.begin()
    with fault(trial.account.root, at) as trap, suppress(Killed):
        trial.run()
    if power:
        trap.lose_unflushed()
    why = f"killed at {at}: {trap.hit}, power lost: {power}"
    trial.account.check_intact(why)
    trial.finish()
    trial.account.check(why)
    return trap


@pytest.mark.parametrize("power", [False, True])
def test_a_router_that_is_killed_at_a_change_is_carried_on(trial: Trial, power: bool) -> None:
    at, trap = 0, None
    while trap is None or trap.hit:
        trap = try_killing(trial, at, power=power)
        at += 29
    assert at > 300, "the router made fewer changes than it must"


@pytest.mark.slow
@pytest.mark.parametrize("power", [False, True])
def test_a_router_can_be_killed_at_every_change(trial: Trial, power: bool) -> None:
    at, trap = 0, None
    while trap is None or trap.hit:
        trap = try_killing(trial, at, power=power)
        at += 1
    assert at > 300, "the router made fewer changes than it must"


def test_short_writes_are_completed(trial: Trial) -> None:
    trap = trial.run_under({"write", "copy_file_range"}, Short)
    assert trap.seen > 50
    trial.finish()
    trial.account.check()


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM], ids=name_of)
def test_a_file_system_without_links_gets_copies(trial: Trial, code: int) -> None:
    trap = trial.run_under({"link"}, failing(code))
    assert trap.seen > 3
    trial.finish()
    trial.account.check()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EXDEV, errno.EPERM], ids=name_of)
def test_where_no_rename_is_allowed_everything_stays_where_it_was(trial: Trial, code: int) -> None:
    trap = trial.run_under({"rename", "replace"}, failing(code))
    assert trap.seen > 3
    assert len(list((trial.account.root / "spool" / "incoming").rglob("*.dcm"))) == 5
    trial.finish()
    trial.account.check()


@pytest.mark.parametrize("of", [EVERYTHING, CHANGES], ids=["nothing", "no change"])
def test_where_nothing_works_nothing_is_lost(trial: Trial, of: Collection[str]) -> None:
    with suppress(OSError):
        trial.run_under(of, failing(errno.EIO))
    trial.account.check_intact("nothing works")
    trial.finish()
    trial.account.check()
