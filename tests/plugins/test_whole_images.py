"""An image that lacks its end is told from one that is whole, wherever it was cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mroute_dicom.receiving.whole import is_whole
from mroute_dicom.sending.instances import Instance, NotSendableError, read_instance
from tests.interop.images import real_instances

SOUND = [
    each
    for each in real_instances()
    if "test_files" in each.path.parts and each.path.stat().st_size < 200_000
]


def test_real_images_are_whole() -> None:
    found = [each.path.name for each in SOUND if is_whole(each.path)]
    assert len(found) > len(SOUND) * 0.9


@settings(derandomize=True, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SOUND), st.floats(0, 1))
def test_one_that_was_cut_is_not_whole_unless_between_two_elements(
    tmp_path_factory: pytest.TempPathFactory, instance: Instance, where: float
) -> None:
    content = instance.path.read_bytes()
    length = instance.offset + int((len(content) - instance.offset) * where) // 2 * 2
    path = tmp_path_factory.mktemp("cut") / "cut.dcm"
    path.write_bytes(content[:length])
    if length < len(content) and is_whole(path):
        # What is left ends with an element: a sender that is cut off there has sent as much.
        assert read_instance(path).offset < length
        grown = path.with_name("grown.dcm")
        grown.write_bytes(content[: length + 2])
        assert not is_whole(grown) or length + 2 == len(content)


def test_what_is_no_image_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"no image")
    assert not is_whole(tmp_path / "a.dcm")
    with pytest.raises(NotSendableError):
        read_instance(tmp_path / "a.dcm")
