"""What a commit comes to: who gets the folder, links or copies, and what becomes of the rest.

Knows what a plan must come to. Does not know how a commit goes about it, or what can fail.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mroute.spool.claim import claim_series
from mroute.spool.collected import unusable_study
from mroute.spool.commit import Commit
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.manifest import Taking, compose_manifest
from mroute.spool.studies import join_study
from mroute.spool.subjects import claimed_series
from mroute.types import Plan, Series
from tests.unit.spool.commits import (
    IMAGES,
    NOW,
    everything,
    images_by_place,
    no_reader,
    one_task,
    route_all,
    route_plan,
    study_plan,
)
from tests.unit.spool.conftest import UID, MakeSeries


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


def test_a_series_whose_claim_is_taken_away_has_not_joined(
    spool: Spool, files: Files, make_series: MakeSeries, tmp_path: Path
) -> None:
    """By another run, that holds this one for dead: its lock file was deleted."""
    make_series(images=1)
    claim = claim_series(spool, "a", UID)
    assert claim is not None
    series, contents = claimed_series(claim, no_reader, files)
    plan = Plan(studies=(study_plan(series),))
    (entry,) = compose_manifest(series, plan, (), contents.names, (), NOW).studies
    taken = claim.source.rename(tmp_path / "taken")
    with pytest.raises(FileNotFoundError):
        join_study(spool, files, claim.source, entry)
    join_study(spool, files, taken, entry)
    (study,) = spool.studies.iterdir()
    assert sorted(path.suffix for path in study.glob("*#0.*")) == [".dcm", ".tags"]


@pytest.mark.parametrize("name", ["task.json", "task.json.kept", "task.json-1.dcm", "reason.json"])
def test_an_image_named_like_a_file_about_the_study_is_collected_as_an_image(
    spool: Spool, files: Files, make_series: MakeSeries, name: str
) -> None:
    folder = make_series(images=1)
    (folder / name).write_bytes(b"image")
    beside = json.loads((folder / f"{UID}#0.tags").read_text())
    (folder / f"{name.removesuffix('.dcm')}.tags").write_text(json.dumps(beside))
    route_all(spool, files, lambda series: Plan(studies=(study_plan(series),)))
    (study,) = spool.studies.iterdir()
    assert json.loads((study / "task.json").read_text())["info"]["uid"] == "1.2.3"
    collected = unusable_study(study, "c", "1.2.3", "spine")
    assert [(study / each).read_bytes() for each in collected.images] == [
        f"image 0 of {UID}".encode(),
        b"image",
    ]


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


def test_bytes_that_are_no_text_become_a_sign_that_every_parser_knows(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    for make_plan in (one_task, everything):
        make_series(PatientName="M\udcfcller")
        route_all(spool, files, make_plan)
    for path in spool.root.rglob("task.json"):
        assert "\\ud" not in path.read_text("ascii")
        assert json.loads(path.read_text())["info"]["patient_name"] == "M\ufffdller"
