"""A commit, interrupted at each of its file operations and carried on: everything once.

Knows what a plan must come to. Does not know how a commit goes about it.
"""

from __future__ import annotations

import errno
import json
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mroute.errors import TagsError
from mroute.models import NoticeEvent
from mroute.spool.claim import Claim, claim_series, open_claims
from mroute.spool.commit import Commit
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.manifest import Taking, compose_manifest
from mroute.spool.subjects import claimed_series
from mroute.types import Delivery, Plan, Series, StudyPlan, Tags, TaskPlan
from tests.faults import Killed, fault
from tests.unit.spool.conftest import UID, MakeSeries, left_in_staging

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLACES = ("outgoing", "processing", "success", "error", "studies", "incoming", ".staging")


def route_plan(queue: str = "outgoing", key: str = "pacs") -> TaskPlan:
    return TaskPlan(queue, ("to-pacs",), action="route", key=key)


def study_plan(series: Series) -> StudyPlan:
    return StudyPlan(
        series.study_uid,
        "spine",
        {"action": "route"},
        create={"study_uid": series.study_uid, "received_series_uid": []},
        append={"received_series_uid": series.uid},
        latest={"last_receive_time": NOW.isoformat()},
    )


def one_task(series: Series) -> Plan:
    return Plan((route_plan(),))


def everything(series: Series) -> Plan:
    delivery = Delivery("webhook", "r", NoticeEvent.RECEIVED, series.claim_id, {}, "{}")
    return Plan(
        (route_plan(), route_plan(key="archive"), route_plan("processing")),
        (study_plan(series),),
        (delivery,),
    )


def no_reader(path: Path) -> Tags:
    raise TagsError(f"'{path.name}' is no DICOM file")


MakePlan = Callable[[Series], Plan]


def finish(spool: Spool, files: Files, claim: Claim, make_plan: MakePlan) -> None:
    commit = Commit(spool, files, claim)
    if not commit.begun:
        if not claim.source.is_dir():
            claim.release()
            return
        series, _ = claimed_series(claim, no_reader, files)
        names = [path.name for path in claim.source.iterdir()]
        plan = make_plan(series)
        commit.begin(compose_manifest(series, plan, ("to-pacs",), names, {"processing"}, NOW))
    commit.carry_out()


def route_all(spool: Spool, files: Files, make_plan: MakePlan) -> None:
    """As one run does that nobody shares the spool with."""
    run = uuid.uuid4().hex
    for claim in open_claims(spool, run):
        finish(spool, files, claim, make_plan)
    for name in sorted(path.name for path in spool.incoming.iterdir()):
        taken = claim_series(spool, run, name)
        assert taken is not None
        finish(spool, files, taken, make_plan)


def work(spool: Spool) -> None:
    """Take what is published away, as fast workers do."""
    for queue in ("outgoing", "processing"):
        for task in spool.queue(queue).iterdir():
            task.rename(spool.queue("success") / task.name)
    for delivery in spool.outbox.glob("*.json"):
        delivery.rename(
            spool.root / "delivered" / f"{delivery.name}.{len(list(spool.outbox.iterdir()))}"
        )


def images_by_place(spool: Spool) -> dict[str, Counter[str]]:
    found = {
        place: Counter(p.name for p in (spool.root / place).rglob("*.dcm")) for place in PLACES
    }
    return {place: names for place, names in found.items() if names}


IMAGES = Counter(f"{UID}#{number}.dcm" for number in range(3))


@pytest.mark.parametrize(
    ("make_plan", "expected"),
    [
        (one_task, {"success": IMAGES}),
        (everything, {"success": Counter(dict.fromkeys(IMAGES, 3)), "studies": IMAGES}),
    ],
)
def test_a_commit_killed_anywhere_is_carried_on_to_the_same_end(
    tmp_path: Path,
    make_series: MakeSeries,
    spool: Spool,
    files: Files,
    make_plan: MakePlan,
    expected: dict[str, Counter[str]],
) -> None:
    at, killed = 0, True
    while killed:
        (spool.root / "delivered").mkdir(exist_ok=True)
        make_series()
        killed = False
        with fault(tmp_path, at):
            try:
                route_all(spool, files, make_plan)
            except Killed:
                killed = True
        work(spool)
        route_all(spool, files, make_plan)
        work(spool)
        assert images_by_place(spool) == expected, f"killed at operation {at}"
        tasks = [path.name for path in spool.queue("success").iterdir()]
        assert len(tasks) == len(make_plan(a_series()).tasks), f"killed at operation {at}"
        deliveries = list((spool.root / "delivered").iterdir())
        assert len(deliveries) == len(make_plan(a_series()).deliveries)
        assert left_in_staging(spool) == []
        clear(spool)
        at += 1
    assert at > 8, "the faults did not reach the commit"


def a_series() -> Series:
    return Series(UID, {"StudyInstanceUID": "1.2.3"}, (), "00000000-0000-0000-0000-000000000000")


def clear(spool: Spool) -> None:
    import shutil

    shutil.rmtree(spool.root)
    spool.prepare(["outgoing", "processing"])


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.EMFILE])
def test_a_commit_that_fails_anywhere_keeps_the_images_and_is_carried_on(
    tmp_path: Path, make_series: MakeSeries, spool: Spool, files: Files, code: int
) -> None:
    at, reached = 0, True
    while reached:
        (spool.root / "delivered").mkdir()
        make_series()
        # Some failures are none: a folder that is not there need not be cleared.
        with fault(tmp_path, at, lambda: OSError(code, "injected")) as trap, suppress(OSError):
            route_all(spool, files, everything)
        reached = trap.seen > at
        in_spool = Counter(path.name for path in spool.root.rglob("*.dcm"))
        assert set(in_spool) == set(IMAGES), f"lost at operation {at}"
        route_all(spool, files, everything)
        work(spool)
        assert images_by_place(spool)["success"] == Counter(dict.fromkeys(IMAGES, 3))
        clear(spool)
        at += 1
    assert at > 15, "the faults did not reach the commit"


def test_a_lone_taker_gets_the_folder_itself(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    inode = (make_series() / f"{UID}#0.dcm").stat().st_ino
    route_all(spool, files, one_task)
    (task,) = spool.queue("outgoing").iterdir()
    assert (task / f"{UID}#0.dcm").stat().st_ino == inode
    assert (task / f"{UID}#0.dcm").stat().st_nlink == 1


def test_readers_get_links_and_a_writer_gets_copies(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    make_series()
    route_all(spool, files, everything)
    name = f"{UID}#1.dcm"
    outgoing = {(t / name).stat().st_ino for t in spool.queue("outgoing").iterdir()}
    processing = {(t / name).stat().st_ino for t in spool.queue("processing").iterdir()}
    study = {(t / name).stat().st_ino for t in spool.studies.iterdir()}
    assert len(outgoing) == 1
    assert outgoing == study
    assert not processing & outgoing


def test_what_slips_in_after_the_survey_begins_a_new_round(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    make_series()

    def late(series: Series) -> Plan:
        folder = spool.staging / f"series-a-{series.claim_id}" / f"source-{UID}"
        manifest_is_made_from = Plan((route_plan(), route_plan(key="archive")))
        late_images.append(folder / "late.dcm")
        return manifest_is_made_from

    late_images: list[Path] = []
    claim = claim_series(spool, "a", UID)
    assert claim is not None
    commit = Commit(spool, files, claim)
    series, _ = claimed_series(claim, no_reader, files)
    names = [path.name for path in claim.source.iterdir()]
    commit.begin(compose_manifest(series, late(series), ("to-pacs",), names, set(), NOW))
    late_images[0].write_bytes(b"late")
    commit.carry_out()
    assert [path.name for path in (spool.incoming / UID).iterdir()] == ["late.dcm"]


def test_a_queue_folder_that_was_deleted_is_made_again(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    make_series()
    spool.queue("outgoing").rmdir()
    route_all(spool, files, one_task)
    assert images_by_place(spool) == {"outgoing": IMAGES}


def test_every_task_file_says_what_the_task_is(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    make_series(PatientName="Doe^Jane", SenderAET="CT1")
    route_all(spool, files, one_task)
    (task,) = spool.queue("outgoing").iterdir()
    content = json.loads((task / "task.json").read_text())
    assert content["id"] == task.name
    assert content["info"]["uid"] == UID
    assert content["info"]["patient_name"] == "Doe^Jane"
    assert content["info"]["sender_aet"] == "CT1"
    assert content["info"]["mrn"] == "MISSING"
    assert content["info"]["triggered_rules"] == ["to-pacs"]
    assert content["journal"][0]["time"] == NOW.isoformat()


def test_a_series_joins_a_study_twice_and_both_versions_of_an_image_are_kept(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    def only_study(series: Series) -> Plan:
        return Plan(studies=(study_plan(series),))

    make_series(images=2)
    route_all(spool, files, only_study)
    again = make_series(images=2)
    (again / f"{UID}#1.dcm").write_bytes(b"another image of the same name")
    route_all(spool, files, only_study)
    (study,) = spool.studies.iterdir()
    images = sorted(path.read_bytes() for path in study.glob("*.dcm"))
    assert images == sorted(
        [
            f"image 0 of {UID}".encode(),
            f"image 1 of {UID}".encode(),
            b"another image of the same name",
        ]
    )
    content = json.loads((study / "task.json").read_text())
    assert content["study"]["received_series_uid"] == [UID, UID]
    assert content["info"]["uid"] == "1.2.3"


def test_a_lone_writer_gets_copies_of_what_others_have_too(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    make_series(images=1)
    claim = claim_series(spool, "a", UID)
    assert claim is not None
    series, _ = claimed_series(claim, no_reader, files)
    plan = Plan((route_plan("processing"),))
    names = [path.name for path in claim.source.iterdir()]
    for shared, taking in ((False, Taking.FOLDER), (True, Taking.COPY)):
        manifest = compose_manifest(series, plan, (), names, {"processing"}, NOW, shared)
        assert [task.taking for task in manifest.tasks] == [taking]


def test_what_slips_in_never_replaces_what_came_since(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    make_series()
    claim = claim_series(spool, "a", UID)
    assert claim is not None
    commit = Commit(spool, files, claim)
    series, _ = claimed_series(claim, no_reader, files)
    names = [path.name for path in claim.source.iterdir()]
    plan = Plan((route_plan(), route_plan(key="archive")))
    commit.begin(compose_manifest(series, plan, (), names, set(), NOW))
    (claim.source / "late.dcm").write_bytes(b"slipped in")
    (spool.incoming / UID).mkdir()
    (spool.incoming / UID / "late.dcm").write_bytes(b"came since")
    commit.carry_out()
    found = sorted(path.read_bytes() for path in (spool.incoming / UID).iterdir())
    assert found == [b"came since", b"slipped in"]
