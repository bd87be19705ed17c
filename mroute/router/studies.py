"""Routes the collecting studies that are complete (documented as ``route_studies``).

Knows how the studies are looked at, and claimed when they are complete. Does not know when a study
is complete (verdicts), or what is planned for one that is (completed).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from mroute.errors import PluginError, RedriveError, TaskFileError
from mroute.events import TroubleNoticed
from mroute.models import ForcedCompletion
from mroute.router.completed import plan_study, read_study_in
from mroute.router.routing import Routing
from mroute.spool.amending import date_now, force_study
from mroute.spool.claim import Claim, claim_study
from mroute.spool.collecting import Seen
from mroute.spool.goneon import forget_old
from mroute.spool.layout import FORCE_COMPLETE_FILE, TASK_FILE
from mroute.spool.places import left_behind, take_off
from mroute.types import Study, Verdict
from mroute.verdicts import is_study_complete

_FRESH = 1.0
"""Seconds for which it is known what is arriving."""

_TIDY_EVERY = timedelta(hours=1)

_BY_FILE = "administrator"
"""Who puts a file `FORCE_COMPLETE_FILE` into a study, in its journal."""


def route_studies(routing: Routing, stop: threading.Event) -> int:
    """Route all studies that are complete, in the order of their names; returns how many were.

    Ends after the study in hand once ``stop`` is set. Nothing is complete while loose images wait
    to be received: nobody knows yet of which studies they are.
    """
    _tidy(routing)
    found = routing.collecting.scan(routing.site.clock())
    if not found or routing.backlog:
        return 0
    arriving = _Arriving(routing)
    routed = 0
    for seen in found:
        if stop.is_set():
            break
        routing.renew()
        pending = arriving.of(seen.study_uid)
        if routing.collecting.verdict(seen, pending, routing.site.clock()) is None:
            claim = routing.take(seen.name, partial(_claim_if_complete, routing, seen, arriving))
            if claim is not None:
                routed += routing.carry_out(claim, partial(plan_study, routing))
    due = routing.collecting.due
    if due is not None and (routing.due is None or due < routing.due):
        routing.due = due
    return routed


class _Arriving:
    """The series of each study that are still arriving, looked for again where that was long ago.

    Many studies may go on in one pass, and meanwhile series begin to arrive.
    """

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._found = self._look()

    def of(self, study_uid: str) -> Sequence[str]:
        """The series of a study, by the names of their folders."""
        if time.monotonic() - self._looked > _FRESH:
            self._found = self._look()
        return self._found.get(study_uid, ())

    def _look(self) -> Mapping[str, Sequence[str]]:
        self._looked = time.monotonic()
        found = self._routing.scan()
        return self._routing.incoming.pending_by_study((*found.pending, *found.complete))


def _claim_if_complete(routing: Routing, seen: Seen, arriving: _Arriving) -> Claim | None:
    """Claim a study that is complete; of another one, the verdict is remembered."""
    site, name = routing.site, seen.name
    pending = arriving.of(seen.study_uid)
    folder = site.spool.studies / name
    try:
        study: Study | TaskFileError | None = routing.collecting.study(seen)
        if study is None:
            _amend(routing, name)
            study = _readable(routing, name)
        verdict = _judge(routing, study, pending)
    except FileNotFoundError:  # another router was here since the scan began
        return None
    if not verdict.complete:
        known = study if isinstance(study, Study) else None
        routing.collecting.remember(seen, pending, verdict, known)
        return None
    # Where it cannot be claimed now, it is asked for again, but no time is waited for.
    routing.collecting.remember(seen, pending, replace(verdict, valid_until=None), None)

    def judge(joining: bool) -> Verdict:
        # Read once more, now that nothing can join: much may have happened since.
        again = _readable(routing, name)
        damaged = not isinstance(again, Study) and (folder / TASK_FILE).exists()
        if joining and not damaged:  # nothing can join what is damaged: nobody is waited for
            return Verdict(False, "a series is joining")
        return _judge(routing, again, arriving.of(seen.study_uid))

    claim = claim_study(site.spool, site.files, site.run, name, judge, site.clock())
    if claim is None:
        _let_go(routing, name)
    return claim


def _amend(routing: Routing, name: str) -> None:
    """Do to a study what a file of an administrator asks for, and what its times need."""
    site = routing.site
    with suppress(RedriveError, TaskFileError):  # it has gone on, or is on its way to error/
        if (site.spool.studies / name / FORCE_COMPLETE_FILE).exists():
            force_study(site.spool, site.files, name, site.clock(), _BY_FILE)
        date_now(site.spool, site.files, name, site.clock())


def _readable(routing: Routing, name: str) -> Study | TaskFileError:
    """The study, or why it cannot be used."""
    try:
        return read_study_in(routing.site, routing.site.spool.studies / name, "")[0]
    except TaskFileError as error:
        return error


def _judge(routing: Routing, study: Study | TaskFileError, pending: Sequence[str]) -> Verdict:
    """The verdict on a study; one that cannot be used goes on into ``error/``."""
    if isinstance(study, TaskFileError):
        return Verdict(True, str(study), ForcedCompletion.ERROR)
    try:
        return is_study_complete(study, routing.site.clock(), pending)
    except PluginError as error:
        return Verdict(True, str(error), ForcedCompletion.ERROR)


def _let_go(routing: Routing, name: str) -> None:
    """Take off the marks of series that will never join, and tell."""
    spool = routing.site.spool
    stale = left_behind(spool, spool.studies / name)
    if stale:
        take_off(spool, name, stale)
        said = f"{len(stale)} series had a place in a study and never joined; it waits no more"
        routing.site.hooks.event(TroubleNoticed(f"claim {stale[0]}", said))


def _tidy(routing: Routing) -> None:
    """Throw away old memories, once in a while."""
    now, at = routing.site.clock(), routing.tidy_at
    if at is None or not now < at <= now + _TIDY_EVERY:
        forget_old(routing.site.spool, now, routing.site.configuration.timing.latecomers_within)
        routing.tidy_at = now + _TIDY_EVERY
