"""mroute sends to DCMTK's storescp and to Orthanc, and they hold what was sent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from mroute.api import Shipment, TargetDownError, Task
from mroute.testing import make_task, work_context
from mroute_dicom.sending.instances import Instance, read_instance
from mroute_dicom.sending.send import send_to_dicom
from mroute_dicom.sending.target import DicomTarget
from tests.interop.certificates import new_authority
from tests.interop.images import data_set, data_sets, real_instances
from tests.interop.peers import HOST, orthanc, storescp

pytestmark = pytest.mark.interop

EXPLICIT = "1.2.840.10008.1.2.1"


def task_of(folder: Path, instances: Sequence[Instance]) -> Task:
    task = make_task(folder / "task", {"dispatch": {}}, images={})
    for number, each in enumerate(instances):
        shutil.copy(each.path, task.folder / f"{number:03}.dcm")
    return task


def send(
    task: Task, port: int, tell: Callable[[str], object] = str, **fields: Any
) -> tuple[list[str], dict[str, str]]:
    """Names of the images that were stored, and why others were refused.

    ``tell`` is told the SOPInstanceUID of each that is stored, as soon as it is.
    """
    stored: list[str] = []
    refused: dict[str, str] = {}

    def keep(image: Path, status: str, warning: str) -> None:
        tell(read_instance(image).sop_instance)
        stored.append(image.name)

    shipment = Shipment(
        task,
        "pacs",
        task.images(),
        keep,
        lambda image, status, reason: refused.update({image.name: f"{status} {reason}"}),
    )
    model = {"type": "dicom", "host": HOST, "port": port, "aet": "PACS", **fields}
    send_to_dicom(shipment, DicomTarget.model_validate(model), work_context(task))
    return stored, refused


def received(folder: Path) -> dict[str, bytes]:
    """The data sets that storescp has written, by SOPInstanceUID."""
    return data_sets(read_instance(path) for path in folder.glob("*.dcm"))


def elements(file: Path | BytesIO) -> list[tuple[int, object]]:
    """The elements of a data set without the lengths of its groups."""
    dataset = dcmread(file, force=True)
    return [(int(each.tag), str(each.value)) for each in dataset if each.tag.element]


def test_storescp_holds_what_was_sent_bit_by_bit(tmp_path: Path) -> None:
    instances = real_instances()
    task = task_of(tmp_path, instances)
    with storescp(tmp_path / "peer", "+xa") as port:
        stored, refused = send(task, port)
    # It takes SOP classes and transfer syntaxes that it knows, and says so for each other one.
    assert len(stored) + len(refused) == len(instances)
    assert all(why.startswith("0122 it takes no ") for why in refused.values())
    assert len(stored) > 100
    sent = {each: data_set(task.folder / each) for each in stored}
    assert sorted(received(tmp_path / "peer").values()) == sorted(sent.values())


def test_dcmsend_sends_the_same_images(tmp_path: Path) -> None:
    instances = [each for each in real_instances() if each.transfer_syntax == EXPLICIT]
    task = task_of(tmp_path, instances)
    with storescp(tmp_path / "peer", "+xa") as port:
        stored, refused = send(task, port, backend="dcmtk")
    assert len(stored) + len(refused) == len(instances)
    assert len(stored) > 30
    kept = {read_instance(task.folder / each).sop_instance for each in stored}
    assert received(tmp_path / "peer").keys() >= kept


def test_dcmsend_that_cannot_connect_says_why(tmp_path: Path) -> None:
    with storescp(tmp_path / "peer") as port:
        pass
    with pytest.raises(TargetDownError, match="Connection refused"):
        send(task_of(tmp_path, real_instances()[:1]), port, backend="dcmtk")


def test_orthanc_holds_what_was_sent_instance_by_instance(tmp_path: Path) -> None:
    task = task_of(tmp_path, real_instances())
    with orthanc(tmp_path / "orthanc") as peer:
        stored, refused = send(task, peer.port)
        held = peer.instances()
    assert len(stored) + len(refused) == len(real_instances())
    assert len(stored) > 100
    sent = {read_instance(task.folder / name).sop_instance: name for name in stored}
    assert held.keys() == sent.keys()
    changed = []
    for uid, content in held.items():
        (tmp_path / "held.dcm").write_bytes(content)
        if data_set(tmp_path / "held.dcm") != data_set(task.folder / sent[uid]):
            changed.append(uid)
            assert elements(BytesIO(content)) == elements(task.folder / sent[uid]), uid
    # Orthanc writes a data set anew where it has lengths of groups, or sequences without a length.
    assert len(changed) < len(held) / 5


def test_a_compressed_image_is_decompressed_for_a_peer_that_takes_no_other(tmp_path: Path) -> None:
    rle = read_instance(Path(str(get_testdata_file("SC_rgb_rle.dcm"))))
    task = task_of(tmp_path, [rle])
    with storescp(tmp_path / "peer") as port:
        assert list(send(task, port)[1]) == ["000.dcm"]
        stored, _ = send(task, port, transfer_syntaxes="decompress_if_refused")
    assert stored == ["000.dcm"]
    (path,) = (tmp_path / "peer").glob("*.dcm")
    image = dcmread(path)
    assert len(image.PixelData) >= image.Rows * image.Columns
    assert not image.file_meta.TransferSyntaxUID.is_compressed


def test_tls_with_certificates_at_both_ends(tmp_path: Path) -> None:
    authority = new_authority(tmp_path / "ca")
    (server, server_key), (client, client_key) = authority.sign("server"), authority.sign("client")
    task = task_of(tmp_path, real_instances()[:3])
    tls = {
        "certificate": client,
        "key": client_key,
        "authorities": authority.certificate,
    }
    options = ["+tls", str(server_key), str(server), "+cf", str(authority.certificate), "-rc"]
    with storescp(tmp_path / "peer", *options) as port:
        stored, _ = send(task, port, tls=tls)
        with pytest.raises(TargetDownError, match=r"rejected|closed|broke|nothing|secure"):
            send(task, port)
        stranger = {**tls, "authorities": new_authority(tmp_path / "other").certificate}
        with pytest.raises(TargetDownError, match="no secure connection"):
            send(task, port, tls=stranger)
    assert len(stored) == 3
    assert len(received(tmp_path / "peer")) == 3


def test_the_files_of_orthanc_can_be_read() -> None:
    """What the other tests compare is the data set, whatever head a peer gives a file."""
    (image,) = (each for each in real_instances() if each.path.name == "CT_small.dcm")
    assert dcmread(BytesIO(image.path.read_bytes())).SOPInstanceUID == image.sop_instance
