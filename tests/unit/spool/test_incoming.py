"""How images get into ``incoming/``, and which series have come to rest.

Knows folders and their times. Does not know what happens to a series.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mroute.errors import TagsError, UnsafeNameError
from mroute.spool.claim import claim_series
from mroute.spool.files import Files
from mroute.spool.incoming import pending_by_study, receive, scan
from mroute.spool.layout import Spool
from tests.faults import Killed, fault
from tests.unit.spool.conftest import UID, MakeSeries

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUIET = timedelta(seconds=60)
TAGS = {"SeriesInstanceUID": UID, "SOPInstanceUID": "7"}


def age(folder: Path, seconds: float) -> None:
    when = NOW.timestamp() - seconds
    os.utime(folder, (when, when))


def test_a_series_is_complete_when_quiet_for_longer_than_the_limit(
    spool: Spool, make_series: MakeSeries
) -> None:
    for uid, seconds in {"1.1": 61, "1.2": 60, "1.3": 59, "1.0": 600}.items():
        age(make_series(uid), seconds)
    arrivals = scan(spool, NOW, QUIET)
    assert arrivals.complete == ("1.0", "1.1")
    assert arrivals.pending == ("1.2", "1.3")


def test_what_a_receiver_could_not_parse_is_no_series(
    spool: Spool, make_series: MakeSeries
) -> None:
    for name in ("error", "x.error", ".hidden"):
        age(make_series(name), 600)
    (spool.incoming / "loose.dcm").write_bytes(b"image")
    arrivals = scan(spool, NOW, QUIET)
    assert (arrivals.complete, arrivals.pending) == ((), ())
    # What waits for somebody is told, never passed over in silence.
    assert arrivals.loose == (".hidden", "loose.dcm")


def test_series_on_their_way_are_known_by_their_study(
    spool: Spool, make_series: MakeSeries
) -> None:
    make_series("1.1", study="S")
    make_series("1.2", study="S")
    make_series("1.3", study="other")
    broken = make_series("1.4", images=1)
    (broken / "1.4#0.tags").write_text("{broken")
    assert claim_series(spool, "1.2") is not None
    assert pending_by_study(spool, ["1.1", "1.3", "1.4"]) == {
        "S": ("1.1", "1.2"),
        "other": ("1.3",),
    }


def test_an_image_is_received_with_its_tags(spool: Spool, files: Files, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"image")
    stored = receive(spool, files, tmp_path / "image", {**TAGS, "SenderAET": "CT1"})
    assert stored == spool.incoming / UID / f"{UID}#7.dcm"
    assert stored.read_bytes() == b"image"
    tags = json.loads(stored.with_suffix(".tags").read_text())
    assert tags == {**TAGS, "SenderAET": "CT1"}
    assert not (tmp_path / "image").exists()


def test_an_image_received_twice_is_stored_once(spool: Spool, files: Files, tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "image").write_bytes(b"image")
        receive(spool, files, tmp_path / "image", TAGS)
    assert [path.name for path in (spool.incoming / UID).glob("*.dcm")] == [f"{UID}#7.dcm"]


def test_two_images_of_one_uid_are_both_kept(spool: Spool, files: Files, tmp_path: Path) -> None:
    for content in (b"one", b"other"):
        (tmp_path / "image").write_bytes(content)
        receive(spool, files, tmp_path / "image", TAGS)
    images = sorted((spool.incoming / UID).glob("*.dcm"))
    assert sorted(path.read_bytes() for path in images) == [b"one", b"other"]
    assert all(path.with_suffix(".tags").exists() for path in images)


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ({"SOPInstanceUID": "7"}, TagsError),
        ({"SeriesInstanceUID": UID}, TagsError),
        ({**TAGS, "SeriesInstanceUID": "../outgoing/evil"}, UnsafeNameError),
        ({**TAGS, "SOPInstanceUID": "a/b"}, UnsafeNameError),
        ({**TAGS, "SOPInstanceUID": "a\0b"}, UnsafeNameError),
        ({**TAGS, "SeriesInstanceUID": ".hidden"}, UnsafeNameError),
    ],
)
def test_an_image_without_usable_uids_stays_where_it_is(
    spool: Spool, files: Files, tmp_path: Path, tags: dict[str, str], error: type[Exception]
) -> None:
    (tmp_path / "image").write_bytes(b"image")
    with pytest.raises(error):
        receive(spool, files, tmp_path / "image", tags)
    assert (tmp_path / "image").read_bytes() == b"image"
    assert list(spool.incoming.iterdir()) == []


def test_an_image_is_never_lost_wherever_receiving_is_killed(
    spool: Spool, files: Files, tmp_path: Path
) -> None:
    at, reached = 0, True
    image = tmp_path / "image"
    while reached:
        image.write_bytes(b"image")
        with fault(tmp_path, at) as trap:
            try:
                receive(spool, files, image, TAGS)
            except Killed:
                stored = list(spool.incoming.rglob("*.dcm"))
                assert image.exists() or stored, f"lost at operation {at}"
                assert all(path.read_bytes() == b"image" for path in stored)
        if image.exists():
            receive(spool, files, image, TAGS)
        assert [path.read_bytes() for path in spool.incoming.rglob("*.dcm")] == [b"image"]
        reached, at = trap.seen > at, at + 1
    assert at > 8
