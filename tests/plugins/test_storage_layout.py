"""A layout is a path of folders, whatever the tags of an image say."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute_storage.layout import as_name, check_layout, folder_for

TAGS = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "PatientName": "Doe^John"}


@pytest.mark.parametrize(
    ("layout", "folder"),
    [
        ("", ""),
        ("{StudyInstanceUID}/{SeriesInstanceUID}", "1.2/1.2.3"),
        ("images/{task_id}", "images/t1"),
        ("{PatientName}-{StudyDate}", "Doe^John-unknown"),
    ],
)
def test_the_values_of_tags_stand_for_their_keywords(layout: str, folder: str) -> None:
    assert folder_for(check_layout(layout), TAGS, "t1") == folder


@given(st.text())
def test_a_value_is_one_name_whatever_it_is(value: str) -> None:
    folder = folder_for("a/{PatientName}/b", {"PatientName": value}, "t1")
    path = PurePosixPath(folder)
    assert len(path.parts) == 3
    assert path.parts[1] not in ("", ".", "..")
    assert not set(path.parts[1]) & set('\\:*?"<>|#%')
    assert path.parts[1].isprintable()
    assert len(path.parts[1].encode()) <= 120


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("  Doe ", "Doe"),
        ("a\nb\0c", "a_b_c"),
        ("...", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_cannot_be_in_a_name_is_not(value: str, name: str) -> None:
    assert as_name(value) == name


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("/data", "cannot be the name of a folder"),
        ("a//b", "cannot be the name of a folder"),
        ("a/../b", "cannot be the name of a folder"),
        ("{StudyDate", "is no layout"),
        ("{StudyDate:4}", "expected a keyword alone"),
        ("{StudyDate!r}", "expected a keyword alone"),
        ("{tags.StudyDate}", "names no tag"),
        ("{0x}/{}", "names no tag"),
        ("a\\b", "cannot be the name of a folder"),
    ],
)
def test_what_is_no_layout_is_refused_with_a_sentence(layout: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_layout(layout)
