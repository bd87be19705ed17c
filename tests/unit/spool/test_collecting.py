"""A folder of studies that is looked at again and again: what is asked for anew, and what is not.

Knows the folders. Does not know any condition.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from mroute.models import ConditionBase
from mroute.spool.collecting import Collecting
from mroute.spool.layout import Spool
from mroute.testing import NOW, make_study
from mroute.types import FOREVER, Verdict

HOUR = timedelta(hours=1)
NOT_YET = Verdict(False, "not yet", valid_until=NOW + HOUR)
STUDY = make_study(ConditionBase(complete="any"))


@pytest.fixture
def collecting(spool: Spool) -> Collecting:
    for name in ("1.2#b", "1.2#a", "1.3#a"):
        (spool.studies / name).mkdir()
        (spool.studies / name / "task.json").write_text("{}")
    (spool.studies / ".gone-on").mkdir()
    (spool.studies / "a file").touch()
    return Collecting(spool)


def answered(
    collecting: Collecting, verdict: Verdict = NOT_YET, pending: tuple[str, ...] = ()
) -> None:
    for seen in collecting.scan(NOW):
        collecting.remember(seen, pending, verdict, STUDY)


def asked(
    collecting: Collecting, passed: timedelta = timedelta(0), pending: tuple[str, ...] = ()
) -> list[str]:
    """The studies that are to be asked for again."""
    now = NOW + passed
    return [
        seen.name for seen in collecting.scan(now) if collecting.verdict(seen, pending, now) is None
    ]


ALL = ["1.2#a", "1.2#b", "1.3#a"]


def test_all_studies_are_asked_for_in_the_order_of_their_names(collecting: Collecting) -> None:
    assert asked(collecting) == ALL
    assert [seen.study_uid for seen in collecting.scan(NOW)] == ["1.2", "1.2", "1.3"]


def test_nothing_is_asked_for_while_the_answers_hold(collecting: Collecting) -> None:
    answered(collecting)
    assert asked(collecting) == asked(collecting, HOUR) == []
    assert asked(collecting, HOUR + timedelta.resolution) == ALL
    answered(collecting, Verdict(False, "", valid_until=FOREVER))
    assert asked(collecting, timedelta(days=9999)) == []


def test_an_answer_that_does_not_say_how_long_it_holds_is_asked_for_always(
    collecting: Collecting,
) -> None:
    answered(collecting, Verdict(False, "who knows"))
    assert asked(collecting) == ALL
    assert [collecting.study(seen) for seen in collecting.scan(NOW)] == [STUDY] * 3
    answered(collecting)
    assert [collecting.study(seen) for seen in collecting.scan(NOW)] == [None] * 3


def replaced(folder: Path) -> None:
    (folder / "new").write_text("{}")
    (folder / "new").rename(folder / "task.json")


def edited(folder: Path) -> None:
    (folder / "task.json").write_text('{"a": 1}')


def edited_to_the_same_size(folder: Path) -> None:
    (folder / "task.json").write_text("[]")
    os.utime(folder / "task.json", ns=(1, 1))


def added(folder: Path) -> None:
    os.utime(folder, (1, 1))
    (folder / ".force-complete").touch()


def lost(folder: Path) -> None:
    (folder / "task.json").unlink()


@pytest.mark.parametrize("change", [replaced, edited, edited_to_the_same_size, added, lost])
def test_what_changed_is_asked_for_again(
    collecting: Collecting, spool: Spool, change: object
) -> None:
    answered(collecting, Verdict(False, "", valid_until=FOREVER))
    assert callable(change)
    change(spool.studies / "1.2#b")
    assert asked(collecting) == ["1.2#b"]
    changed = next(seen for seen in collecting.scan(NOW) if seen.name == "1.2#b")
    assert collecting.study(changed) is None


def test_series_that_begin_or_end_to_arrive_are_a_change(collecting: Collecting) -> None:
    answered(collecting)
    assert asked(collecting, pending=("1.2.9",)) == ALL
    answered(collecting, pending=("1.2.9",))
    assert asked(collecting, pending=("1.2.9",)) == []
    assert asked(collecting) == ALL


def test_a_study_that_went_on_and_began_again_is_another_one(
    collecting: Collecting, spool: Spool
) -> None:
    answered(collecting)
    (spool.studies / "1.2#b").rename(spool.root / "elsewhere")
    assert asked(collecting) == []
    (spool.root / "elsewhere").rename(spool.studies / "1.2#b")
    assert asked(collecting) == ["1.2#b"]


def test_no_answer_holds_once_the_clock_was_set_back(collecting: Collecting) -> None:
    answered(collecting)
    assert asked(collecting, timedelta(milliseconds=-900)) == []
    assert asked(collecting, -HOUR) == ALL


def test_no_answer_holds_once_the_rules_changed(collecting: Collecting) -> None:
    answered(collecting)
    collecting.forget()
    assert asked(collecting) == ALL


def test_it_is_known_when_time_alone_can_change_an_answer(collecting: Collecting) -> None:
    assert collecting.due is None
    answered(collecting, Verdict(False, "who knows"))
    assert collecting.due is None
    first, second, third = collecting.scan(NOW)
    for seen, hours in ((first, 3), (second, 2)):
        verdict = Verdict(False, "", valid_until=NOW + hours * HOUR)
        collecting.remember(seen, (), verdict, None)
    assert collecting.due == NOW + 2 * HOUR
    assert third.name == "1.3#a"
