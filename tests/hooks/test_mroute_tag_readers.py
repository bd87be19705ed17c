from __future__ import annotations

from pathlib import Path

import mroute_dicom
from mroute.api import TagReader, Tags
from mroute.testing import registry_of, write_dicom
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_tag_readers"


def read_name(path: Path) -> Tags:
    return {"Filename": path.name}


BY_NAME = TagReader("by-name", read_name)


def test_the_default_reader(tmp_path: Path) -> None:
    readers = registry_of(mroute_dicom).tag_readers
    assert list(readers) == ["pydicom"]
    tags = readers["pydicom"].read(write_dicom(tmp_path / "a.dcm", Modality="US"))
    assert (tags["Modality"], tags["SeriesInstanceUID"]) == ("US", "1.2.3")


def test_a_plugin_adds_one_which_is_asked_later() -> None:
    readers = registry_of(mroute_dicom, plugin(HOOK, lambda: [BY_NAME])).tag_readers
    assert list(readers) == ["pydicom", "by-name"]


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_dicom, BY_NAME, lambda registry: registry.tag_readers)


def test_what_is_no_reader_is_refused() -> None:
    check_wrong_results(HOOK, "TagReader")
