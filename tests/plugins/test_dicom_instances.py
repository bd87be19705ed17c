"""What is read of a file by a glance is what the parser reads of it, on every file of pydicom."""

from __future__ import annotations

import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset, dcmread

from mroute_dicom import elements, plain
from mroute_dicom.elements import element_texts
from mroute_dicom.reader import read_tags
from mroute_dicom.sending import instances
from mroute_dicom.sending.instances import NotSendableError, read_instance
from mroute_dicom.walk import HEAD, file_meta

FILES = sorted(
    path for path in (Path(pydicom.__file__).parent / "data").rglob("*") if path.is_file()
)


def test_a_glance_says_what_the_parser_says() -> None:
    seen = 0
    for path in FILES:
        head = path.read_bytes()[:HEAD]
        found = instances._plain(head, *file_meta(head))
        if found is not None:
            seen += 1
            with path.open("rb") as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert found == instances._parsed(file), path.name
    assert seen > 100


def test_file_meta_information_without_an_end_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "long.dcm"
    element = b"\x02\x00\x02\x01OB\x00\x00" + (40_000).to_bytes(4, "little")
    path.write_bytes(b"\0" * 128 + b"DICM" + element + b"\0" * 40_000)
    with pytest.raises(NotSendableError, match="more than 16384 bytes"):
        read_instance(path)


def _dataset(path: Path) -> Dataset | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = dcmread(path, stop_before_pixels=True, force=True, defer_size=elements.LONGEST)
        except Exception:  # noqa: BLE001 - some of them are no DICOM files
            return None
    return found if "SOPClassUID" in found else None


def test_a_plain_text_is_what_the_parser_says() -> None:
    plain = total = 0
    for path in FILES:
        one, other = _dataset(path), _dataset(path)
        if one is None or other is None:
            continue
        one_encoding = elements._has_one_encoding(one)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for tag, raw in list(one.items()):
                total += 1
                text = elements._plain(raw, one_encoding)
                if text is not None and (getattr(raw, "length", 0) or 0) <= elements.LONGEST:
                    plain += 1
                    assert text == elements._text(other, tag), (path.name, tag)
    assert plain > total / 2 > 2000


def test_plain_tags_are_what_the_parser_says(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {path: tags for path in FILES if (tags := _plain_tags(path)) is not None}
    monkeypatch.setattr(plain, "plain_tags", lambda path: None)
    for path, tags in found.items():
        parsed = read_tags(path)
        assert {**tags, "Filename": path.name} == parsed, path.name
        assert [*tags, "Filename"] == list(parsed)
    assert len(found) > 25


def _plain_tags(path: Path) -> dict[str, str] | None:
    try:
        tags = plain.plain_tags(path)
    except ValueError:  # an empty file
        return None
    return tags if tags and tags.get("SeriesInstanceUID") else None


@pytest.mark.parametrize(
    ("value", "text"),
    [("1\\2.50\\-3e4", "1\\2.50\\-3e4"), (" 7 ", "7"), ("", ""), ("1,5", "1,5")],
)
def test_numbers_are_spelled_as_in_the_file(tmp_path: Path, value: str, text: str) -> None:
    raw = b"\x18\x00\x50\x00DS" + len(value).to_bytes(2, "little") + value.encode()
    path = tmp_path / "image.dcm"
    path.write_bytes(raw)
    found = dict(element_texts(dcmread(path, force=True)))
    assert found == {"SliceThickness": text}
