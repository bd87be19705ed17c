"""Images that arrive while their series is being routed, and series that are in there twice.

Knows receivers that never pause, and where every image has to be in the end. Does not know how
series are claimed.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mroute.api import TagReader, Tags, hookimpl
from mroute.router import Routing, resume_abandoned, route_error_files, route_series
from mroute.service import open_site
from mroute.spool.arrivals.receiving import receive
from tests.e2e.sites import ROUTE, Played, drop, later, plugins_with, run_once, write_rules

SERIES, SENDERS, IMAGES = 3, 3, 40

TWO = ROUTE.replace("targets: [pacs]", "targets: [pacs, archive]")


class Reading:
    """A plugin that reads the images of these tests, as others read DICOM."""

    @hookimpl
    def mroute_tag_readers(self) -> list[TagReader]:
        return [TagReader("test", self.read)]

    @staticmethod
    def read(path: Path) -> Tags:
        instance = path.read_text()
        series = ".".join(instance.split(".")[:2])
        return {"SeriesInstanceUID": series, "SOPInstanceUID": instance}


@pytest.mark.parametrize("rules", [ROUTE, TWO], ids=["the folder itself", "links"])
def test_images_that_arrive_while_a_series_is_routed_begin_a_new_round(
    tmp_path: Path, rules: str
) -> None:
    """Three senders add to three series all the time, while two routers take whatever is there.

    An image may come into a folder that was claimed at that moment, and be read there again.
    """
    hooks, registry = plugins_with(reading=Reading())
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    done, stop = threading.Event(), threading.Event()
    file = write_rules(tmp_path, rules)
    with open_site(file, hooks, registry, later) as site:

        def send(sender: int) -> None:
            for number in range(IMAGES):
                uid = f"1.{number % SERIES}"
                instance = f"{uid}.{sender}.{number}"
                image = tmp_path / instance
                image.write_text(instance)
                tags = {"SeriesInstanceUID": uid, "SOPInstanceUID": instance}
                receive(site.spool, site.files, image, tags)

        def route() -> None:
            with open_site(file, hooks, registry, later) as mine:  # a claim belongs to one run
                routing = Routing(lambda: mine)
                while not done.is_set():
                    resume_abandoned(routing, stop)
                    route_series(routing, stop)
                    route_error_files(routing, stop)

        with ThreadPoolExecutor(SENDERS + 2) as pool:
            routers = [pool.submit(route) for _ in range(2)]
            senders = [pool.submit(send, each) for each in range(SENDERS)]
            wait(senders)
            done.set()
            for each in (*senders, *routers):
                assert each.result() is None  # nothing was raised
        last = Routing(lambda: site)
        while resume_abandoned(last, stop) + route_series(last, stop):
            pass
    expected = Counter(
        f"1.{number % SERIES}.{sender}.{number}"
        for sender in range(SENDERS)
        for number in range(IMAGES)
    )
    queued = played.images("spool/outgoing")
    targets = 2 if rules is TWO else 1
    assert queued == Counter(dict.fromkeys(expected, targets))
    assert played.images("spool/incoming") + played.images("spool/.staging") == Counter()
    assert played.images("spool/error") == Counter()


def test_an_image_received_twice_goes_once_and_a_conflict_is_told(tmp_path: Path) -> None:
    folder = drop(tmp_path, "1.1", 2)
    for name, content in {"1.1#1#again": "1.1#1", "1.1#0#other": "something else"}.items():
        (folder / f"{name}.dcm").write_text(content)
        (folder / f"{name}.tags").write_text((folder / "1.1#0.tags").read_text())
    played = run_once(tmp_path, ROUTE)
    assert played.images("pacs") == {"1.1#0": 1, "1.1#1": 1, "something else": 1}
    assert played.facts("instance_conflicted") == [
        {
            "claim_id": played.facts("series_received")[0]["claim_id"],
            "uid": "1.1",
            "instance_uid": "0",
        }
    ]
    assert played.facts("series_received")[0]["images"] == 3
    (task,) = (tmp_path / "spool" / "success").glob("*/task.json")
    both = "'1.1#0#other.dcm', '1.1#0.dcm'"
    journal = json.loads(task.read_text())["journal"]
    assert [each["outcome"] for each in journal if each["action"] == "trouble"] == [
        f"{both} have the same SOPInstanceUID and different content; all are kept",
        "received twice with the same content, kept once: '1.1#1.dcm'",
    ]


def test_the_time_of_a_sender_is_its_own(tmp_path: Path) -> None:
    drop(tmp_path, "1.1", SenderAET="FAST")
    drop(tmp_path, "1.2", SenderAET="SLOW")
    senders = "series_complete_after: 1h, series_complete_after_by_sender: {' FAST ': 1s}"
    rules = ROUTE.replace("series_complete_after: 0s", senders)
    played = run_once(tmp_path, rules)  # five seconds later
    assert set(played.images("pacs")) == {"1.1#0"}
    assert set(played.images("spool/incoming")) == {"1.2#0"}


def test_a_stop_ends_after_the_series_in_hand_and_skips_the_rest(tmp_path: Path) -> None:
    """Scenario 5."""
    for uid in ("1.1", "1.2"):
        drop(tmp_path, uid)
    (tmp_path / "spool" / "incoming" / "a.error").write_text("no")
    hooks, registry = plugins_with()
    stop = threading.Event()
    hooks.listen(lambda event: stop.set() if event.name == "series_received" else None)
    with open_site(write_rules(tmp_path, ROUTE), hooks, registry, later) as site:
        routing = Routing(lambda: site)
        assert route_series(routing, stop) == 1
        assert route_error_files(routing, stop) == 0
    assert set(Played(tmp_path).images("spool/outgoing")) == {"1.1#0"}
    assert set(Played(tmp_path).images("spool/incoming")) == {"1.2#0"}


def test_series_come_before_error_files_and_studies_last(tmp_path: Path) -> None:
    """Scenarios 4 and 6."""
    rules = ROUTE.replace(
        "rules: {",
        "rules: {s: {when: 'True', action: route, targets: [archive], "
        "on: study, study: {complete: timeout}}, ",
    )
    drop(tmp_path, "1.2", StudyInstanceUID="9.9")
    drop(tmp_path, "1.1", StudyInstanceUID="9.9")
    (tmp_path / "spool" / "incoming" / "a.error").write_text("no")
    played = run_once(tmp_path, rules)
    kinds = ("series_received", "subject_rejected", "study_completed")
    assert [each.name for each in played.events if each.name in kinds] == [
        "series_received",
        "series_received",
        *kinds[1:],
    ]
    assert [each["uid"] for each in played.facts("series_received")] == ["1.1", "1.2"]


def test_trouble_with_the_tags_is_in_the_reason_of_a_discard(tmp_path: Path) -> None:
    """Scenarios 9 and 26: bytes that are not UTF-8 are kept, and rules see them."""
    tags = drop(tmp_path, "1.1") / "1.1#0.tags"
    tags.write_bytes(b'{"SeriesInstanceUID": "1.1", "SOPInstanceUID": "0", "BadTag": "Garb \xb1"}')
    rules = ROUTE.replace("'True'", "\"'Garb' in tags['BadTag'] and tags.Modality == 'CT'\"")
    run_once(tmp_path, rules)
    (task,) = (tmp_path / "spool" / "discard").glob("*/task.json")
    reason = json.loads(task.read_text())["journal"][0]["outcome"]
    assert reason.startswith("no rule triggered")
    assert "'1.1#0.tags' is not encoded in UTF-8" in reason


def test_broken_tags_are_not_tried_for_ever(tmp_path: Path) -> None:
    """Scenarios 10 and 11: the series goes to ``error/`` in the first pass, with the reason."""
    (drop(tmp_path, "1.1") / "1.1#0.tags").write_text("{broken")
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("spool/error")) == {"1.1#0"}
    (reason,) = played.reasons()
    assert reason.startswith("'1.1#0.tags' is no JSON")


def test_what_is_beside_the_images_is_never_deleted(tmp_path: Path) -> None:
    """Scenarios 7 and 8: foreign names, and an image without tags."""
    folder = drop(tmp_path, "1.1")
    (folder / "2.2#5.dcm").write_text("of another series")
    (folder / "2.2#5.tags").write_text("{}")
    (folder / "foreign.txt").write_text("a note")
    (folder / "bare.dcm").write_text("without tags")
    run_once(tmp_path, ROUTE)
    kept = {path.name for path in (tmp_path / "spool" / "error").glob("*/*")}
    assert kept == {
        "2.2#5.dcm",
        "2.2#5.tags",
        "foreign.txt",
        "bare.dcm",
        "task.json",
        "reason.json",
    }


def test_a_lock_file_of_somebody_else_holds_nothing_up(tmp_path: Path) -> None:
    """Scenarios 82 and 84: there are no locks but the kernel's."""
    drop(tmp_path, "1.1")
    (tmp_path / "spool" / "incoming" / "1.1" / ".lock").touch()
    (tmp_path / "mercure.lock").touch()
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#0"}
    assert played.reasons() == ["'.lock' is hidden; a series folder holds images"]


def test_a_series_that_vanishes_is_skipped(tmp_path: Path) -> None:
    """Scenario 83."""
    drop(tmp_path, "1.1")
    drop(tmp_path, "1.2")
    hooks, registry = plugins_with()
    played = Played(tmp_path)
    hooks.listen(played.events.append)
    gone = tmp_path / "spool" / "incoming" / "1.2"

    def vanish(event: object) -> None:
        if gone.exists():
            gone.rename(tmp_path / "1.2")

    hooks.listen(vanish)
    with open_site(write_rules(tmp_path, ROUTE), hooks, registry, later) as site:
        assert route_series(Routing(lambda: site), threading.Event()) == 1
    assert [each["uid"] for each in played.facts("series_received")] == ["1.1"]
    assert played.facts("series_deferred") == []


def test_a_clock_that_was_set_back_strands_no_series(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    hooks, registry = plugins_with()
    now = [datetime.now(UTC) - timedelta(days=1)]
    rules = ROUTE.replace("series_complete_after: 0s", "series_complete_after: 60s")
    with open_site(write_rules(tmp_path, rules), hooks, registry, lambda: now[0]) as site:
        routing = Routing(lambda: site)
        routed = []
        for seconds in (0, 59, 2):
            now[0] += timedelta(seconds=seconds)
            routed.append(route_series(routing, threading.Event()))
    assert routed == [0, 0, 1]
