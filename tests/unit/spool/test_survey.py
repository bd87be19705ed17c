"""The same image twice in one series folder, what receivers say of images, and who interrupts.

Knows the names that receivers give. Does not know DICOM.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute.errors import TagsError
from mroute.models import Durability
from mroute.spool.arrivals.survey import Contents, preview, survey
from mroute.spool.files import Files
from mroute.spool.layout import tags_file
from mroute.spool.tags import read_tags, read_uids
from mroute.types import Tags
from tests.faults import Killed, fault

UID = "1.2.826.0.1"
FILES = Files(Durability.PROCESS)


def refuse(path: Path) -> Tags:
    raise TagsError(f"'{path.name}' is no DICOM file")


def look(folder: Path) -> Contents:
    """What `preview` says, which must be what `survey` says after it."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    seen = preview(folder, lambda image: read_tags(tags_file(image)))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    found = survey(folder, refuse, FILES)
    assert (found.images, found.rejected) == (seen.images, seen.rejected)
    assert (found.trouble, found.conflicts) == (seen.trouble, seen.conflicts)
    assert found.names == {path.name for path in folder.iterdir()} - {".force-rule"}
    return found


def put(folder: Path, name: str, content: str, instance: str) -> None:
    (folder / f"{name}.dcm").write_text(content)
    tags = {"SeriesInstanceUID": UID, "SOPInstanceUID": instance}
    (folder / f"{name}.tags").write_text(json.dumps(tags))


def with_suffix(name: str) -> str:
    return f"{name}.dcm"


NAMES = {
    "as mroute names them": (f"{UID}#1.5", f"{UID}#1.5#0f1e"),
    "as storescp names them": (f"{UID}#MR.X.1.9.1", f"{UID}#MR.X.1.9.2"),
    "one so, one so": (f"{UID}#1.5", f"{UID}#MR.X.1.9.2"),
    "as anybody names them": ("IM1", "IM2"),
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_an_image_that_is_there_twice_is_kept_once(tmp_path: Path, names: tuple[str, str]) -> None:
    put(tmp_path, names[0], "image", "1.5")
    put(tmp_path, names[1], "image", "1.5")
    put(tmp_path, f"{UID}#1.50", "image", "1.50")  # of another UID, whatever its content
    kept, twice = sorted(f"{name}.dcm" for name in names)
    found = look(tmp_path)
    assert set(found.images) == {kept, f"{UID}#1.50.dcm"}
    assert found.trouble == (f"received twice with the same content, kept once: '{twice}'",)
    assert (found.conflicts, found.rejected) == ((), ())
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}{suffix}" for name in (kept[:-4], f"{UID}#1.50") for suffix in (".dcm", ".tags")
    }
    assert look(tmp_path).trouble == ()


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_images_of_one_uid_and_other_content_are_all_kept_and_told(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    put(tmp_path, names[0], "image", "1.5")
    put(tmp_path, names[1], "other", "1.5")
    put(tmp_path, f"{names[1]}1", "other", "1.5" if "MR" in names[1] or "IM" in names[1] else "1.6")
    found = look(tmp_path)
    assert {f"{names[0]}.dcm", f"{names[1]}.dcm"} <= set(found.images)
    assert found.conflicts == ("1.5",)
    one, other = sorted(f"{name}.dcm" for name in names)
    assert found.trouble[0] == (
        f"'{one}', '{other}' have the same SOPInstanceUID and different content; all are kept"
    )
    assert look(tmp_path).conflicts == ("1.5",)


def test_images_without_a_uid_are_not_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        put(tmp_path, name, "image", "")
    assert look(tmp_path).images == ("a.dcm", "b.dcm")


def test_tags_that_two_images_share_stay_with_the_one_that_is_kept(tmp_path: Path) -> None:
    put(tmp_path, "a", "image", "1.5")
    (tmp_path / "a").write_text("image")
    found = look(tmp_path)
    assert found.images == ("a",)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "a.tags"}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("error", [Killed, lambda: OSError(5, "Input/output error")])
def test_deleting_one_of_two_may_be_interrupted_anywhere(
    tmp_path: Path, names: tuple[str, str], error: Callable[[], BaseException]
) -> None:
    at, reached = 0, True
    while reached:
        put(tmp_path, names[0], "image", "1.5")
        for name in names[1:]:
            put(tmp_path, name, "image", "1.5")
        with fault(tmp_path, at, error) as trap, suppress(Killed, OSError):
            survey(tmp_path, refuse, FILES)
        reached, at = trap.seen > at, at + 1
        found = look(tmp_path)
        assert (found.images, found.rejected) == ((f"{min(names, key=with_suffix)}.dcm",), ())
        assert [path.read_text() for path in tmp_path.glob("*.dcm")] == ["image"]
        assert len(list(tmp_path.iterdir())) == 2
    assert at > 1


def test_what_a_receiver_could_not_parse_is_rejected_with_what_it_says(tmp_path: Path) -> None:
    for number in range(4):
        put(tmp_path, f"{UID}#1.{number}", "image", f"1.{number}")
    (tmp_path / f"{UID}#1.0.error").write_text("one")
    (tmp_path / f"{UID}#1.1.dcm.error").write_text("x" * 1000)
    (tmp_path / f"{UID}#1.1.dcm.error.lock").touch()
    (tmp_path / "gone.error").write_bytes(b"\xff\n\n")
    found = look(tmp_path)
    assert found.images == (f"{UID}#1.2.dcm", f"{UID}#1.3.dcm")
    assert [(each.name, each.beside) for each in found.rejected] == [
        (f"{UID}#1.0.dcm", (f"{UID}#1.0.error",)),
        (f"{UID}#1.1.dcm", (f"{UID}#1.1.dcm.error", f"{UID}#1.1.dcm.error.lock")),
        ("gone.error", ()),
    ]
    reasons = [each.reason.partition(":\n")[2] for each in found.rejected]
    assert reasons == ["one", "x" * 500 + "...", "\ufffd"]


def test_tags_that_are_no_file_reject_their_image_and_go_with_it(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path, f"{UID}#1.{number}", "image", f"1.{number}")
    (tmp_path / f"{UID}#1.1.tags").unlink()
    os.mkfifo(tmp_path / f"{UID}#1.1.tags")
    found = survey(tmp_path, refuse, FILES)
    assert found.images == (f"{UID}#1.0.dcm", f"{UID}#1.2.dcm")
    assert [each.name for each in found.rejected] == [f"{UID}#1.1.dcm"]


def test_the_tags_of_an_image_among_others_are_not_opened(tmp_path: Path) -> None:
    """Scenario 10 is about the image that decides; what is beside the others goes along."""
    for number in range(3):
        put(tmp_path, f"{UID}#1.{number}", "image", f"1.{number}")
    (tmp_path / f"{UID}#1.1.tags").write_text("{broken")
    found = look(tmp_path)
    assert len(found.images) == 3
    (tmp_path / f"{UID}#1.0.tags").write_text("{broken")
    found = look(tmp_path)
    assert found.images == (f"{UID}#1.2.dcm",)
    assert [each.name for each in found.rejected] == [f"{UID}#1.0.dcm", f"{UID}#1.1.dcm"]


def test_tags_whose_image_will_follow_are_no_news(tmp_path: Path) -> None:
    """They are left when a series is claimed while an image is being received into it."""
    folder, staged = tmp_path / "folder", tmp_path / "staged.tags"
    folder.mkdir()
    put(folder, f"{UID}#1.1", "image", "1.1")
    staged.write_text("{}")
    (folder / f"{UID}#1.2.tags").hardlink_to(staged)
    (folder / f"{UID}#1.3.tags").touch()
    (folder / f"{UID}#1.4.tags").write_text("{}")
    found = look(folder)
    assert [each.name for each in found.rejected] == [f"{UID}#1.4.tags"]
    assert {path.name for path in folder.iterdir()} == {
        f"{UID}#1.1.dcm",
        f"{UID}#1.1.tags",
        f"{UID}#1.4.tags",
    }
    assert staged.exists()


@given(st.dictionaries(st.sampled_from(["SeriesInstanceUID", "SOPInstanceUID", "A"]), st.text()))
def test_uids_that_are_looked_up_are_those_that_are_read(tags: dict[str, Any]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.tags")
        for text in (json.dumps(tags), json.dumps({**tags, "SOPInstanceUID": "1.2"}, indent=1)):
            path.write_text(text)
            read, _ = read_tags(path)
            expected = tuple(read.get(key, "") for key in ("SeriesInstanceUID", "SOPInstanceUID"))
            assert read_uids(path) == expected
