"""mroute stores by STOW-RS at Orthanc, which holds what was sent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

from mroute.api import Shipment, TargetDownError, Task
from mroute.testing import make_task, work_context
from mroute_dicom.sending.instances import Instance, read_instance
from mroute_web.check import check_dicomweb
from mroute_web.dicomweb import DicomwebTarget, send_to_dicomweb
from tests.interop.images import real_instances
from tests.interop.peers import DICOMWEB, Orthanc, orthanc

pytestmark = pytest.mark.interop


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ORTHANC_PASSWORD", "secret")


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Orthanc]:
    with orthanc(tmp_path / "orthanc", "mroute:secret", Plugins=[DICOMWEB]) as found:
        yield found


def target(peer: Orthanc, **fields: Any) -> DicomwebTarget:
    authentication = {"user": "mroute", "password": {"env": "ORTHANC_PASSWORD"}}
    given = {"type": "dicomweb", "url": peer.dicomweb, "authentication": authentication, **fields}
    return DicomwebTarget.model_validate(given)


def task_of(folder: Path, instances: Sequence[Instance]) -> Task:
    task = make_task(folder / "task", {"dispatch": {}}, images={})
    for number, each in enumerate(instances):
        shutil.copy(each.path, task.folder / f"{number:03}.dcm")
    return task


def send(task: Task, to: DicomwebTarget) -> tuple[list[str], dict[str, str]]:
    """The UIDs of what was stored, and why each other image was refused."""
    stored: list[str] = []
    refused: dict[str, str] = {}
    shipment = Shipment(
        task,
        "pacs",
        task.images(),
        lambda image, status, warning: stored.append(read_instance(image).sop_instance),
        lambda image, status, reason: refused.update({image.name: f"{status} {reason}"}),
    )
    send_to_dicomweb(shipment, to, work_context(task))
    return stored, refused


@pytest.mark.parametrize("batch", [1, 10])
def test_orthanc_holds_what_was_sent_file_by_file(
    tmp_path: Path, peer: Orthanc, batch: int
) -> None:
    instances = real_instances()
    task = task_of(tmp_path, instances)
    stored, refused = send(task, target(peer, batch=batch))
    assert len(stored) + len(refused) == len(instances)
    assert len(stored) > 100
    held = peer.instances()
    assert held.keys() == set(stored)
    assert len(stored) == len(held)
    sent = {read_instance(image).sop_instance: image for image in task.images()}
    for uid, content in held.items():
        assert content == sent[uid].read_bytes(), uid
    # What it cannot take, it says of each image, and of nothing else that came with it.
    assert set(refused.values()) == {"C000 it cannot understand the data set", "400 Bad Request"}
    syntaxes = {each.transfer_syntax for each in instances}
    assert len(syntaxes & {read_instance(sent[uid]).transfer_syntax for uid in stored}) > 8


def test_what_is_sent_again_is_held_once(tmp_path: Path, peer: Orthanc) -> None:
    task = task_of(tmp_path, real_instances()[:5])
    assert send(task, target(peer)) == send(task, target(peer))
    assert len(peer.instances()) == 5


def test_one_image_that_it_cannot_take_keeps_no_other_from_being_stored(
    tmp_path: Path, peer: Orthanc
) -> None:
    instances = real_instances()[:4]
    bad = read_instance(Path(str(get_testdata_file("priv_SQ.dcm"))))
    task = task_of(tmp_path, [*instances[:2], bad, *instances[2:]])
    stored, refused = send(task, target(peer))
    assert sorted(stored) == sorted(each.sop_instance for each in instances)
    assert refused == {"002.dcm": "400 Bad Request"}


def test_wrong_credentials(tmp_path: Path, peer: Orthanc, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of(tmp_path, real_instances()[:1])
    monkeypatch.setenv("ORTHANC_PASSWORD", "wrong")
    with pytest.raises(TargetDownError, match="401 Unauthorized: it does not take these"):
        send(task, target(peer))
    with pytest.raises(TargetDownError, match="401 Unauthorized: it does not take these"):
        send(task, target(peer, authentication=None))
    assert peer.instances() == {}


def test_a_check(tmp_path: Path, peer: Orthanc, monkeypatch: pytest.MonkeyPatch) -> None:
    images = task_of(tmp_path, real_instances()[:3]).images()
    assert check_dicomweb("pacs", target(peer), images) == []
    root = peer.dicomweb.removesuffix("/dicom-web")
    (problem,) = check_dicomweb("pacs", target(peer, url=root), ())
    assert "is 'url' the root of a DICOMweb service?" in problem
    (problem,) = check_dicomweb("pacs", target(peer, url=f"{root}/nowhere"), ())
    assert "404 Not Found: is 'url' that of the service?" in problem
    monkeypatch.setenv("ORTHANC_PASSWORD", "wrong")
    (problem,) = check_dicomweb("pacs", target(peer), ())
    assert "401 Unauthorized" in problem
    assert peer.ask("/instances") == []
