"""Tried again and discarded: everything arrives where it belongs, once, whatever interrupts it.

Knows folders of tasks, dead letters and deliveries. Does not know the command line.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.errors import MrouteError, RedriveError, TagsError
from mroute.spool.commit import Commit
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.locks import try_lock
from mroute.spool.manifest import reason_content
from mroute.spool.upkeep.discarding import Discarding
from mroute.spool.upkeep.item import Item
from mroute.spool.upkeep.redrive import Redrive, prospect
from mroute.types import Finish, Tags
from tests.e2e.sites import ROUTE, drop, run_once, write_rules
from tests.faults import Killed, fault
from tests.unit.spool.conftest import MakeSeries, left_in_staging
from tests.unit.spool.test_listing import SECTIONS, edit_task, looked
from tests.unit.spool.test_queue import NOW, make_task


def unreadable(path: Path) -> Tags:
    raise TagsError(f"'{path.name}' is no image")


def retry(spool: Spool, files: Files, item: Item) -> str:
    return Redrive(spool, files, SECTIONS, unreadable, lambda: NOW).retry(item)


def discard(spool: Spool, files: Files, item: Item) -> str:
    clock = lambda: NOW  # noqa: E731
    file = spool.root / "mroute.yaml"
    return Discarding(spool, files, SECTIONS, unreadable, clock, file, {}).discard(item)


def sent_task(spool: Spool, retry: datetime | None = None) -> Path:
    """A task as a router makes it."""
    folder = make_task(spool, "t")
    next_retry_at = retry and retry.isoformat()
    edit_task(folder, dispatch={"target_name": ["pacs"], "next_retry_at": next_retry_at})
    return folder


def dead_task(spool: Spool, files: Files, queue: str = "outgoing") -> Path:
    folder = make_task(spool, "t")
    edit_task(
        folder, dispatch={"target_name": ["pacs"], "retries": 5, "next_retry_at": NOW.isoformat()}
    )
    files.write_json(folder / "reason.json", reason_content("s", "why", ("r",), NOW, queue))
    return folder.rename(spool.queue(Finish.ERROR) / "t")


def unrouted(spool: Spool, files: Files, force: str = "") -> Path:
    """A dead letter of routing: two images of one series, and what a receiver said of one."""
    folder = spool.queue(Finish.ERROR) / "u"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.dcm").write_text(f"image {number}")
        tags = {"SeriesInstanceUID": "1.1", "SOPInstanceUID": f"1.1.{number}", "SenderAET": "CT"}
        (folder / f"{number}.tags").write_text(json.dumps(tags))
    (folder / "0.dcm.error").write_text("odd")
    files.write_json(folder / "reason.json", reason_content("routing", "why", (), NOW))
    if force:
        (folder / ".force-rule").write_text(force)
    return folder


def images(spool: Spool) -> Counter[tuple[str, str]]:
    """How often each image is in which folder of the spool."""
    return Counter(
        (path.relative_to(spool.root).parts[0], path.read_text())
        for path in spool.root.rglob("*.dcm")
    )


def content_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "task.json").read_text())
    return content


def test_a_task_that_rests_becomes_due(spool: Spool, files: Files) -> None:
    folder = sent_task(spool, NOW + timedelta(hours=1))
    assert prospect(looked(spool)["t"], SECTIONS) == "makes it due now"
    assert retry(spool, files, looked(spool)["t"]) == "'t' is due now"
    assert content_of(folder)["dispatch"]["next_retry_at"] == NOW.isoformat()
    assert content_of(folder)["journal"][-1]["action"] == "hastened"
    assert retry(spool, files, looked(spool)["t"]) == "'t' is due already"


def test_a_dead_letter_goes_back_to_its_queue(spool: Spool, files: Files) -> None:
    dead_task(spool, files)
    assert prospect(looked(spool)["t"], SECTIONS) == "moves it back to 'outgoing'"
    assert retry(spool, files, looked(spool)["t"]) == "'t' went back to 'outgoing'"
    folder = spool.queue("outgoing") / "t"
    assert content_of(folder)["dispatch"] == {
        "target_name": ["pacs"],
        "retries": None,
        "next_retry_at": None,
    }
    entry = content_of(folder)["journal"][-1]
    assert (entry["actor"], entry["action"]) == ("administrator", "redriven")
    assert entry["outcome"] == "to 'outgoing'; it had failed at s: why"
    assert sorted(path.name for path in folder.iterdir()) == [".lease", "1.dcm", "task.json"]


def test_a_dead_letter_of_routing_is_routed_anew(spool: Spool, files: Files) -> None:
    folder = unrouted(spool, files)
    said = retry(spool, files, looked(spool)["u"])
    assert said == "'u': 2 images went back to 'incoming'"
    assert not folder.exists()
    assert images(spool) == {("incoming", "image 0"): 1, ("incoming", "image 1"): 1}
    tags = json.loads((spool.incoming / "1.1" / "1.1#1.1.0.tags").read_text())
    assert tags["SenderAET"] == "CT"


def test_a_forced_series_comes_back_with_its_rule(spool: Spool, files: Files) -> None:
    folder = unrouted(spool, files, "only-this")
    retry(spool, files, looked(spool)["u"])
    assert not folder.exists()
    assert (spool.incoming / "1.1" / ".force-rule").read_text() == "only-this"
    assert images(spool) == {("incoming", "image 0"): 1, ("incoming", "image 1"): 1}


def test_a_forced_series_waits_for_the_one_that_arrives(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    unrouted(spool, files, "only-this")
    make_series("1.1", 1)
    with pytest.raises(RedriveError, match=r"series '1\.1' is arriving now"):
        retry(spool, files, looked(spool)["u"])
    assert images(spool)[("error", "image 0")] == 1
    (spool.incoming / "1.1").rename(spool.root / "away")
    retry(spool, files, looked(spool)["u"])
    assert images(spool)[("incoming", "image 0")] == 1
    assert not (spool.queue(Finish.ERROR) / "u").exists()


def test_what_cannot_be_read_stays_dead(spool: Spool, files: Files) -> None:
    folder = unrouted(spool, files)
    (folder / "0.tags").write_text("{")
    with pytest.raises(RedriveError, match=r"1 image went .* stays: '0\.dcm' is no image"):
        retry(spool, files, looked(spool)["u"])
    assert images(spool) == {("error", "image 0"): 1, ("incoming", "image 1"): 1}
    assert (folder / "reason.json").exists()
    assert (folder / "0.tags").read_text() == "{"


def test_hidden_images_of_a_dead_letter_are_not_deleted_with_it(spool: Spool, files: Files) -> None:
    """A receiver hides what it has not completed, and its series was claimed in that instant."""
    folder = unrouted(spool, files)
    (folder / ".2.dcm").write_text("image 2")
    with pytest.raises(RedriveError, match=r"2 images went back .* '\.2\.dcm' is no image"):
        retry(spool, files, looked(spool)["u"])
    assert images(spool)["error", "image 2"] == 1
    assert images(spool)["incoming", "image 0"] == 1


def test_a_file_named_like_a_delivery_makes_no_delivery_of_a_dead_letter(
    spool: Spool, files: Files
) -> None:
    folder = unrouted(spool, files)
    (folder / "delivery.json").write_text("{}")
    with pytest.raises(RedriveError, match=r"2 images went back .* 'delivery\.json' is no image"):
        retry(spool, files, looked(spool)["u"])
    assert images(spool)["incoming", "image 0"] == 1
    assert list(spool.outbox.iterdir()) == []


def test_a_dead_delivery_goes_back_to_the_outbox(spool: Spool, files: Files) -> None:
    folder = spool.queue(Finish.ERROR) / "d"
    folder.mkdir()
    files.write_json(folder / "delivery.json", {"channel": "w", "attempts": 6, "not_before": "x"})
    files.write_json(folder / "reason.json", reason_content("notification", "no", (), NOW))
    retry(spool, files, looked(spool)["d"])
    assert not folder.exists()
    again = json.loads((spool.outbox / "d.json").read_text())
    since = NOW.isoformat()
    assert again == {"channel": "w", "since": since, "attempts": 0, "not_before": None}


def test_nothing_is_done_with_what_is_worked_on(spool: Spool, files: Files) -> None:
    folder = sent_task(spool, NOW + timedelta(hours=1))
    lock = try_lock(folder / ".lease")
    before = (folder / "task.json").read_bytes()
    for act in (retry, discard):
        with pytest.raises(RedriveError, match="'t' is being worked on; try again when"):
            act(spool, files, looked(spool)["t"])
    assert (folder / "task.json").read_bytes() == before
    assert lock is not None


def test_a_letter_that_does_not_say_where_it_failed_is_left_alone(
    spool: Spool, files: Files
) -> None:
    folder = dead_task(spool, files)
    (folder / "reason.json").write_text('{"stage": "s", "reason": "why"}')
    with pytest.raises(RedriveError, match="in which queue it failed"):
        retry(spool, files, looked(spool)["t"])
    files.write_json(folder / "reason.json", reason_content("s", "why", (), NOW, "gone"))
    with pytest.raises(RedriveError, match="no installed plugin has the queue 'gone'"):
        retry(spool, files, looked(spool)["t"])
    assert images(spool) == {("error", "image"): 1}


def test_what_waits_is_discarded_with_that_in_its_journal(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    sent_task(spool)
    make_series("1.1", 2)
    for name, item in looked(spool).items():
        assert discard(spool, files, item) == f"'{name}' went to 'discard'"
    assert {place for place, _ in images(spool)} == {"discard"}
    entries = [content_of(path)["journal"][-1] for path in spool.queue(Finish.DISCARD).iterdir()]
    assert {(each["actor"], each["action"]) for each in entries} == {("administrator", "discarded")}
    assert {each["outcome"] for each in entries} == {"from 'outgoing'", "from 'incoming'"}
    assert left_in_staging(spool) == []


def test_a_discard_that_dies_with_its_claim_is_carried_on_and_not_routed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(tmp_path, "1.1")
    write_rules(tmp_path, ROUTE)
    spool = Spool(tmp_path / "spool")
    spool.prepare(SECTIONS)
    with monkeypatch.context() as dying:
        dying.setattr(Commit, "begin", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            discard(spool, Files(), looked(spool)["1.1"])
    assert [path.name for path in spool.incoming.iterdir()] == []
    played = run_once(tmp_path)
    assert played.images("spool/discard") == {"1.1#0": 1}
    assert played.images("pacs") == {}
    assert left_in_staging(spool) == []


def test_a_discarded_dead_letter_keeps_its_reason(spool: Spool, files: Files) -> None:
    dead_task(spool, files)
    discard(spool, files, looked(spool)["t"])
    kept = json.loads((spool.queue(Finish.DISCARD) / "t" / "reason.json").read_text())
    assert kept["reason"] == "why"


def test_a_waiting_delivery_is_discarded(spool: Spool, files: Files) -> None:
    files.write_json(spool.outbox / "d.json", {"channel": "w", "attempts": 0, "not_before": None})
    discard(spool, files, looked(spool)["d"])
    assert list(spool.outbox.iterdir()) == []
    assert (spool.queue(Finish.DISCARD) / "d" / "delivery.json").exists()


@pytest.mark.parametrize("kind", ["task", "unrouted", "forced"])
def test_a_retry_that_is_killed_anywhere_loses_and_doubles_nothing(
    quick_path: Path, files: Files, kind: str
) -> None:
    place = {"task": "outgoing"}.get(kind, "incoming")
    for at in range(200):
        spool = Spool(quick_path / str(at) / "spool")
        spool.prepare(SECTIONS)
        if kind == "task":
            dead_task(spool, files)
        else:
            unrouted(spool, files, "only-this" if kind == "forced" else "")
        was = {text: 1 for _, text in images(spool)}
        (item,) = looked(spool).values()
        try:
            with fault(spool.root, at):
                retry(spool, files, item)
            break
        except Killed:
            pass
        _finish(spool, files)
        assert images(spool) == {(place, text): 1 for text in was}, f"killed at {at}"
        assert list(spool.queue(Finish.ERROR).iterdir()) == [], f"killed at {at}"
    assert at > 5


def _finish(spool: Spool, files: Files) -> None:
    """What the next run does with images that were being received, and the administrator again."""
    from mroute.spool.arrivals.receiving import resume_received

    resume_received(spool, files, lambda where, why: pytest.fail(f"{where}: {why}"))
    for item in looked(spool).values():
        if item.queue == "error":
            try:
                retry(spool, files, item)
            except MrouteError as error:
                pytest.fail(str(error))
