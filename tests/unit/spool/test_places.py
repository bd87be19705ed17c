"""Places of series in collecting studies: kept, given up, left behind.

Knows the marks in the folders of studies. Does not know how a series joins.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mroute.errors import UnsafeNameError
from mroute.models import Durability
from mroute.spool.claim import claim_series
from mroute.spool.files import Files
from mroute.spool.goneon import remember
from mroute.spool.layout import Spool
from mroute.spool.places import (
    Memory,
    Place,
    give_up_places,
    joining,
    keep_place,
    left_behind,
    mark_of,
    take_off,
)
from mroute.testing import NOW
from mroute.types import GoneOn
from tests.unit.spool.conftest import UID, MakeSeries

STUDY = ("1.2.3", "spine")
GONE = GoneOn("before", NOW, "all there", task_id="task")
WEEK = Memory(NOW, timedelta(days=7))


def keep(spool: Spool, claim_id: str = "a", memory: Memory = WEEK, anew: bool = True) -> Place:
    return keep_place(spool, claim_id, STUDY, memory, lambda gone: anew)


def gone_on(spool: Spool) -> Path:
    folder = spool.study(*STUDY)
    remember(spool, Files(Durability.PROCESS), folder.name, GONE)
    return folder


def test_the_first_series_begins_the_study_and_the_next_finds_it(spool: Spool) -> None:
    assert keep(spool) == Place(True)
    assert keep(spool, "b") == Place(True)
    assert keep(spool, "b") == Place(True)
    assert joining(spool.study(*STUDY)) == ["a", "b"]


def test_a_study_that_has_gone_on_is_begun_anew_only_where_that_is_wanted(spool: Spool) -> None:
    folder = gone_on(spool)
    assert keep(spool, anew=False) == Place(False, GONE)
    assert not folder.exists()
    assert keep(spool) == Place(True, GONE)
    # There is a study now: nobody after it is late.
    assert keep(spool, "b", anew=False) == Place(True)


@pytest.mark.parametrize(
    ("passed", "within", "late"),
    [(7, 7, True), (8, 7, False), (0, 0, False), (400, 500, True)],
)
def test_what_went_on_long_ago_is_forgotten(
    spool: Spool, passed: int, within: int, late: bool
) -> None:
    gone_on(spool)
    memory = Memory(NOW + timedelta(days=passed), timedelta(days=within))
    assert keep(spool, memory=memory, anew=False).kept is not late


def test_a_place_that_is_given_up_leaves_nothing(spool: Spool) -> None:
    folder = spool.study(*STUDY)
    keep(spool)
    keep(spool, "b")
    give_up_places(spool, "a", [STUDY, ("9.9", "no such study")])
    assert joining(folder) == ["b"]
    give_up_places(spool, "b", [STUDY])
    assert not folder.exists()


def test_a_study_with_images_stays_when_a_place_is_given_up(spool: Spool) -> None:
    keep(spool)
    image = spool.study(*STUDY) / "1.dcm"
    image.write_bytes(b"image")
    give_up_places(spool, "a", [STUDY])
    assert [path.name for path in image.parent.iterdir()] == ["1.dcm"]


def test_a_mark_is_left_behind_when_its_claim_is_gone(
    spool: Spool, make_series: MakeSeries
) -> None:
    make_series()
    claim = claim_series(spool, "run", UID)
    assert claim is not None
    keep(spool, claim.id)
    keep(spool, "of-nobody")
    folder = spool.study(*STUDY)
    assert left_behind(spool, folder) == ["of-nobody"]
    take_off(spool, folder.name, ["of-nobody"])
    assert joining(folder) == [claim.id]
    assert left_behind(spool, folder) == []
    claim.folder.rename(spool.root / "taken away by hand")
    assert left_behind(spool, folder) == [claim.id]


def test_a_mark_that_is_gone_is_taken_off_all_the_same(spool: Spool) -> None:
    keep(spool)
    mark_of(spool.study(*STUDY), "a").unlink()
    take_off(spool, spool.study(*STUDY).name, ["a"])
    take_off(spool, "no such study", ["a"])
    assert not spool.study(*STUDY).exists()


def test_a_uid_that_must_not_become_a_path_is_refused(spool: Spool) -> None:
    with pytest.raises(UnsafeNameError):
        keep_place(spool, "a", ("../outgoing/evil", "spine"), WEEK, lambda gone: True)
