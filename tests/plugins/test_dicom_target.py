"""What leaves for a DICOM target, and what comes of each answer that a peer can give.

The peer is one that does what it is told; real ones are in tests/interop.
"""

from __future__ import annotations

import errno
import shutil
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mroute.api import DeliveryError, Shipment, TargetDownError, Task
from mroute.testing import make_task, work_context, write_dicom
from mroute_dicom.receiving.acceptance import Refusal
from mroute_dicom.sending.check import check_dicom
from mroute_dicom.sending.instances import read_instance
from mroute_dicom.sending.send import send_to_dicom
from mroute_dicom.sending.target import DicomTarget
from tests.interop.images import CT, MR, data_sets, real_instances
from tests.interop.scripted import Peer, scripted_peer

FAST = {"acse_timeout": "2s", "dimse_timeout": "1s", "connect_timeout": "2s"}


@pytest.fixture
def peer() -> Iterator[Peer]:
    with scripted_peer() as found:
        yield found


@dataclass
class Sent:
    """What was reported: status and words for each image, by the name of its file."""

    stored: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)


def empty_task(folder: Path) -> Task:
    task = make_task(folder / "task", {"dispatch": {}})
    for image in task.files():
        image.unlink()
    return task


def task_of(folder: Path, images: int = 3, **info: str) -> Task:
    task = empty_task(folder)
    for number in range(images):
        write_dicom(task.folder / f"{number:02}.dcm", SOPClassUID=CT)
    content: dict[str, Any] = dict(task.content)
    return replace(task, content={**content, "info": {**content["info"], **info}})


def send(task: Task, peer: Peer, stop: bool = False, **fields: Any) -> Sent:
    sent = Sent()
    shipment = Shipment(
        task,
        "pacs",
        task.images(),
        lambda image, status, said: sent.stored.update({image.name: (status, said)}),
        lambda image, status, said: sent.refused.update({image.name: (status, said)}),
    )
    model = {"type": "dicom", "host": "127.0.0.1", "port": peer.port, "aet": "PACS", **FAST}
    context = work_context(task)
    if stop:
        context.stop.set()
    try:
        send_to_dicom(shipment, DicomTarget.model_validate(model | fields), context)
    except DeliveryError as error:
        error.add_note(str(len(sent.stored)))
        raise
    return sent


def names(numbers: Sequence[int]) -> list[str]:
    return [f"{number:02}.dcm" for number in numbers]


def test_every_image_arrives_as_it_is_over_one_association(tmp_path: Path, peer: Peer) -> None:
    task = task_of(tmp_path)
    sent = send(task, peer)
    assert sent.stored == dict.fromkeys(names([0, 1, 2]), ("0000", ""))
    assert peer.stored == data_sets(map(read_instance, task.images()))
    (asked,) = peer.asked
    assert (asked.calling, asked.called) == ("MROUTE", "PACS")
    assert len(asked.contexts) == 1


def test_real_files_of_all_kinds_arrive_bit_by_bit(tmp_path: Path, peer: Peer) -> None:
    task = empty_task(tmp_path)
    instances = real_instances()
    for number, each in enumerate(instances):
        shutil.copy(each.path, task.folder / f"{number}.dcm")
    sent = send(task, peer)
    assert len(instances) > 100
    assert len({each.transfer_syntax for each in instances}) >= 10
    assert (sent.refused, len(sent.stored)) == ({}, len(instances))
    assert peer.stored == data_sets(instances)


def test_more_kinds_than_one_association_can_have(tmp_path: Path, peer: Peer) -> None:
    task = empty_task(tmp_path)
    for number in range(130):
        write_dicom(task.folder / f"{number:03}.dcm", SOPClassUID=f"{CT}.{number + 1}")
    assert len(send(task, peer).stored) == 130
    assert [len(asked.contexts) for asked in peer.asked] == [128, 2]


def test_ae_titles_are_passed_through(tmp_path: Path, peer: Peer) -> None:
    task = task_of(tmp_path, sender_aet="CT7", receiver_aet="ROUTER")
    send(task, peer, pass_sender_aet=True, pass_receiver_aet=True)
    unknown = task_of(tmp_path / "other", sender_aet="MISSING", receiver_aet="MISSING")
    send(unknown, peer, pass_sender_aet=True, pass_receiver_aet=True)
    assert [(each.calling, each.called) for each in peer.asked] == [
        ("CT7", "ROUTER"),
        ("MROUTE", "PACS"),
    ]


def test_images_go_back_to_their_sender(tmp_path: Path, peer: Peer) -> None:
    task = task_of(tmp_path, sender_address="127.0.0.1")
    assert len(send(task, peer, host="sender").stored) == 3
    unknown = task_of(tmp_path / "other", sender_address="MISSING")
    with pytest.raises(ValueError, match="whose address is not known"):
        send(unknown, peer, host="sender")


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Refusal.CALLING, "for good: it does not know our AE title 'MROUTE'"),
        (Refusal.CALLED, "for good: it is not called 'PACS'; see 'aet'"),
        (Refusal.LIMIT, "for now: it has reached the limit of its associations"),
    ],
)
def test_a_refused_association_says_why(
    tmp_path: Path, peer: Peer, refusal: Refusal, said: str
) -> None:
    peer.refusal = refusal
    with pytest.raises(TargetDownError, match=said):
        send(task_of(tmp_path), peer)
    assert peer.stored == {}


def test_a_peer_that_is_not_there_is_down(tmp_path: Path) -> None:
    with scripted_peer() as gone:
        pass
    with pytest.raises(TargetDownError, match="cannot be reached: Connection refused"):
        send(task_of(tmp_path), gone)


def test_a_target_whose_certificates_cannot_be_read_is_down_until_they_can(
    tmp_path: Path, peer: Peer
) -> None:
    with pytest.raises(TargetDownError, match=r"authorities '.*gone\.pem' cannot be used"):
        send(task_of(tmp_path), peer, tls={"authorities": tmp_path / "gone.pem"})
    secured = {"certificate": tmp_path / "c.pem", "key_password": {"env": "NO_SUCH_VARIABLE"}}
    with pytest.raises(TargetDownError, match="variable 'NO_SUCH_VARIABLE'"):
        send(task_of(tmp_path / "other"), peer, tls=secured)
    assert peer.asked == []


def test_a_shortage_of_this_machine_is_none_of_the_target(
    tmp_path: Path, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(OSError, match="Too many open files"):
        send(task_of(tmp_path), peer)


def test_a_target_that_takes_no_echo_is_asked_for_its_sop_classes(
    tmp_path: Path, peer: Peer
) -> None:
    peer.refused_classes = frozenset({"1.2.840.10008.1.1", MR})
    image = write_dicom(tmp_path / "mr.dcm", SOPClassUID=MR)
    target = {"type": "dicom", "host": "127.0.0.1", "port": peer.port, "aet": "PACS", **FAST}
    said = check_dicom("pacs", DicomTarget.model_validate(target), [image])
    assert [each.partition(": ")[2] or each.partition(" takes ")[2] for each in said] == [
        "it does not take C-ECHO",
        "no MR Image Storage in Explicit VR Little Endian",
    ]


def test_one_sop_class_is_rejected_and_the_others_go(tmp_path: Path, peer: Peer) -> None:
    task = task_of(tmp_path)
    write_dicom(task.folder / "mr.dcm", SOPClassUID=MR)
    peer.refused_classes = frozenset({MR})
    sent = send(task, peer)
    assert sorted(sent.stored) == names([0, 1, 2])
    why = "it takes no MR Image Storage in Explicit VR Little Endian"
    assert sent.refused == {"mr.dcm": ("0122", why)}


def test_the_37th_image_fails_and_the_others_go(tmp_path: Path, peer: Peer) -> None:
    peer.answer = lambda number: 0xA700 if number == 37 else 0
    sent = send(task_of(tmp_path, images=64), peer)
    assert sent.refused == {"36.dcm": ("A700", "Refused: Out of Resources")}
    assert len(sent.stored) == len(peer.stored) == 63


def test_a_warning_is_kept(tmp_path: Path, peer: Peer) -> None:
    peer.answer = lambda number: 0xB007 if number == 2 else 0
    sent = send(task_of(tmp_path), peer)
    assert sent.stored["01.dcm"] == ("B007", "Data Set Does Not Match SOP Class")
    assert (len(sent.stored), sent.refused) == (3, {})


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("hang", "the peer said nothing for 1 s"),
        ("close", "the peer closed the connection|the connection broke"),
        ("abort", "the peer aborted the association"),
    ],
)
def test_what_was_not_answered_is_not_stored(
    tmp_path: Path, peer: Peer, what: str, said: str
) -> None:
    peer.answer = lambda number: what if number == 3 else 0
    with pytest.raises(DeliveryError, match=said) as raised:
        send(task_of(tmp_path, images=5), peer)
    assert not isinstance(raised.value, TargetDownError)
    assert raised.value.__notes__ == ["2"]


def test_a_peer_that_does_not_speak_dicom_is_down(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def talk() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(TargetDownError, match=r"no DICOM|broke|closed"):
            send(task_of(tmp_path), Peer(port))
        thread.join()


def test_asked_to_stop_it_stops_between_two_images(tmp_path: Path, peer: Peer) -> None:
    with pytest.raises(DeliveryError, match="asked to stop"):
        send(task_of(tmp_path), peer, stop=True)
    assert peer.stored == {}


def test_a_file_that_is_no_image_is_refused_by_itself(tmp_path: Path, peer: Peer) -> None:
    task = task_of(tmp_path)
    (task.folder / "notes.dcm").write_bytes(b"not an image")
    sent = send(task, peer)
    assert len(sent.stored) == 3
    assert list(sent.refused) == ["notes.dcm"]


def test_what_is_not_taken_as_it_is_may_be_decompressed(tmp_path: Path, peer: Peer) -> None:
    implicit = "1.2.840.10008.1.2"
    peer.only = frozenset({implicit})
    task = task_of(tmp_path, images=1)
    as_it_is = send(task, peer)
    assert list(as_it_is.refused) == ["00.dcm"]
    other = send(task, peer, transfer_syntaxes="decompress_if_refused")
    assert list(other.stored) == ["00.dcm"]
    (content,) = peer.stored.values()
    assert content[4:8] != b"UI\x1a\x00"  # no value representations: it is implicit


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"aet": "A TITLE THAT IS TOO LONG"}, "1 to 16 ASCII characters"),
        ({"aet": ""}, "1 to 16 ASCII characters"),
        ({"calling_aet": "A\\B"}, "no backslash"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"backend": "dcmtk", "tls": {}}, "dcmsend has no TLS"),
    ],
)
def test_what_cannot_be_is_said_when_the_rules_are_read(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DicomTarget.model_validate({"type": "dicom", "host": "h", "port": 1, "aet": "P", **fields})
