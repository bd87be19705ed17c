"""Random histories of collecting studies: arrivals, pauses, kills, two routers, edits, and by hand.

Knows what can happen to a site. What must have become of every image knows the history
(`tests.e2e.histories`).
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mroute.errors import RedriveError
from mroute.models import Durability
from mroute.spool.amending import force_study
from mroute.spool.files import Files
from tests.e2e.histories import CONDITIONS, History, Policy, Router
from tests.faults import Killed, fault

EXAMPLES = 500
STEPS = 25
_MEMORY = Path("/dev/shm")

POLICIES = st.builds(
    Policy,
    st.sampled_from(["new", "follow", "hold"]),
    st.sampled_from(["discard", "proceed", "ignore", "error"]),
)
LETTERS = "".join(CONDITIONS)


class Studies(RuleBasedStateMachine):
    """Two routers and a person at a site."""

    def __init__(self) -> None:
        super().__init__()
        where = _MEMORY if _MEMORY.is_dir() else None
        self.root = Path(tempfile.mkdtemp(dir=where))

    @initialize(policies=st.tuples(*[POLICIES] * len(LETTERS)))
    def begin(self, policies: tuple[Policy, ...]) -> None:
        self.history = History(self.root, dict(zip(LETTERS, policies, strict=True)))
        self.routers = [Router(self.history), Router(self.history)]

    @rule(
        study=st.sampled_from(["9.1", "9.2"]),
        letters=st.sets(st.sampled_from(LETTERS), max_size=2),
        description=st.sampled_from(["T1", "T2", "T3", "T4"]),
        images=st.integers(1, 2),
    )
    def arrive(self, study: str, letters: set[str], description: str, images: int) -> None:
        self.history.arrive(study, "".join(sorted(letters)), description, images)

    @rule(which=st.integers(0, 1))
    def route(self, which: int) -> None:
        self.routers[which].route()
        assert self.history.faults == []

    @rule(which=st.integers(0, 1), call=st.integers(0, 250), after=st.booleans())
    def kill(self, which: int, call: int, after: bool) -> None:
        """A router dies in the middle of a pass; another one is started."""
        with suppress(Killed), fault(self.root, call, after=after):
            self.routers[which].route()
        self.restart(which)

    @rule(which=st.integers(0, 1))
    def restart(self, which: int) -> None:
        self.routers[which].stop()
        self.routers[which] = Router(self.history)
        self.history.look()
        assert self.history.faults == []

    @rule(minutes=st.sampled_from([2, 5, 9, 11, 30, 70, 130]))
    def pause(self, minutes: int) -> None:
        self.history.move(timedelta(minutes=minutes))

    @rule(minutes=st.sampled_from([1, 15, 300]))
    def set_the_clock_back(self, minutes: int) -> None:
        self.history.move(-timedelta(minutes=minutes))

    @precondition(lambda self: self.history.collecting())
    @rule(data=st.data(), by_file=st.booleans())
    def complete_by_hand(self, data: st.DataObject, by_file: bool) -> None:
        history = self.history
        name = data.draw(st.sampled_from(history.collecting()))
        if not (history.spool.studies / name / "task.json").exists():
            return  # a series that was killed has a place in it, and nothing more
        if by_file:
            (history.spool.studies / name / ".force-complete").touch()
        else:
            files = Files(Durability.PROCESS)
            with suppress(RedriveError):
                force_study(history.spool, files, name, history.clock(), "administrator")
        history.forced.add(name)

    @rule(without=st.sampled_from(["", "C", "AB"]))
    def edit_the_rules(self, without: str) -> None:
        """The rule file is edited; the routers read it when they start."""
        self.history.edit(without)

    def teardown(self) -> None:
        try:
            if hasattr(self, "history"):
                self._finish()
        finally:
            for router in getattr(self, "routers", []):
                router.stop()
            shutil.rmtree(self.root)

    def _finish(self) -> None:
        """Let the routers come to an end, and a person complete what waits for ever."""
        history = self.history
        for number in range(60):
            history.move(timedelta(minutes=3))
            if number > 50:
                for name in history.collecting():
                    (history.spool.studies / name / ".force-complete").touch()
                    history.forced.add(name)
            for router in self.routers:
                router.route()
            if not history.left():
                break
        assert history.faults == []
        history.check()


def test_every_series_is_in_one_task_of_each_rule(request: pytest.FixtureRequest) -> None:
    asked = request.config.getoption("--study-examples")
    run_state_machine_as_test(
        Studies,
        settings=settings(
            max_examples=asked or EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=asked is None,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
