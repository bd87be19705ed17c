"""Tags files as they come, and what is good and bad in a series folder.

Knows bad input of every kind. Does not know DICOM.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute.errors import TagsError
from mroute.models import Durability
from mroute.spool.arrivals.survey import survey
from mroute.spool.files import Files
from mroute.spool.tags import read_tags, write_tags
from mroute.types import Tags
from tests.unit.spool.conftest import UID, MakeSeries

FILES = Files(Durability.PROCESS)


def refuse(path: Path) -> Tags:
    raise TagsError(f"'{path.name}' is no DICOM file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"Modality": "CT"', "is no JSON"),
        (b"", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'["CT"]', "holds no JSON object"),
        (b'{"Modality": {"a": 1}}', "has dict under 'Modality'; expected a text"),
        (b'{"Modality": ["CT"]}', "has list under 'Modality'; expected a text"),
    ],
)
def test_a_bad_tags_file_is_told_by_its_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.tags"
    path.write_bytes(content)
    with pytest.raises(TagsError, match=r"'a\.tags'") as caught:
        read_tags(path)
    assert message in str(caught.value)


def test_a_tags_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(TagsError, match=r"'a\.tags' cannot be read: No such file"):
        read_tags(tmp_path / "a.tags")


def test_numbers_and_nothing_are_texts(tmp_path: Path) -> None:
    (tmp_path / "a.tags").write_text('{"Rows": 512, "SliceThickness": 1.5, "StudyID": null}')
    tags, trouble = read_tags(tmp_path / "a.tags")
    assert tags == {"Rows": "512", "SliceThickness": "1.5", "StudyID": ""}
    assert trouble == ""


def test_bytes_that_are_not_utf8_are_kept_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.tags").write_bytes(b'{"BadTag": "Garbage \xb1"}')
    tags, trouble = read_tags(tmp_path / "a.tags")
    assert tags == {"BadTag": "Garbage \udcb1"}
    assert "'a.tags' is not encoded in UTF-8" in trouble


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
def test_tags_that_are_written_are_read_again(tags: dict[str, str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "a.dcm")
        write_tags(FILES, image, tags)
        assert read_tags(Path(folder, "a.tags")) == (tags, "")


def test_the_series_is_decided_by_the_image_that_sorts_first(make_series: MakeSeries) -> None:
    folder = make_series()
    (folder / f"{UID}#0.tags").write_text('{"InstanceNumber": "first"}')
    contents = survey(folder, refuse, FILES)
    assert contents.tags == {"InstanceNumber": "first"}
    assert contents.images == tuple(f"{UID}#{number}.dcm" for number in range(3))
    assert contents.rejected == ()


def test_an_image_without_tags_is_read_and_gets_them(make_series: MakeSeries) -> None:
    folder = make_series(images=1)
    (folder / f"{UID}#0.tags").unlink()
    contents = survey(folder, lambda path: {"Modality": "MR"}, FILES)
    assert contents.tags == {"Modality": "MR"}
    assert json.loads((folder / f"{UID}#0.tags").read_text()) == {"Modality": "MR"}


def test_what_is_no_image_is_rejected_and_the_rest_is_not(make_series: MakeSeries) -> None:
    folder = make_series(images=2)
    (folder / "notes.txt").write_text("no image")
    (folder / "lonely.tags").write_text("{}")
    (folder / "subfolder").mkdir()
    (folder / "link.dcm").symlink_to("/etc/hostname")
    (folder / ".hidden.part").write_text("half")
    contents = survey(folder, refuse, FILES)
    assert contents.images == (f"{UID}#0.dcm", f"{UID}#1.dcm")
    assert {each.name: each.reason for each in contents.rejected} == {
        ".hidden.part": "'.hidden.part' is hidden; a series folder holds images",
        "link.dcm": "'link.dcm' is no file; a series folder holds images",
        "lonely.tags": "'lonely.tags' has no image beside it",
        "notes.txt": "'notes.txt' is no DICOM file",
        "subfolder": "'subfolder' is no file; a series folder holds images",
    }


def test_broken_tags_of_the_first_image_reject_it_and_the_next_decides(
    make_series: MakeSeries,
) -> None:
    folder = make_series(images=2, Modality="CT")
    (folder / f"{UID}#0.tags").write_text("{broken")
    contents = survey(folder, refuse, FILES)
    assert contents.images == (f"{UID}#1.dcm",)
    assert contents.tags["Modality"] == "CT"
    assert [each.name for each in contents.rejected] == [f"{UID}#0.dcm"]


def test_a_forced_rule_comes_from_its_file_and_from_no_tag(make_series: MakeSeries) -> None:
    folder = make_series(images=1, ForceRule="from-a-tag")
    assert survey(folder, refuse, FILES).force_rule is None
    (folder / ".force-rule").write_text("rescue\n")
    assert survey(folder, refuse, FILES).force_rule == "rescue"


def test_images_of_another_series_are_not_decided_by_the_first(make_series: MakeSeries) -> None:
    folder = make_series(images=2)
    read = {"IM1": UID, "IM2": "9.9.9"}
    for name in read:
        (folder / name).write_bytes(b"image")
    (folder / "9.9.9#1.dcm").write_bytes(b"image")
    (folder / "9.9.9#1.tags").write_text("{}")
    for _ in range(2):  # once more, as after a process that died: the tags are there then
        contents = survey(folder, lambda path: {"SeriesInstanceUID": read[path.name]}, FILES)
        assert contents.images == (f"{UID}#0.dcm", f"{UID}#1.dcm", "IM1")
        assert [each.name for each in contents.rejected] == ["9.9.9#1.dcm", "IM2"]
        reason = f"'IM2' is of another series than '{UID}#0.dcm'; each needs a folder of its own"
        assert contents.rejected[1].reason == reason
