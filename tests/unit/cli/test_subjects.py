"""SUBJECTs of a command line: which series they are, what is told, and that nothing changes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from pydicom.data import get_testdata_file, get_testdata_files

from mroute.cli.installed import installed
from mroute.cli.subjects import Given, Subjects
from tests.unit.cli.conftest import Mroute

CT = Path(str(get_testdata_file("CT_small.dcm")))
DIRTESTS = Path(get_testdata_files("dicomdirtests/DICOMDIR")[0]).parent

NO_DICOM = (
    "is no DICOM file: File is missing DICOM File Meta Information header "
    "or the 'DICM' prefix is missing from the header."
)


class Reading:
    """What was read, and what was told meanwhile."""

    def __init__(self, *names: object) -> None:
        self.told: list[str] = []
        reader = Subjects(installed().registry, self.told.append)
        self.given: list[Given] = list(reader.read(tuple(str(each) for each in names)))
        self.failed = reader.failed

    def names(self) -> list[str]:
        return [each.name for each in self.given]


def write_tags(path: Path, **tags: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tags))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# One file


def test_a_dicom_file(folder: Path) -> None:
    shutil.copy(CT, "image.dcm")
    reading = Reading("image.dcm")
    [given] = reading.given
    assert (given.name, given.note, given.series.images) == ("image.dcm", "", ("image.dcm",))
    assert given.series.uid == "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"
    assert given.series.tags["Modality"] == "CT"
    assert (reading.told, reading.failed) == ([], False)


def test_tags_beside_an_image_go_before_its_own(folder: Path) -> None:
    shutil.copy(CT, "image.dcm")
    write_tags(Path("image.tags"), Modality="MR", SenderAET="SCANNER")
    [given] = Reading("image.dcm").given
    assert given.series.tags == {"Modality": "MR", "SenderAET": "SCANNER"}


def test_a_tags_file(folder: Path) -> None:
    write_tags(Path("a.tags"), SeriesInstanceUID="1.2", Rows=128, Nothing=None)
    [given] = Reading("a.tags").given
    assert given.series.tags == {"SeriesInstanceUID": "1.2", "Rows": "128", "Nothing": ""}
    assert (given.series.uid, given.series.force_rule) == ("1.2", None)


def test_bytes_that_are_not_utf_8_are_kept_and_told(folder: Path) -> None:
    Path("a.tags").write_bytes(b'{"PatientName": "M\xfcller"}')
    reading = Reading("a.tags")
    assert reading.given[0].series.tags == {"PatientName": "M\udcfcller"}
    assert reading.told == [
        "'a.tags' is not encoded in UTF-8; its other bytes are kept as they are"
    ]
    assert reading.failed is False


def test_a_subject_that_cannot_be_read_keeps_no_other(folder: Path) -> None:
    os.mkfifo("pipe")
    Path("text.txt").write_text("hello")
    Path("broken.tags").write_text('{"a": ')
    Path("list.tags").write_text("[]")
    Path("deep.tags").write_text('{"a": {"b": "c"}}')
    Path("empty").mkdir()
    write_tags(Path("good.tags"), Modality="CT")
    names = (
        "pipe",
        "text.txt",
        "broken.tags",
        "list.tags",
        "deep.tags",
        "empty",
        "no",
        "good.tags",
    )
    reading = Reading(*names)
    assert reading.names() == ["good.tags"]
    assert reading.failed is True
    assert reading.told == [
        "'pipe' is neither a file nor a folder; pipe JSON into '-'",
        f"'text.txt' {NO_DICOM}",
        (
            "'broken.tags' is no JSON (Expecting value: line 1 column 7 (char 6)); "
            "expected an object of keyword to text"
        ),
        "'list.tags' holds no JSON object; expected one of keyword to text",
        "'deep.tags' has dict under 'a'; expected a text",
        "'empty' holds no image; expected DICOM files or '.tags' files",
        "'no' does not exist; expected a DICOM file, a folder, a '.tags' file or '-'",
    ]


# Folders


def test_a_folder_with_one_series_is_one_subject_decided_by_its_first_image(folder: Path) -> None:
    shutil.copy(CT, write_tags(folder / "s" / "b.tags").with_suffix(".dcm"))
    write_tags(Path("s/b.tags"), SeriesInstanceUID="1.2", Rows="2")
    shutil.copy(CT, "s/a.dcm")
    write_tags(Path("s/a.tags"), SeriesInstanceUID="1.2", Rows="1")
    reading = Reading("s")
    [given] = reading.given
    assert (given.name, given.note) == ("s", "2 images, decided by 'a.dcm'")
    assert given.series.tags["Rows"] == "1"
    assert given.series.images == ("a.dcm", "b.dcm")
    assert reading.told == []


def test_images_of_a_receiver_are_not_all_opened(folder: Path) -> None:
    write_tags(Path("s/1.2#1.tags"), SeriesInstanceUID="1.2")
    Path("s/1.2#1.dcm").touch()
    Path("s/1.2#2.dcm").write_text("would be told as no DICOM file if it were opened")
    reading = Reading("s")
    assert [each.series.images for each in reading.given] == [("1.2#1.dcm", "1.2#2.dcm")]
    assert reading.told == []


def test_a_number_sign_alone_does_not_put_series_together(folder: Path) -> None:
    for number in ("1", "2"):
        write_tags(Path(f"scan #{number}.tags"), SeriesInstanceUID=f"1.{number}")
    assert Reading(".").names() == ["scan #1.tags", "scan #2.tags"]


def test_tags_without_an_image_stand_for_one_unless_their_series_has_some(folder: Path) -> None:
    shutil.copy(CT, "b.dcm")
    write_tags(Path("b.tags"), SeriesInstanceUID="1.1", Rows="2")
    write_tags(Path("a.tags"), SeriesInstanceUID="1.1", Rows="1")
    write_tags(Path("year/c.tags"), SeriesInstanceUID="1.2")
    write_tags(Path("year/d.tags"), SeriesInstanceUID="1.2")
    given = Reading(".").given
    assert [each.name for each in given] == ["b.dcm", "year/c.tags"]
    assert given[0].series.tags["Rows"] == "2"
    assert [each.note for each in given] == [
        "decides for 1 image",
        "decides for 2 '.tags' files without an image",
    ]


def test_series_without_a_uid_are_told_apart_by_their_folders(folder: Path) -> None:
    for name in ("x/a", "x/b", "y/a"):
        write_tags(Path(f"{name}.tags"), Modality="CT")
    given = Reading(".").given
    assert [(each.name, each.series.uid) for each in given] == [
        ("x/a.tags", "x"),
        ("y/a.tags", "y"),
    ]


def test_a_forced_rule_of_the_folder_is_heeded(folder: Path) -> None:
    write_tags(Path("s/a.tags"), SeriesInstanceUID="1.2")
    Path("s/.force-rule").write_text("only-this\n")
    assert Reading("s").given[0].series.force_rule == "only-this"


def test_the_folder_of_a_task_is_a_series(folder: Path) -> None:
    write_tags(Path("t/a.tags"), SeriesInstanceUID="1.2")
    for name in ("task.json", "reason.json", ".lease"):
        Path("t", name).write_text("{}")
    reading = Reading("t")
    assert (reading.names(), reading.told) == (["t"], [])


def test_what_is_no_image_in_a_folder_is_told_and_the_rest_goes_on(folder: Path) -> None:
    shutil.copy(CT, "b.dcm")
    Path("a.txt").write_text("hello")
    os.mkfifo("pipe")
    Path("link.dcm").symlink_to(CT)
    Path("loop").symlink_to(".")
    Path(".hidden").mkdir()
    shutil.copy(CT, ".hidden/c.dcm")
    reading = Reading(".")
    assert reading.names() == ["."]
    assert reading.told == [
        "'loop' is left out: it is a link to a folder",
        "'link.dcm' is left out: it is no file",
        "'pipe' is left out: it is no file",
        f"'a.txt' is left out: 'a.txt' {NO_DICOM}",
    ]
    assert reading.failed is False


def test_damaged_tags_in_a_folder_are_a_failure_and_the_rest_goes_on(folder: Path) -> None:
    write_tags(Path("x.tags"), SeriesInstanceUID="1.1")
    Path("y.tags").write_text("{bro")
    reading = Reading(".")
    assert (reading.names(), reading.failed) == (["."], True)
    [told] = reading.told
    assert told.startswith("'y.tags' is left out: 'y.tags' is no JSON")
    shutil.copy(CT, "y.dcm")
    reading = Reading(".")
    assert (reading.names(), reading.failed) == (["."], True)
    assert reading.told[0].startswith("'y.dcm' is left out: 'y.tags' is no JSON")


def test_real_studies(folder: Path) -> None:
    reading = Reading(DIRTESTS)
    found = [(str(Path(each.name).relative_to(DIRTESTS)), each.note) for each in reading.given]
    assert found[:4] == [
        ("77654033/CR1/6154", "decides for 1 image"),
        ("77654033/CR2/6247", "decides for 1 image"),
        ("77654033/CR3/6278", "decides for 1 image"),
        ("77654033/CT2/17106", "decides for 4 images"),
    ]
    assert len({each.series.study_uid for each in reading.given}) == 7
    assert sum(len(each.series.images) for each in reading.given) == 81
    for each in reading.given:  # a subject names itself
        again = Reading(each.name).given[0].series
        assert (again.uid, again.tags) == (each.series.uid, each.series.tags)


# Standard input


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Reading]:
    def read(content: bytes) -> Reading:
        path = Path("stdin")
        path.write_bytes(content)
        with path.open() as stream:
            monkeypatch.setattr("sys.stdin", stream)
            return Reading("-")

    return read


Piped = Callable[[bytes], Reading]


def test_an_object(folder: Path, piped: Piped) -> None:
    reading = piped(b'\xef\xbb\xbf{"Modality": "CT",\n "Rows": 2}\n')
    [given] = reading.given
    assert (given.name, given.series.tags) == ("-", {"Modality": "CT", "Rows": "2"})
    assert (given.series.uid, given.series.images) == ("unnamed", ("image.dcm",))


def test_several_objects(folder: Path, piped: Piped) -> None:
    reading = piped(b'{"Rows": "1"}\n\n{"Rows": "2"}{"Rows": "3"} ')
    assert [(each.name, each.series.tags["Rows"]) for each in reading.given] == [
        ("-:1", "1"),
        ("-:2", "2"),
        ("-:3", "3"),
    ]
    assert (reading.told, reading.failed) == ([], False)


def test_a_lone_surrogate_and_bytes_that_are_not_utf_8(folder: Path, piped: Piped) -> None:
    reading = piped(b'{"PatientName": "\\ud800", "PatientID": "\xff"}')
    assert reading.given[0].series.tags == {"PatientName": "\ud800", "PatientID": "\udcff"}
    assert reading.told == [
        "'standard input' is not encoded in UTF-8; its other bytes are kept as they are"
    ]


ENDLESS = (
    "standard input, line 1, is no JSON that can be read: "
    "a number is too long, or brackets are nested too deeply"
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "standard input is empty; expected a JSON object of keyword to text"),
        (b" \n", "standard input is empty; expected a JSON object of keyword to text"),
        (
            b'{"a": "b"\n "c": "d"}',
            (
                "standard input is no JSON at line 2, column 2: expecting ',' delimiter; "
                "expected a JSON object of keyword to text"
            ),
        ),
        (
            b"\xa0",
            (
                "standard input is no JSON at line 1, column 1: expecting value; "
                "expected a JSON object of keyword to text"
            ),
        ),
        (b"[]", "'standard input, line 1' holds no JSON object; expected one of keyword to text"),
        (b"\n1", "'standard input, line 2' holds no JSON object; expected one of keyword to text"),
        (b'{"a": ["b"]}', "'standard input, line 1' has list under 'a'; expected a text"),
        (b'{"a": ' + b"9" * 5000 + b"}", ENDLESS),
        (b"[" * 100_000, ENDLESS),
    ],
    ids=["empty", "blank", "broken", "bytes", "list", "number", "nested", "digits", "depth"],
)
def test_what_is_no_object_is_told_with_its_place(
    folder: Path, piped: Piped, content: bytes, told: str
) -> None:
    reading = piped(content)
    assert [each for each in reading.told if "UTF-8" not in each] == [told]
    assert (reading.given, reading.failed) == ([], True)


def test_objects_before_and_after_a_wrong_one_are_read(folder: Path, piped: Piped) -> None:
    reading = piped(b'{"Rows": "1"}\n[]\n{"Rows": "3"}\n{')
    assert reading.names() == ["-:1", "-:3"]
    assert reading.failed is True
    assert reading.told == [
        "'standard input, line 2' holds no JSON object; expected one of keyword to text",
        (
            "standard input is no JSON at line 4, column 2: expecting property name enclosed in "
            "double quotes; expected a JSON object of keyword to text"
        ),
    ]


def test_standard_input_that_is_closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    reading = Reading("-")
    assert reading.told == ["standard input is closed; expected a JSON object of keyword to text"]


def test_standard_input_is_named_once() -> None:
    with pytest.raises(click.UsageError, match="'-' is standard input, which can be read once"):
        Reading("-", "-")


# Nothing changes


def listing(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder with its time, mode and content."""
    return {
        str(path.relative_to(root)): (
            path.stat().st_mtime_ns,
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [root, *sorted(root.rglob("*"))]
    }


@pytest.fixture
def read_only_site(folder: Path) -> Iterator[Path]:
    """A site with images that have no tags, which may not be written."""
    Path("mroute.yaml").write_text(
        "version: 1\ntargets: {a: {type: folder, path: a}}\n"
        "rules: {r: {when: 'True', action: route, targets: [a]}}\n"
    )
    incoming = Path("spool/incoming/head")
    incoming.mkdir(parents=True)
    shutil.copy(CT, incoming)
    Path(incoming, "notes.txt").write_text("hello")
    folders = [path for path in (folder, *folder.rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    yield folder
    for path in folders:
        path.chmod(0o755)


@pytest.mark.parametrize(
    "arguments", [("try", "tags.Modality == 'CT'"), ("explain", "-c", "mroute.yaml")]
)
def test_nothing_on_disk_changes(
    arguments: tuple[str, ...], read_only_site: Path, mroute: Mroute
) -> None:
    before = listing(read_only_site)
    result = mroute(*arguments, ".", "spool/incoming/head/CT_small.dcm")
    assert result.exit_code == 0
    assert "CT_small.dcm" in result.stdout
    assert listing(read_only_site) == before
    assert len(before) == 7
