from __future__ import annotations

import struct
import threading
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, Sequence, dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.errors import InvalidDicomError
from pydicom.uid import ImplicitVRLittleEndian

from mroute.api import TagsError
from mroute.testing import write_dicom
from mroute_dicom.elements import LONGEST, element_texts
from mroute_dicom.reader import read_tags

Write = Callable[..., Path]

EVERY_FILE = sorted(
    path
    for path in Path(str(get_testdata_file("CT_small.dcm", download=False))).parent.rglob("*")
    if path.is_file()
)
"""All files that come with pydicom, DICOM or not."""


def real(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def outcome(path: Path) -> dict[str, str] | str:
    """The tags of a file, or why it has none."""
    try:
        return read_tags(path)
    except TagsError as error:
        return str(error)


def uids_by_pydicom(path: Path) -> tuple[str, str] | None:
    """What pydicom itself says of a file: the UIDs of series and image, or that it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = dcmread(path, stop_before_pixels=True, force=path.suffix == ".dcm")
            return image.SeriesInstanceUID, image.SOPInstanceUID
        except (InvalidDicomError, AttributeError):
            return None


def texts(dataset: Dataset) -> dict[str, str]:
    """The texts of a data set after it was written and read, as they are in a file."""
    stream = BytesIO()
    dcmwrite(stream, dataset, implicit_vr=False, little_endian=True, force_encoding=True)
    stream.seek(0)
    return dict(element_texts(dcmread(stream, force=True)))


def test_the_tags_of_a_real_image() -> None:
    tags = read_tags(real("CT_small.dcm"))
    assert {
        "Modality": "CT",
        "PatientName": "CompressedSamples^CT1",
        "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
        "SliceThickness": "5.000000",
        "Rows": "128",
        "PixelPaddingValue": "-2000",
        "AccessionNumber": "",
        "SeriesInstanceUID": "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322",
        "0009,0010": "GEMS_IDEN_01",
        "0043,1018": "0.085000\\1.102000\\0.095000",
        "TransferSyntaxUID": "1.2.840.10008.1.2.1",
        "MediaStorageSOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "Filename": "CT_small.dcm",
    }.items() <= tags.items()
    assert "PixelData" not in tags
    assert "0043,1029" not in tags  # a private element with binary content


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chrFren.dcm", "Buc^Jérôme"),
        ("chrGerm.dcm", "Äneas^Rüdiger"),
        ("chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("chrHbrw.dcm", "שרון^דבורה"),
        ("chrX1.dcm", "Wang^XiaoDong=王^小東"),
    ],
)
def test_names_are_read_in_the_character_set_of_the_file(name: str, expected: str) -> None:
    assert read_tags(real(f"../charset_files/{name}"))["PatientName"] == expected


@pytest.mark.parametrize("path", EVERY_FILE, ids=lambda path: path.name)
def test_any_file_has_tags_or_is_refused_with_its_name(path: Path) -> None:
    found = outcome(path)
    if isinstance(found, str):
        assert found.startswith(f"'{path.name}' ")
    else:
        assert found["SeriesInstanceUID"]
        assert found["SOPInstanceUID"]
        assert all(isinstance(text, str) for text in found.values())


def test_every_real_image_with_its_uids_is_read() -> None:
    found = {path: outcome(path) for path in EVERY_FILE}
    read = {path for path, tags in found.items() if isinstance(tags, dict)}
    assert len(read) > 140
    for path in set(EVERY_FILE) - read:
        assert uids_by_pydicom(path) is None
    for path in read:
        assert uids_by_pydicom(path) == (
            read_tags(path)["SeriesInstanceUID"],
            read_tags(path)["SOPInstanceUID"],
        )


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    image = dcmread(real("CT_small.dcm"))
    path = tmp_path / "bare"
    del image.file_meta
    image.preamble = None
    dcmwrite(path, image, implicit_vr=True, little_endian=True)
    tags = read_tags(path)
    assert tags["SOPInstanceUID"] == image.SOPInstanceUID
    assert tags["TransferSyntaxUID"] == ImplicitVRLittleEndian
    assert tags["MediaStorageSOPClassUID"] == image.SOPClassUID


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no DICOM file: File is missing DICOM File Meta Information header or"),
        (b"just a text", "is no DICOM file: File is missing DICOM File Meta Information header"),
        (b"\0" * 1000, "is no DICOM file: File is missing DICOM File Meta Information header"),
        (b"\0" * 128 + b"DICM", "has no SeriesInstanceUID; expected an image with its UIDs"),
        (b"\0" * 128 + b"DICM" + b"\xff" * 60, ""),
    ],
)
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "scan"
    path.write_bytes(content)
    with pytest.raises(TagsError) as caught:
        read_tags(path)
    assert str(caught.value).startswith(f"'scan' {reason}")
    assert "force" not in str(caught.value)


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_refused_or_read(tmp_path_factory: Any, content: bytes, marked: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes((b"\0" * 128 + b"DICM" if marked else b"") + content)
    with pytest.raises(TagsError):
        read_tags(path)


@pytest.mark.parametrize("keep", [200, 400, 1000])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cut"
    path.write_bytes(real("CT_small.dcm").read_bytes()[:keep])
    with pytest.raises(TagsError, match=r"^'cut' "):
        read_tags(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TagsError, match=r"^'gone' cannot be read: No such file or directory$"):
        read_tags(tmp_path / "gone")


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "SOPInstanceUID"])
def test_an_image_without_a_uid_is_refused(mroute_dicom_file: Write, keyword: str) -> None:
    path = mroute_dicom_file("a.dcm")
    image = dcmread(path)
    delattr(image, keyword)
    image.save_as(path)
    with pytest.raises(TagsError, match=rf"^'a\.dcm' has no {keyword}; expected an image with"):
        read_tags(path)


def test_bytes_of_another_character_set_do_not_stop_the_reading(mroute_dicom_file: Write) -> None:
    path = mroute_dicom_file("a.dcm", SeriesDescription="Garbage?")
    path.write_bytes(path.read_bytes().replace(b"Garbage?", b"Garbage\xb1"))
    assert "Garbage" in read_tags(path)["SeriesDescription"]


def test_an_unknown_character_set_does_not_stop_the_reading(mroute_dicom_file: Write) -> None:
    path = mroute_dicom_file("a.dcm", SpecificCharacterSet="ISO_IR 100", PatientName="A^B")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 999"))
    tags = read_tags(path)
    assert (tags["SpecificCharacterSet"], tags["PatientName"]) == ("ISO_IR 999", "A^B")


@pytest.mark.parametrize(
    ("keyword", "good", "bad"),
    [
        ("SliceThickness", b"5.25", b"five"),
        ("InstanceNumber", b"12", b"1x"),
        ("PatientAge", b"045Y", b"45 y"),
        ("StudyDate", b"20260101", b"yyyymmdd"),
        ("SeriesTime", b"120000", b"noon  "),
    ],
)
def test_a_value_that_breaks_its_rules_is_given_as_it_is(
    mroute_dicom_file: Write, keyword: str, good: bytes, bad: bytes
) -> None:
    path = mroute_dicom_file("a.dcm", **{keyword: good.decode()})
    assert read_tags(path)[keyword] == good.decode()
    path.write_bytes(path.read_bytes().replace(good, bad))
    assert read_tags(path)[keyword] == bad.decode().strip()


def test_reading_says_nothing_about_patients(
    mroute_dicom_file: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    path = mroute_dicom_file("a.dcm", PatientAge="045Y")
    path.write_bytes(path.read_bytes().replace(b"045Y", b"old "))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        read_tags(path)
    assert ([str(each.message) for each in said], *capfd.readouterr()) == ([], "", "")


def test_files_are_read_by_several_threads_without_a_warning(mroute_dicom_file: Write) -> None:
    path = mroute_dicom_file("a.dcm", PatientAge="045Y")
    path.write_bytes(path.read_bytes().replace(b"045Y", b"old "))
    filters, found = list(warnings.filters), list[str]()
    threads = [
        threading.Thread(target=lambda: found.append(read_tags(path)["PatientAge"]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["old"] * 8
    assert list(warnings.filters) == filters


def test_values_of_every_kind() -> None:
    dataset = Dataset()
    dataset.add_new(0x00080008, "CS", ["ORIGINAL", "PRIMARY"])
    dataset.add_new(0x00081030, "LO", "  padded ")
    dataset.add_new(0x00104000, "LT", "  two\r\nlines ")
    dataset.add_new(0x00201041, "DS", "-77.2040")
    dataset.add_new(0x00200013, "IS", "007")
    dataset.add_new(0x00280010, "US", 512)
    dataset.add_new(0x00281052, "DS", ["1", "", "3"])
    dataset.add_new(0x00189087, "FD", 0.1)
    dataset.add_new(0x00720074, "FD", [1e100, -2.0])
    dataset.add_new(0x00280009, "AT", 0x00181063)
    dataset.add_new(0x0018605A, "FL", 0.1)
    dataset.add_new(0x00080100, "SH", "")
    dataset.add_new(0x00100010, "PN", "Doe^Jane=ドウ")
    dataset.add_new(0x00420011, "OB", b"binary")
    dataset.add_new(0x00081140, "SQ", Sequence([Dataset()]))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    assert texts(dataset) == {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": "ORIGINAL\\PRIMARY",
        "StudyDescription": "padded",
        "PatientComments": "  two\r\nlines",
        "SliceLocation": "-77.2040",
        "InstanceNumber": "007",
        "Rows": "512",
        "RescaleIntercept": "1\\\\3",
        "DiffusionBValue": "0.1",
        "SelectorFDValue": "1e+100\\-2.0",
        "FrameIncrementPointer": "(0018,1063)",
        "TableOfParameterValues": "0.1",
        "CodeValue": "",
        "PatientName": "Doe^Jane=ドウ",
    }


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_of_32_bits_is_the_same_number_in_its_text(number: float) -> None:
    dataset = Dataset()
    dataset.add_new(0x00181320, "FL", number)
    [text] = texts(dataset).values()
    assert struct.pack("f", float(text)) == struct.pack("f", number)
    assert len(text.lstrip("-")) <= len("1.23456789e-38")


def test_a_value_that_is_too_long_is_no_tag(tmp_path: Path) -> None:
    long = "x" * (LONGEST + 2)
    tags = read_tags(write_dicom(tmp_path / "a.dcm", TextValue=long, PatientComments="short"))
    assert "TextValue" not in tags
    assert tags["PatientComments"] == "short"
