"""Random histories of collecting studies: arrivals, pauses, kills, two routers, edits, and by hand.

Knows what can happen to a site. What must have become of every image knows the history
(`tests.e2e.histories`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
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
from mroute.spool.collecting import Collecting, Seen
from mroute.spool.files import Files
from mroute.spool.places import Place
from mroute.spool.studies import _grown
from mroute.types import Verdict
from tests.e2e.histories import CONDITIONS, History, Policy, Router
from tests.faults import Killed, fault

EXAMPLES = 500
STEPS = 20
_MEMORY = Path("/dev/shm")

POLICIES = st.builds(
    Policy,
    st.sampled_from(["new", "follow", "hold"]),
    st.sampled_from(["discard", "proceed", "ignore", "error"]),
)
LETTERS = "".join(CONDITIONS)
ROUTER = st.integers(0, 1)
SERIES = st.tuples(
    st.sampled_from(["9.1", "9.1", "9.2"]),
    st.sets(st.sampled_from(LETTERS), min_size=1, max_size=2),
    st.sampled_from(["T1", "T2", "T3", "T4"]),
    st.integers(1, 2),
)
"""Its study, the rules that it is for, its description, and how many images it has."""


seen: Counter[str] = Counter()
"""What happened in the histories that were played."""


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

    @rule(series=st.lists(SERIES, min_size=1, max_size=3))
    def arrive(self, series: list[tuple[str, set[str], str, int]]) -> None:
        for study, letters, description, images in series:
            self.history.arrive(study, "".join(sorted(letters)), description, images)

    @rule(which=ROUTER, minutes=st.sampled_from([0, 2, 2, 9, 11, 11, 130]))
    def route(self, which: int, minutes: int) -> None:
        """Time passes, and a router makes a pass."""
        self.history.move(timedelta(minutes=minutes))
        self.routers[which].route()
        assert self.history.faults == []

    @rule(which=ROUTER, series=st.lists(SERIES, max_size=2), minutes=st.sampled_from([0, 2, 11]))
    def route_while_series_arrive(
        self, which: int, series: list[tuple[str, set[str], str, int]], minutes: int
    ) -> None:
        """As `route`, and some series have just begun to arrive by then."""
        self.history.move(timedelta(minutes=minutes))
        self.arrive(series)
        self.routers[which].route()
        assert self.history.faults == []

    @rule(which=ROUTER, call=st.integers(0, 120), after=st.booleans(), series=SERIES)
    def kill(
        self, which: int, call: int, after: bool, series: tuple[str, set[str], str, int]
    ) -> None:
        """A router dies in the middle of a pass; another one is started."""
        self.arrive([series])
        self.history.move(timedelta(minutes=2))
        try:
            with fault(self.root, call, after=after):
                self.routers[which].route()
        except Killed:
            seen["killed"] += 1
        self.restart(which)

    @rule(which=ROUTER)
    def restart(self, which: int) -> None:
        self.routers[which].stop()
        self.routers[which] = Router(self.history)
        self.history.look()
        assert self.history.faults == []

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
                for name in filter(history.waits_for_ever, history.collecting()):
                    (history.spool.studies / name / ".force-complete").touch()
                    history.forced.add(name)
            for router in self.routers:
                router.route()
            if not history.left():
                break
        assert history.faults == []
        history.check()
        seen.update(going.rule for going in history.gone.values())
        seen.update(event.treatment for event in history.late)
        seen.update(history.how)


def play(examples: int, derandomize: bool = True, shrink: bool = True) -> Counter[str]:
    """Play that many histories; returns how often each kind of thing happened in them."""
    seen.clear()
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    run_state_machine_as_test(
        Studies,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=derandomize,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return seen


def test_every_series_is_in_one_task_of_each_rule(request: pytest.FixtureRequest) -> None:
    asked = request.config.getoption("--study-examples")
    happened = play(asked or EXAMPLES, derandomize=asked is None)
    # The property would hold for nothing if nothing happened.
    wanted = {*CONDITIONS, "proceed", "discard", "error", "new", "follow", "hold", "killed"}
    assert {each for each in wanted if happened[each] < (asked or EXAMPLES) / 100} == set()


def no_place(*_: object) -> Place:
    return Place(True)


def nothing(*_: object) -> None:
    return None


def always(*_: object) -> bool:
    return True


def joined_again(content: dict[str, Any], *_: object) -> dict[str, Any]:
    grown = _grown(content, *_)  # type: ignore[arg-type]
    grown["collection"]["joined"] = []
    return grown


def nobody_arrives(*_: object) -> dict[str, tuple[str, ...]]:
    return {}


def remembered(collecting: Collecting, seen: Seen, *_: object) -> Verdict | None:
    known = collecting._answers.get(seen.name)
    return known.verdict if known else None


MISTAKES = {
    "a series has no place in its study": ("router.latecomers.keep_place", no_place),
    "latecomers are not told apart": ("router.latecomers._begins_anew", always),
    "a series joins once more after a kill": ("spool.studies._grown", joined_again),
    "arriving series are forgotten": (
        "spool.arrivals.incoming.Incoming.pending_by_study",
        nobody_arrives,
    ),
    "times of the future are waited for": ("router.studies.date_now", nothing),
    "a verdict is kept for ever": ("spool.collecting.Collecting.verdict", remembered),
    "what a study became is not remembered": ("spool.claim.remember", nothing),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, instead = MISTAKES[mistake]
    monkeypatch.setattr(f"mroute.{where}", instead)
    with pytest.raises((AssertionError, ExceptionGroup, OSError, KeyError)):
        play(EXAMPLES, shrink=False)
