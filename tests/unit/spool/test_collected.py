"""A collecting study in memory: its series, their tags, its images.

Knows the folder of a study. Does not know when it is complete.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mroute.api import ConditionBase, Study
from mroute.spool.collected import InstanceUids, SeriesTags, collected_study, unusable_study
from mroute.spool.layout import Spool
from mroute.testing import NOW, make_rule
from mroute_dispatch.planning import RouteRule

RULE = make_rule(RouteRule, targets=["pacs"], study=ConditionBase(complete="any"), on="study")


def image(folder: Path, name: str, **tags: str) -> None:
    (folder / f"{name}.dcm").write_text(name)
    (folder / f"{name}.tags").write_text(json.dumps(tags))


@pytest.fixture
def folder(spool: Spool) -> Path:
    folder = spool.study("9.9", "spine")
    folder.mkdir()
    image(folder, "1.1#1.1.1", SeriesDescription="first", SOPInstanceUID="1.1.1")
    image(folder, "1.1#1.1.2", SeriesDescription="first", SOPInstanceUID="1.1.2")
    image(folder, "1.0#1.0.1", SeriesDescription="second", SOPInstanceUID="1.0.1")
    (folder / "task.json").write_text("{}")
    (folder / ".joining-x").touch()
    return folder


def read(folder: Path, **changed: Any) -> Study:
    section = {
        "received_series": ["first", "second"],
        "creation_time": NOW.isoformat(),
        "last_receive_time": (NOW + timedelta(hours=1)).isoformat(),
    }
    collection = {
        "rule_name": "spine",
        "series": [{"image": "1.1#1.1.1.dcm"}, {"image": "1.0#1.0.1.dcm"}],
        "trouble": ["two patients"],
        **changed.pop("collection", {}),
    }
    content = {
        "info": {"uid": "9.9"},
        "study": {**section, **changed},
        "collection": collection,
        "journal": [{"action": "created"}],
    }
    return collected_study(folder, "claim", content, RULE, timedelta(minutes=15), {})


def test_a_study_has_the_tags_of_every_series_in_the_order_in_which_they_came(
    folder: Path,
) -> None:
    study = read(folder)
    assert [tags["SeriesDescription"] for tags in study.series] == ["first", "second"]
    assert study.tags["SeriesDescription"] == "first"
    assert study.images == ("1.0#1.0.1.dcm", "1.1#1.1.1.dcm", "1.1#1.1.2.dcm")
    assert study.instances == 3
    assert study.trouble == ("two patients",)
    assert (study.created_at, study.last_received_at) == (NOW, NOW + timedelta(hours=1))
    assert [each["action"] for each in study.journal] == ["created"]


def test_tags_are_read_when_they_are_looked_at(folder: Path) -> None:
    series = read(folder).series
    (folder / "1.0#1.0.1.tags").write_text(json.dumps({"SeriesDescription": "edited"}))
    assert series[-1]["SeriesDescription"] == "edited"
    (folder / "1.0#1.0.1.tags").unlink()
    assert series[1]["SeriesDescription"] == "edited"
    assert [each["SeriesDescription"] for each in series[:2]] == ["first", "edited"]
    with pytest.raises(IndexError):
        series[2]


def test_tags_that_cannot_be_read_are_none(folder: Path) -> None:
    (folder / "1.1#1.1.1.tags").write_text("{")
    (folder / "1.0#1.0.1.tags").unlink()
    assert list(read(folder).series) == [{}, {}]


def test_a_study_of_an_earlier_version_has_the_tags_of_its_first_image(folder: Path) -> None:
    study = read(folder, collection={"series": []})
    assert study.tags["SeriesDescription"] == "second"
    assert list(study.series) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"creation_time": "2026-01-01T12:00:00"},
        {"last_receive_time": "soon"},
        {"creation_time": None},
        {"received_series": None},
    ],
)
def test_a_section_that_is_none_is_an_error(folder: Path, changed: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        read(folder, **changed)


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        ("1.1#1.1.1", "1.1.1"),
        ("0a1b2c3d-1.1#1.1.1", "1.1.1"),  # another image had its name
        ("IM1", "1.1.9"),
        ("1.1#IM1", "1.1.9"),
        ("IM2", "IM2.dcm"),
    ],
)
def test_the_uid_of_an_image_is_in_its_name_or_its_tags(
    tmp_path: Path, name: str, uid: str
) -> None:
    if "2" not in name.partition("#")[0] or "#" in name:
        image(tmp_path, name, SOPInstanceUID="1.1.9", SeriesInstanceUID="1.1")
    assert list(InstanceUids([tmp_path / f"{name}.dcm"])) == [uid]


def test_an_image_that_came_twice_counts_once(folder: Path) -> None:
    image(folder, "0a1b2c3d-1.1#1.1.1")
    assert len(read(folder).images) == 4
    assert read(folder).instances == 3


def test_a_study_that_cannot_be_used_has_its_images(folder: Path) -> None:
    study = unusable_study(folder, "claim", "9.9", "spine")
    assert len(study.images) == 3
    assert study.tags["SeriesDescription"] == "second"
    assert list(study.series) == []
    assert SeriesTags([])[:] == []
