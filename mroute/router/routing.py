"""The way of every claim from its plan to its release.

Knows that a claim either is carried out or stays, to be tried again. Does not know what is planned
for series or studies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mroute.errors import describe
from mroute.events import (
    ArrivalIgnored,
    SeriesDeferred,
    StudyJoined,
    SubjectCommitted,
    SubjectPlanned,
    TroubleNoticed,
    seconds_since,
)
from mroute.site import Site
from mroute.spool.arrivals.incoming import Arrivals, Incoming
from mroute.spool.claim import Claim, defer
from mroute.spool.collecting import Collecting
from mroute.spool.commit import Commit
from mroute.spool.manifest import StudyEntry, compose_manifest
from mroute.spool.studies import Joined
from mroute.spool.waiting import is_due
from mroute.types import Plan, Subject

RETRY_AFTER = timedelta(seconds=30)
"""How long a claim that could not be carried out is left alone before it is tried again."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it was made for and all rules that triggered.

    ``names`` are the files in the claimed folder, those about mroute itself among them.
    """

    subject: Subject
    plan: Plan
    triggered: tuple[str, ...]
    names: Collection[str]


@dataclass(slots=True)
class Routing:
    """The site that is routed for, and what this router remembers between two passes.

    ``current`` returns the site as it is configured now, and ``site`` is that of the subject in
    hand: it changes in `renew` alone, between two subjects. ``deferred`` maps what failed (ids of
    claims, places) to the time of the next attempt; ``ignored`` are the places that observers were
    told of. ``due`` is when the next series or study can be complete, ``loose`` what in
    ``incoming/`` is no series, and ``backlog`` whether more loose images wait to be received than
    one pass takes, all as of the last pass. ``tidy_at`` is when old memories are thrown away next.
    """

    current: Callable[[], Site]
    site: Site = field(init=False)
    deferred: dict[str, datetime] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)
    incoming: Incoming = field(init=False)
    collecting: Collecting = field(init=False)
    due: datetime | None = None
    loose: tuple[str, ...] = ()
    backlog: bool = False
    tidy_at: datetime | None = None

    def __post_init__(self) -> None:
        self.site = self.current()
        self.incoming = Incoming(self.site.spool)
        self.collecting = Collecting(self.site.spool)

    def renew(self) -> None:
        """Take the site as it is configured now for the subject that comes next."""
        site = self.current()
        if site.configuration is not self.site.configuration:
            self.collecting.forget()  # verdicts depend on its times
        self.site = site

    def scan(self) -> Arrivals:
        """Look at ``incoming/`` now, by the times that are configured now."""
        timing = self.site.configuration.timing
        senders = timing.series_complete_after_by_sender
        return self.incoming.scan(self.site.clock(), timing.series_complete_after, senders)

    def ignore(self, where: str) -> None:
        """Tell observers of what is no series folder, the first time that it is seen."""
        if where not in self.ignored:
            self.ignored.add(where)
            because = "no series folder; put images into 'incoming/<SeriesInstanceUID>/'"
            self.site.hooks.event(ArrivalIgnored(where, because))

    def take(self, name: str, claim: Callable[[], Claim | None]) -> Claim | None:
        """What ``claim`` takes; None, and observers are told, where it cannot be moved."""
        try:
            return claim()
        except OSError as error:
            self.site.hooks.event(SeriesDeferred("", name, describe(error)))
            return None

    def is_deferred(self, claim: Claim) -> bool:
        """Whether the claim failed a moment ago and is left alone for a while."""
        return self.is_resting(claim.id)

    def is_resting(self, what: str) -> bool:
        """Whether ``what`` is left alone for a while, as `deferred` has it."""
        return not is_due(self.deferred.get(what), self.site.clock(), RETRY_AFTER)

    def carry_out(self, claim: Claim, make_plan: Callable[[Claim], Planned | None]) -> bool:
        """Plan a claim that has no plan yet, commit it and release it; true where that was done.

        ``make_plan`` returns None for a claim in which there is nothing. Whatever fails here
        leaves the claim as it is, for a later pass or another router.
        """
        started, images = time.perf_counter(), 0
        try:
            commit = Commit(self.site.spool, self.site.files, claim)
            if not commit.begun:
                planned = make_plan(claim) if claim.source.is_dir() else None
                if planned is None:
                    claim.release()
                    return False
                self._begin(commit, claim, planned, seconds_since(started))
                images = len(planned.subject.images)
            done = commit.carry_out()
        # Whatever is wrong with this one must not keep the others from being routed.
        except Exception as error:  # noqa: BLE001
            until = self.deferred[claim.id] = self.site.clock() + RETRY_AFTER
            defer(claim, self.site.files, describe(error), until)
            self.site.hooks.event(SeriesDeferred(claim.id, claim.name, describe(error)))
            return False
        self.deferred.pop(claim.id, None)
        self._tell_joined(claim, commit, done.studies)
        tasks = tuple(f"{task.queue}/{task.id}" for task in done.tasks)
        counts = len(done.studies), len(done.deliveries), images
        kind, seconds = claim.kind.value, seconds_since(started)
        self.site.hooks.event(SubjectCommitted(claim.id, claim.name, kind, tasks, *counts, seconds))
        return True

    def _tell_joined(self, claim: Claim, commit: Commit, studies: Sequence[StudyEntry]) -> None:
        for study in studies:
            joined = commit.joined.get(study.id, Joined(0))
            uid, rule, images = study.study_uid, study.rule_name, len(study.images)
            self.site.hooks.event(StudyJoined(claim.id, uid, rule, joined.number, images))
            if joined.trouble:
                said = f"a series joined a study of rule '{rule}', and {joined.trouble}"
                self.site.hooks.event(TroubleNoticed(f"claim {claim.id}", said))

    def _begin(self, commit: Commit, claim: Claim, planned: Planned, seconds: float) -> None:
        plan = planned.plan
        writing = [queue.name for queue in self.site.registry.queues.values() if queue.writes]
        shared = any(task.queue in writing for task in plan.tasks) and any(
            path.lstat().st_nlink > 1 for path in claim.source.iterdir() if not path.is_dir()
        )
        self.site.hooks.event(
            SubjectPlanned(
                claim.id,
                planned.subject.uid,
                tuple(str(task.queue) for task in plan.tasks),
                len(plan.studies),
                len(plan.deliveries),
                len(planned.subject.images),
                seconds,
            )
        )
        manifest = compose_manifest(
            planned.subject,
            plan,
            planned.triggered,
            planned.names,
            writing,
            self.site.clock(),
            shared,
        )
        commit.begin(manifest)
