"""A rule file that is edited while mroute runs: loaded beside the rules in force, and exchanged
between two subjects, whatever happens meanwhile.

Knows the moments at which a file can be edited. Does not know what rules say.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mroute import config, service
from mroute.api import (
    Delivery,
    Event,
    NoticeEvent,
    Study,
)
from mroute.config import Configuration
from mroute.errors import MrouteError
from mroute.events import SubjectCommitted
from mroute.models import Durability
from mroute.notices import Notices
from mroute.registry import Registry
from mroute.router import Routing, resume_abandoned, route_series, route_studies
from mroute.service import Service
from mroute.spool import outbox
from mroute.spool.claim import claim_series
from mroute.spool.files import Files
from mroute.spool.taskfile import read_task
from mroute.testing import make_task
from mroute.types import Progress
from mroute.worker import Worker
from tests.e2e.edited import (
    NOTHING,
    SECONDS,
    Held,
    changed,
    committed,
    mark_of,
    move_in,
    rules,
    running,
    serving,
)
from tests.e2e.sites import drop, later, write_rules

# One subject, one configuration


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that were flushed to the disk."""
    flushed = list[int]()
    monkeypatch.setattr(os, "fsync", flushed.append)
    return flushed


@pytest.mark.parametrize("moment", ["series_received", "series_decided", "subject_planned"])
@pytest.mark.parametrize("route", [route_series, resume_abandoned])
def test_a_series_is_planned_and_committed_by_the_rules_that_it_began_with(
    tmp_path: Path,
    moment: str,
    route: Callable[[Routing, threading.Event], int],
    flushes: list[int],
) -> None:
    with running(tmp_path, rules("old")) as run:
        flushed = dict[str, bool]()

        def observe(event: Event) -> None:
            if event.name == moment and not flushed and run.mark == "old":
                run.edit(rules("new", durability="process"))
            if isinstance(event, SubjectCommitted):
                flushed[event.uid] = bool(flushes)
                flushes.clear()

        run.site.hooks.listen(observe)
        for uid in ("1.1", "1.2", "1.3"):
            drop(tmp_path, uid)
            if route is resume_abandoned:
                assert claim_series(run.site.spool, run.site.run, uid) is not None
        assert route(Routing(run.reload.take_over), NOTHING) == 3
    assert [names for _, *names in run.probe.planned] == [["old"] * 2, ["new"] * 2, ["new"] * 2]
    assert list(flushed.values()) == [True, False, False]
    told = ("subject_committed", "configuration_changed")
    order = [each.name for each in run.played.events if each.name in told]
    assert order == ["subject_committed", "configuration_changed", *["subject_committed"] * 2]


def test_a_study_is_judged_and_planned_by_the_configuration_that_it_began_with(
    tmp_path: Path,
) -> None:
    with running(tmp_path, rules("old", ", on: study, study: {complete: probed}")) as run:
        for study in ("9.1", "9.2"):
            drop(tmp_path, f"{study}.1", StudyInstanceUID=study)
        routing = Routing(run.reload.take_over)
        assert route_series(routing, NOTHING) == 2
        asked = list[str]()

        def edit(study: Study) -> None:
            asked.append(study.uid)
            if len(asked) == 1:
                run.edit(rules("new"))

        run.probe.on_check = edit
        assert route_studies(routing, NOTHING) == 2
    # Once to see whether it is complete, and once while nothing can join.
    assert asked == ["9.1", "9.1", "9.2", "9.2"]
    # Each study finishes under the rule that it was collected under.
    assert run.probe.planned == [("9.1", "old", "old"), ("9.2", "old", "new")]


def test_a_task_is_worked_and_put_off_by_the_configuration_that_it_began_with(
    tmp_path: Path,
) -> None:
    with running(tmp_path, rules("old", timing=", retry_after: 1h")) as run:
        queue = run.site.registry.queues["probing"]
        folders = [run.site.spool.queue("probing") / name for name in ("a", "b")]
        for folder in folders:
            make_task(folder, {"probing": {}}, task_id=folder.name)

        def edit() -> None:
            run.edit(rules("new", timing=", retry_after: 9h"))
            run.reload.take_over()  # as the router does in its own thread

        run.probe.on_work = edit
        started = later()
        Worker(run.reload.current, queue, NOTHING).work_due()
        states = [read_task(folder)["probing"] for folder in folders]
    times = [datetime.fromisoformat(state["next_retry_at"]) - started for state in states]
    assert run.probe.worked == ["old", "new"]
    assert [round(each / timedelta(hours=1)) for each in times] == [1, 9]


def test_a_message_is_sent_and_put_off_by_the_configuration_that_it_began_with(
    tmp_path: Path,
) -> None:
    with running(tmp_path, rules("old")) as run:
        for number in range(2):
            delivery = Delivery("probe", "r", NoticeEvent.ERROR, str(number), {}, "")
            outbox.put(run.site.spool, Files(Durability.PROCESS), [delivery], later())

        def edit() -> None:
            run.edit(rules("new", timing=", give_up_notices_after: 0s"))
            run.reload.take_over()

        run.probe.on_work = edit
        assert Notices(run.reload.current, NOTHING).deliver_due() == 1
    assert run.probe.worked == ["old", "new"]
    settled = [each["settlement"] for each in run.played.facts("delivery_settled")]
    assert settled == ["retry", "failed"]


# A service that runs


def test_routing_goes_on_by_the_old_rules_while_new_ones_are_loaded(tmp_path: Path) -> None:
    with running(tmp_path, rules("old")) as run:
        run.probe.on_load = held = Held()
        with serving(run):
            write_rules(tmp_path, rules("new"))
            assert held.begun.wait(SECONDS)
            move_in(tmp_path, "1.1")
            run.wait_for(committed("1.1"))
            assert run.changes() == []
            held.let_go.set()
            run.wait_for(changed)
            move_in(tmp_path, "1.2")
            run.wait_for(committed("1.2"))
    assert run.probe.planned == [("1.1", "old", "old"), ("1.2", "new", "new")]
    assert run.changes() == [(True, "new rules in force")]


def test_a_service_ends_although_its_rules_are_still_being_loaded(tmp_path: Path) -> None:
    with running(tmp_path, rules("old")) as run:
        run.probe.on_load = held = Held()
        with serving(run, patience=0):
            write_rules(tmp_path, rules("new"))
            assert held.begun.wait(SECONDS)
        assert not held.ended.is_set()  # and yet the service has ended
        (loading,) = [each for each in threading.enumerate() if each.name == service.RULES]
        held.let_go.set()
        loading.join(SECONDS)
        assert not loading.is_alive()
    assert run.changes() == []


def test_loading_ends_with_the_next_rule_once_the_service_stops(tmp_path: Path) -> None:
    done = list[int]()

    def load(path: Path, registry: Registry, progress: Progress) -> Configuration:
        for number in range(1, 4):
            progress("checking the conditions", number, 3)
            done.append(number)
            run.stop.set()
        return config.load(path, registry, progress)

    with running(tmp_path, rules("old"), load) as run:
        run.edit(rules("new"))
        assert run.reload.take_over().configuration.rules.keys() == {"old"}
    assert done == [1]
    assert run.changes() == []


@pytest.mark.parametrize("loaded", [False, True])
def test_an_edit_before_the_first_pass_is_seen(tmp_path: Path, loaded: bool) -> None:
    def edit(mark: str) -> None:
        if mark == "old":
            write_rules(tmp_path, rules("newer"))

    with running(tmp_path, rules("old"), on_load=None if loaded else edit) as run:
        assert run.mark == "old"
        edit("old" if loaded else "")
        drop(tmp_path, "1.1")
        Service(run.site).run_once()
    assert run.probe.planned == [("1.1", "newer", "newer")]
    assert run.changes() == [(True, "new rules in force")]


# What can happen while rules are loaded


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MrouteError("line 3 is wrong"), "line 3 is wrong"),
        (KeyError("a plugin's"), 'KeyError: "a plugin\'s"'),
        (SystemExit(2), "SystemExit: 2"),
    ],
)
def test_what_cannot_be_loaded_leaves_the_last_good_rules_in_force_and_is_told_once(
    tmp_path: Path, error: BaseException, told: str
) -> None:
    def load(path: Path, registry: Registry, progress: Progress) -> Configuration:
        configuration = config.load(path, registry, progress)
        if mark_of(configuration.settings) == "bad":
            raise error
        return configuration

    with running(tmp_path, rules("old"), load) as run:
        run.edit(rules("good"))
        run.edit(rules("bad"))
        assert run.mark == "old"  # nobody has taken over anything
        assert not run.reload.load_if_edited()
        run.reload.take_over()
        assert run.mark == "good"
        run.edit(rules("better"))
        run.reload.take_over()
        run.reload.take_over()
        assert run.mark == "better"
    in_force = (True, "new rules in force")
    assert run.changes() == [(False, told), in_force, in_force]
    detail = run.played.facts("configuration_changed")[0]["detail"]
    assert detail.endswith("\nthe last good rules stay in force")


@pytest.mark.parametrize("read", [False, True])
def test_a_file_that_vanishes_while_it_is_loaded_is_told_once(tmp_path: Path, read: bool) -> None:
    def load(path: Path, registry: Registry, progress: Progress) -> Configuration:
        before = config.load(path, registry, progress) if read and path.exists() else None
        path.unlink(missing_ok=True)
        return before or config.load(path, registry, progress)

    with running(tmp_path, rules("old"), load) as run:
        run.edit(rules("new"))
        run.reload.take_over()
        assert run.mark == ("new" if read else "old")
        run.reload.load_if_edited()
        assert not run.reload.load_if_edited()
        run.reload.take_over()
        assert run.mark == ("new" if read else "old")
    gone = [detail for accepted, detail in run.changes() if not accepted]
    assert len(gone) == 1
    assert "the file cannot be read" in gone[0]
    assert len(run.changes()) == 1 + read


@pytest.mark.parametrize("read", [False, True])
def test_an_edit_while_another_is_loaded_is_seen(tmp_path: Path, read: bool) -> None:
    def load(path: Path, registry: Registry, progress: Progress) -> Configuration:
        before = config.load(path, registry, progress) if read else None
        if not edits:
            edits.append(write_rules(tmp_path, rules("newest")))
        return before or config.load(path, registry, progress)

    edits = list[Path]()
    with running(tmp_path, rules("old"), load) as run:
        run.edit(rules("new"))
        assert run.reload.load_if_edited()
        assert not run.reload.load_if_edited()
        run.reload.take_over()
        assert run.mark == "newest"
    assert run.changes() == [(True, "new rules in force")]


def test_a_file_that_changed_while_it_was_read_is_not_taken_over(tmp_path: Path) -> None:
    def load(path: Path, registry: Registry, progress: Progress) -> Configuration:
        half = config.load(path, registry, progress)
        if not edits:
            edits.append(write_rules(tmp_path, rules("whole")))
        return half

    edits = list[Path]()
    with running(tmp_path, rules("old"), load) as run:
        run.edit(rules("half"))
        run.reload.take_over()
        assert run.mark == "old"
        assert run.reload.load_if_edited()
        run.reload.take_over()
        assert run.mark == "whole"
    assert run.changes() == [(True, "new rules in force")]


def test_a_file_that_is_being_written_waits_until_it_is_the_same_twice(tmp_path: Path) -> None:
    with running(tmp_path, rules("old")) as run:
        assert not run.reload.load_if_settled()
        for text in ("first line", "first line\nsecond line", rules("new")):
            write_rules(tmp_path, text)
            assert not run.reload.load_if_settled()
        assert run.changes() == []
        assert run.reload.load_if_settled()
        run.reload.take_over()
        assert run.mark == "new"
        assert not run.reload.load_if_settled()
    assert run.changes() == [(True, "new rules in force")]


def test_a_file_that_could_not_be_read_is_loaded_when_it_may_be(tmp_path: Path) -> None:
    forbidden = [True]

    def load(path: Path, registry: Registry, progress: Progress) -> Configuration:
        if forbidden:
            raise PermissionError(13, "Permission denied")
        return config.load(path, registry, progress)

    with running(tmp_path, rules("old"), load) as run:
        run.edit(rules("new"))
        run.reload.take_over()
        assert run.mark == "old"
        forbidden.clear()
        run.file.chmod(0o600)
        assert run.reload.load_if_edited()
        run.reload.take_over()
        assert run.mark == "new"


def test_rules_that_are_loaded_while_others_are_taken_over_are_not_lost(tmp_path: Path) -> None:
    with running(tmp_path, rules("old")) as run:

        def edit(event: Event) -> None:
            if changed(event) and run.mark == "new":
                run.edit(rules("newest"))

        run.site.hooks.listen(edit)
        run.edit(rules("new"))
        assert mark_of(run.reload.take_over().configuration.settings) == "new"
        assert mark_of(run.reload.take_over().configuration.settings) == "newest"


def test_a_service_tells_how_far_the_rules_are_loaded_where_that_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(path: Path, registry: Registry, progress: Progress) -> Configuration:
        monkeypatch.setattr("mroute.progress.EVERY", SECONDS)
        for number in range(1, 4):
            progress("building the index", number, 3)
        return config.load(path, registry)

    with running(tmp_path, rules("old"), load) as run:
        run.edit(rules("new"))
        assert run.played.facts("configuration_loading") == []
        monkeypatch.setattr("mroute.progress.EVERY", 0)
        run.edit(rules("newer"))
    said = {"file": str(run.file), "step": "building the index", "total": 3}
    told = [{**said, "done": done} for done in (1, 3)]
    assert run.played.facts("configuration_loading") == told
