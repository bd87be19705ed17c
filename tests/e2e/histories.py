"""Histories of collecting studies: a site on a virtual clock, and what must have become of it.

Knows what each rule of the site waits for, by a model of its own, and every place in which an image
may be in the end. Does not know how a router works.
"""

from __future__ import annotations

import itertools
import json
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import Event as Stop
from typing import Any

import mroute_discard
import mroute_dispatch
import mroute_studies
from mroute.events import Event, LatecomerArrived, SeriesDecided, StudyCompleted
from mroute.hooks import Hooks
from mroute.registry import Registry
from mroute.router import (
    Routing,
    resume_abandoned,
    route_error_files,
    route_series,
    route_studies,
)
from mroute.service import open_site
from mroute.spool.layout import Spool
from mroute.testing import NOW, MovingClock, hooks_of

QUIET = timedelta(minutes=10)
AFTER = timedelta(hours=2)

CONDITIONS = {
    "A": "complete: timeout",
    "B": "complete: received_series, series: \"'T1' and 'T2'\"",
    "C": "complete: expected_instances, number: 3",
    "D": "complete: any_of, conditions: [{complete: received_series, series: \"'T3'\"}, "
    "{complete: timeout}]",
    "E": "complete: all_of, conditions: [{complete: received_series, series: \"'T1'\"}, "
    "{complete: timeout}]",
}

HEAD = """\
version: 1
timing: {series_complete_after: 60s, study_complete_after: 10m, latecomers_within: 30d}
settings: {durability: process}
targets: {pacs: {type: dummy}}
rules:
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the rule of a letter does with latecomers, and with a study that is never complete."""

    latecomers: str
    otherwise: str


@dataclass(slots=True)
class Arrival:
    """A series that arrived, and when a router took it, on the axis of `History.passed`."""

    uid: str
    study: str
    letters: frozenset[str]
    description: str
    images: int
    taken: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """A study that went on, with the series that were in it."""

    rule: str
    study: str
    series: frozenset[str]
    outcome: str


_told: list[History] = []
"""The history that is played now."""


def _tell(event: Event) -> None:
    for history in _told:
        history.hear(event)


@cache
def plugins() -> tuple[Hooks, Registry]:
    """The plugins, loaded once: a history is a matter of milliseconds."""
    hooks = hooks_of(mroute_studies, mroute_dispatch, mroute_discard)
    hooks.listen(_tell)
    return hooks, Registry.collect(hooks)


class Router:
    """A run of its own on a spool; it ends when it is stopped, or killed."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._without = history.without
        self._stack = ExitStack()
        file = history.root / "mroute.yaml"
        site = self._stack.enter_context(open_site(file, *plugins(), history.clock))
        self._routing = Routing(lambda: site)

    def route(self) -> int:
        """One pass, in the order of a service; returns how much was done."""
        steps = (resume_abandoned, route_series, route_error_files, route_studies)
        return sum(map(self.step, steps))

    def step(self, step: Callable[[Routing, Stop], int]) -> int:
        """A part of a pass."""
        self._history.without_now = self._without
        try:
            return step(self._routing, Stop())
        finally:
            self._history.look()

    def stop(self) -> None:
        """End the run; what it had in hand is another one's."""
        self._stack.close()


@dataclass(slots=True)
class History:
    """A site, all that arrived there, and what its routers said.

    ``passed`` is the time on an axis that is never set back; ``active`` maps each series to the
    rules that were applied to it, ``gone`` the claim of each study that went on to what it was;
    ``faults`` is what was wrong at a moment, ``how`` to what studies were forced.
    """

    root: Path
    policies: dict[str, Policy]
    clock: MovingClock = field(default_factory=lambda: MovingClock(NOW))
    passed: timedelta = timedelta(0)
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    active: dict[str, frozenset[str]] = field(default_factory=dict)
    gone: dict[str, Going] = field(default_factory=dict)
    late: list[LatecomerArrived] = field(default_factory=list)
    forced: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    how: Counter[str] = field(default_factory=Counter)
    without: str = ""
    without_now: str = ""
    edits: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.edit("")
        self.spool.prepare(("outgoing",))
        plugins()
        _told[:] = [self]

    @property
    def spool(self) -> Spool:
        """The spool of the site."""
        return Spool(self.root / "spool")

    def edit(self, without: str) -> None:
        """Write the rule file, another one each time, without the rules of some letters."""
        self.edits += 1
        self.without = without
        rules = [
            f"  {letter}: {{when: \"'{letter}' in tags.ImageComments\", action: route, "
            f"targets: [pacs], on: study, comment: edit {self.edits}, study: {{"
            f"{CONDITIONS[letter]}, after: 2h, else: {policy.otherwise}, "
            f"latecomers: {policy.latecomers}}}}}\n"
            for letter, policy in self.policies.items()
            if letter not in without
        ]
        (self.root / "mroute.yaml").write_text(HEAD + "".join(rules))

    def move(self, duration: timedelta) -> None:
        """Let time pass, or set the clock back."""
        self.clock.move(duration)
        self.passed += max(duration, timedelta(0))

    def arrive(self, study: str, letters: str, description: str, images: int) -> None:
        """A series arrives now."""
        uid = f"1.{next(self.numbers)}"
        folder = self.spool.incoming / uid
        folder.mkdir()
        for number in range(images):
            name = f"{uid}#{uid}.{number}"
            (folder / f"{name}.dcm").write_text(name)
            tags = {
                "SeriesInstanceUID": uid,
                "SOPInstanceUID": f"{uid}.{number}",
                "StudyInstanceUID": study,
                "SeriesDescription": description,
                "ImageComments": letters,
                "PatientID": "1",
            }
            (folder / f"{name}.tags").write_text(json.dumps(tags))
        now = self.clock().timestamp()
        os.utime(folder, (now, now))
        self.arrivals[uid] = Arrival(uid, study, frozenset(letters), description, images)

    def collecting(self) -> list[str]:
        """The folders of the studies that are collected now, sorted."""
        return sorted(path.name for path in self.spool.studies.glob("[!.]*"))

    def waits_for_ever(self, name: str) -> bool:
        """Whether nothing but a person ends the waiting of a study."""
        rule = name.partition("#")[2]
        return rule in "BCE" and self.policies[rule].otherwise == "ignore"

    def left(self) -> bool:
        """Whether anything is still on its way."""
        claims = [*self.spool.staging.glob("series-*"), *self.spool.staging.glob("study-*")]
        return bool(claims or self.collecting() or any(self.spool.incoming.iterdir()))

    def look(self) -> None:
        """Note which series were taken, and judge the studies that were taken, in this moment."""
        there = {path.name for path in self.spool.incoming.iterdir()}
        for each in self.arrivals.values():
            if each.taken is None and each.uid not in there:
                each.taken = self.passed
        for claim in self.spool.staging.glob("study-*"):
            claim_id = claim.name.split("-", 2)[2]
            source = next(claim.glob("source-*"), None)
            if claim_id not in self.gone and source is not None:
                self._blame(self._judge, claim_id, source)

    def hear(self, event: Event) -> None:
        """What a router says, held against the model at once."""
        self.look()
        if isinstance(event, LatecomerArrived):
            self.late.append(event)
        if isinstance(event, SeriesDecided):
            self.active[event.uid] = frozenset(event.triggered)
            self._blame(self._decided, event)
        if isinstance(event, StudyCompleted):
            self._blame(self._completed, event)

    def _blame(self, check: Callable[..., None], *arguments: Any) -> None:
        try:
            check(*arguments)
        except AssertionError:  # a router would take it for a fault of its own
            self.faults.append(traceback.format_exc())

    def _decided(self, event: SeriesDecided) -> None:
        assert frozenset(event.triggered) == self.arrivals[event.uid].letters - set(
            self.without_now
        )

    def _completed(self, event: StudyCompleted) -> None:
        going = self.gone[event.claim_id]
        assert (event.study_uid, event.rule) == (going.study, going.rule)
        assert event.series == len(going.series)
        assert (event.rule_now == "removed") == (event.rule in self.without_now)

    def _judge(self, claim_id: str, source: Path) -> None:
        """Whether the study was to be taken in this moment."""
        name = source.name.removeprefix("source-")
        study, _, rule = name.partition("#")
        memory = json.loads((self.spool.gone_on / name).read_text())
        assert memory["claim_id"] == claim_id
        series = {path.name.partition("#")[0] for path in source.glob("*.dcm")}
        forced = memory["forced"]
        outcome = "action" if forced in (None, "proceed") else forced
        self.gone[claim_id] = Going(rule, study, frozenset(series), outcome)
        if name in self.forced:
            self.forced.discard(name)
            assert forced is None
        elif forced:
            self.how[forced] += 1
            assert forced == self.policies[rule].otherwise
            assert self._since(series, first=True) > AFTER, (name, series)
        else:
            assert self._met(rule, study, series), (name, series)

    def _since(self, series: set[str], *, first: bool) -> timedelta:
        """How long ago the first or the last of the series was taken, at least."""
        times = [each for uid in series if (each := self.arrivals[uid].taken) is not None]
        assert len(times) == len(series)
        return self.passed - (min(times) if first else max(times))

    def _met(self, rule: str, study: str, series: set[str]) -> bool:
        """Whether the condition of a rule is met by what is in the study now."""
        names = [self.arrivals[uid].description for uid in series]
        quiet = self._since(series, first=False) > QUIET and not self._arriving(study)
        return {
            "A": quiet,
            "B": "T1" in names and "T2" in names,
            "C": sum(self.arrivals[uid].images for uid in series) >= 3,
            "D": "T3" in names or quiet,
            "E": "T1" in names and quiet,
        }[rule]

    def _arriving(self, study: str) -> bool:
        """Whether a series of a study is in ``incoming/`` or claimed."""
        there = {path.name for path in self.spool.incoming.iterdir()}
        claimed = self.spool.staging.glob("series-*/source-*")
        there |= {path.name.removeprefix("source-") for path in claimed}
        return any(self.arrivals[uid].study == study for uid in there)

    def check(self) -> None:
        """Check that all is where it must be, once nothing is left to be done."""
        assert not self.left()
        found: Counter[tuple[str, str]] = Counter()
        for place in ("outgoing", "discard", "error"):
            for task in self.spool.queue(place).iterdir():
                self._check_task(place, task, found)
        assert found == Counter(
            {
                (rule, f"{uid}#{uid}.{number}"): 1
                for uid, each in self.arrivals.items()
                for number in range(each.images)
                for rule in self.active[uid] or {""}
            }
        )
        self._check_latecomers()

    def _check_task(self, place: str, task: Path, found: Counter[tuple[str, str]]) -> None:
        content: dict[str, Any] = json.loads((task / "task.json").read_text())
        info = content["info"]
        rules = [info["applied_rule"]] if info["applied_rule"] else info["triggered_rules"]
        images = sorted(path.stem for path in task.glob("*.dcm"))
        assert [path.read_text() for path in sorted(task.glob("*.dcm"))] == images
        for rule in rules or [""]:
            found.update((rule, image) for image in images)
        series = {image.partition("#")[0] for image in images}
        if info["uid_type"] == "study":
            assert {self.arrivals[uid].study for uid in series} == {info["uid"]}
            joined = [each["uid"] for each in content["collection"]["series"]]
            assert Counter(joined) == Counter(series)
            assert "completed" in [each["action"] for each in content["journal"]]
        elif rules:
            policy = self.policies[rules[0]].latecomers
            assert policy == ("hold" if place == "error" else "follow")
            assert info["addition_to"]

    def _check_latecomers(self) -> None:
        for rule, policy in self.policies.items():
            for study in {each.study for each in self.gone.values()}:
                went = [
                    each.outcome
                    for each in self.gone.values()
                    if (each.rule, each.study) == (rule, study)
                ]
                if policy.latecomers == "hold":
                    assert len(went) <= 1, (rule, study, went)
                if policy.latecomers == "follow":
                    assert "action" not in went[:-1], (rule, study, went)
        for event in self.late:
            policy = self.policies[event.rule]
            assert event.treatment == policy.latecomers or (
                (event.treatment, policy.latecomers) == ("new", "follow")
            )
