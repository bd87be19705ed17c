"""mroute sends into a bucket of a real object store, whatever happens on the way."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mroute.api import DeliveryError, TargetDownError, Task, WorkContext
from mroute.testing import make_task, work_context
from mroute_storage.placement import BESIDE, LEFT_OUT
from mroute_storage.s3.check import check_s3
from mroute_storage.s3.send import send_to_s3
from mroute_storage.s3.target import S3Target
from tests.interop.certificates import new_authority
from tests.interop.middleman import Middleman, http_answer, middleman
from tests.interop.peers import HOST, free_port
from tests.interop.stores import BUCKET, ObjectStore, guarded_store, object_store
from tests.told import Told

pytestmark = pytest.mark.interop

FOLDER = "1.2/1.2.3"
"""The study and series of the images that `make_task` makes."""
IMAGES = {f"1.2.3#{number}.dcm": f"image {number}".encode() for number in range(10)}
LARGE = {"1.2.3#1.dcm": b"small", "1.2.3#2.dcm": bytes(range(256)) * 48_000}
MEGABYTE = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    with object_store(tmp_path / "store") as found:
        yield found


@pytest.fixture
def man(store: ObjectStore) -> Iterator[Middleman]:
    with middleman(store.port) as found:
        yield found


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS", "any")
    monkeypatch.setenv("SECRET", "keys")
    # What is meant for others, and does not go with the keys of the target.
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of somebody else")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")


def target(port: int, **fields: object) -> S3Target:
    model: dict[str, object] = {
        "type": "s3",
        "bucket": BUCKET,
        "endpoint": f"http://{HOST}:{port}",
        "access_key": {"env": "ACCESS"},
        "secret_key": {"env": "SECRET"},
        "part_size": 5,
        "timeout": "10s",
        **fields,
    }
    return S3Target.model_validate(model)


class Sent(Told):
    """What was reported of each image."""

    def send(self, task: Task, to: S3Target, context: WorkContext | None = None) -> Sent:
        send_to_s3(self.shipment(task), to, context or work_context(task))
        return self


def expected(images: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{FOLDER}/{name}": content for name, content in images.items()}


def test_a_bucket_holds_what_was_sent_each_once(tmp_path: Path, store: ObjectStore) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    sent = Sent().send(task, target(store.port))
    assert sent.stored == dict.fromkeys(IMAGES, "")
    assert store.objects() == expected(IMAGES)
    again = Sent().send(task, target(store.port))  # by a process that knew of nothing
    assert (again.stored, again.refused) == (sent.stored, {})
    assert store.versions() == sorted(expected(IMAGES))
    head = store.client().head_object(Bucket=BUCKET, Key=f"{FOLDER}/1.2.3#1.dcm")
    assert head["ContentType"] == "application/dicom"
    assert head["Metadata"] == {"sha256": hashlib.sha256(b"image 1").hexdigest()}


def test_a_large_image_goes_in_parts_and_is_recognised(tmp_path: Path, store: ObjectStore) -> None:
    task = make_task(tmp_path / "task", images=LARGE)
    Sent().send(task, target(store.port))
    assert store.objects() == expected(LARGE)
    tag = store.client().head_object(Bucket=BUCKET, Key=f"{FOLDER}/1.2.3#2.dcm")["ETag"]
    assert tag.endswith('-3"')
    for parts in (5, 6, 64):  # by its ETag, or by the checksum that it has beside it
        assert Sent().send(task, target(store.port, part_size=parts)).stored.keys() == LARGE.keys()
    assert store.versions() == sorted(expected(LARGE))


def test_the_key_follows_the_layout(tmp_path: Path, store: ObjectStore) -> None:
    task = make_task(tmp_path / "task", images={"1.dcm": b"image"})
    for layout in ("", "ct/{Modality}/{PatientID}", "{task_id}"):
        Sent().send(task, target(store.port, layout=layout))
    assert list(store.objects()) == ["1.dcm", f"{task.id}/1.dcm", "ct/MR/unknown/1.dcm"]


def test_what_is_excluded_is_left_out_and_told(tmp_path: Path, store: ObjectStore) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    sent = Sent().send(task, target(store.port, exclude=["*#[0-7].dcm", "none"]))
    assert list(store.objects()) == [f"{FOLDER}/1.2.3#8.dcm", f"{FOLDER}/1.2.3#9.dcm"]
    assert sent.stored.keys() == IMAGES.keys()
    assert sent.stored["1.2.3#0.dcm"] == LEFT_OUT


def test_an_image_without_tags_is_refused_and_the_others_are_sent(
    tmp_path: Path, store: ObjectStore
) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    (task.folder / "1.2.3#4.tags").unlink()
    sent = Sent().send(task, target(store.port))
    assert list(sent.refused) == ["1.2.3#4.dcm"]
    assert sent.refused["1.2.3#4.dcm"].startswith("it has no tags, so it has no place: ")
    assert len(store.objects()) == len(sent.stored) == len(IMAGES) - 1


@pytest.mark.parametrize("images", [IMAGES, LARGE], ids=["small", "large"])
def test_other_content_of_the_same_name_stays_and_ours_is_beside_it(
    tmp_path: Path, store: ObjectStore, images: dict[str, bytes]
) -> None:
    task = make_task(tmp_path / "task", images=images)
    taken = f"{FOLDER}/1.2.3#2.dcm"
    store.put(taken, b"the image of somebody else")
    beside = f"{FOLDER}/1.2.3#2#{task.id}.dcm"
    for _ in range(2):
        sent = Sent().send(task, target(store.port))
        assert sent.refused == {}
        assert sent.stored.keys() == images.keys()
        assert sent.stored["1.2.3#2.dcm"] == BESIDE
        assert store.objects() == {
            **expected(images),
            beside: images["1.2.3#2.dcm"],
            taken: b"the image of somebody else",
        }
    assert len(store.versions()) == len(images) + 1
    store.put(beside, b"and that one as well")
    sent = Sent().send(task, target(store.port))
    assert list(sent.refused) == ["1.2.3#2.dcm"]


def test_an_object_with_another_etag_is_recognised_by_its_sha256(
    tmp_path: Path, store: ObjectStore
) -> None:
    content = bytes(6 * MEGABYTE)
    task = make_task(tmp_path / "task", images={"1.dcm": content})
    digest = hashlib.sha256(content).hexdigest()
    client = store.client()
    key = {"Bucket": BUCKET, "Key": f"{FOLDER}/1.dcm"}
    upload = client.create_multipart_upload(**key, Metadata={"sha256": digest})["UploadId"]
    part = client.upload_part(**key, UploadId=upload, PartNumber=1, Body=content)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(**key, UploadId=upload, MultipartUpload=parts)
    assert Sent().send(task, target(store.port)).stored == {"1.dcm": ""}
    assert store.versions() == [f"{FOLDER}/1.dcm"]


def test_a_certificate_is_trusted_by_its_authority_only(tmp_path: Path) -> None:
    authority = new_authority(tmp_path / "ca")
    certificate, key = authority.sign("store")
    with object_store(
        tmp_path / "store", "-s", "-c", str(certificate), "-k", str(key), scheme="https"
    ) as store:
        to = target(store.port, endpoint=store.endpoint)
        (said,) = check_s3("store", to, ())
        assert said == (
            f"bucket 'images' at https://127.0.0.1:{store.port}: its certificate is not trusted "
            "(UnknownIssuer); see 'authorities'"
        )
        to = target(store.port, endpoint=store.endpoint, authorities=authority.certificate)
        (said,) = check_s3("store", to, ())
        assert "404 NoSuchBucket; there is no such bucket" in said


# What goes wrong


def test_cut_in_the_middle_then_only_what_is_missing(
    tmp_path: Path, store: ObjectStore, man: Middleman
) -> None:
    task = make_task(tmp_path / "task", images={**IMAGES, **LARGE, "1.2.3#3.dcm": bytes(10**7)})
    man.cut_after = 3 * MEGABYTE
    sent = Sent()
    with pytest.raises(DeliveryError) as caught:
        sent.send(task, target(man.port))
    assert not isinstance(caught.value, TargetDownError)
    assert (
        str(caught.value) == f"bucket 'images' at http://127.0.0.1:{man.port}: the connection broke"
    )
    assert store.objects().keys() >= {f"{FOLDER}/{name}" for name in sent.stored}
    assert not {"1.2.3#2.dcm", "1.2.3#3.dcm"} & sent.stored.keys()
    man.cut_after = None
    sent.send(task, target(man.port))
    assert store.objects() == expected({**IMAGES, **LARGE, "1.2.3#3.dcm": bytes(10**7)})
    assert len(store.versions()) == len(IMAGES)
    assert store.uploads() == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http_answer(503, "SlowDown"), "503 SlowDown"),
        (http_answer(500, "InternalError"), "500 InternalError"),
        (http_answer(429), "429"),
        (
            http_answer(403, "AccessDenied"),
            "403 AccessDenied; see 'access_key' and 'secret_key', and what they may do",
        ),
        (http_answer(400, "ExpiredToken"), "400 ExpiredToken; see 'region' and the keys"),
        (http_answer(301), "it is elsewhere; see 'region' and 'endpoint'"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the connection broke"),
    ],
)
def test_what_is_no_fault_of_an_image_takes_the_target_down(
    tmp_path: Path, man: Middleman, answer: bytes, said: str
) -> None:
    man.answer = answer
    place = f"bucket 'images' at http://127.0.0.1:{man.port}"
    (complaint,) = check_s3("store", target(man.port), ())
    assert complaint == f"{place}: {said}"
    sent = Sent()
    with pytest.raises(TargetDownError, match="bucket 'images'"):
        sent.send(make_task(tmp_path / "task"), target(man.port))
    assert (sent.stored, sent.refused) == ({}, {})


def test_nobody_there_no_such_name_and_no_answer_in_time(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task")
    port = free_port()
    with pytest.raises(TargetDownError) as caught:
        Sent().send(task, target(port))
    assert str(caught.value) == (
        f"bucket 'images' at http://127.0.0.1:{port} cannot be reached: Connection refused"
    )
    with pytest.raises(TargetDownError, match="cannot be reached: its name is not known"):
        Sent().send(task, target(0, endpoint="http://no-such-host.invalid"))
    with socket.create_server((HOST, 0)) as silent:
        began = time.monotonic()
        with pytest.raises(TargetDownError, match="no answer in time"):
            Sent().send(task, target(silent.getsockname()[1], timeout="5s"))
        assert 2 < time.monotonic() - began < 60


def test_a_bucket_that_is_not_there(tmp_path: Path, store: ObjectStore) -> None:
    said = (
        f"bucket 'none' at http://127.0.0.1:{store.port}: 404 NoSuchBucket; there is no such "
        "bucket: make it, or see 'bucket'"
    )
    to = target(store.port, bucket="none")
    assert check_s3("store", to, ()) == [said]
    with pytest.raises(TargetDownError) as caught:
        Sent().send(make_task(tmp_path / "task"), to)
    assert str(caught.value) == said


def test_keys_that_are_revoked_between_two_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded_store(tmp_path / "store") as store:
        monkeypatch.setenv("ACCESS", store.access_key)
        monkeypatch.setenv("SECRET", store.secret_key)
        to = target(store.port)
        assert check_s3("store", to, ()) == []
        Sent().send(make_task(tmp_path / "first", images=IMAGES), to)
        assert store.objects() == expected(IMAGES)
        store.revoke()
        second = make_task(tmp_path / "second", images={"1.dcm": b"image"})
        with pytest.raises(TargetDownError) as caught:
            Sent().send(second, to)
        assert str(caught.value) == (
            f"{to.place}: 403; see 'access_key' and 'secret_key', and what they may do"
        )
        (said,) = check_s3("store", to, ())
        assert "403 InvalidAccessKeyId" in said
        monkeypatch.setenv("SECRET", "")
        with pytest.raises(TargetDownError, match="the variable 'SECRET'"):
            Sent().send(second, to)


def test_no_keys_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    to = target(free_port(), access_key=None, secret_key=None)
    (said,) = check_s3("store", to, ())
    assert said == (
        f"{to.place}: there are no keys in the environment, and this machine has no role; see "
        "'access_key'"
    )


def test_keys_of_the_environment(
    tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "keys")
    to = target(store.port, access_key=None, secret_key=None)
    assert Sent().send(make_task(tmp_path / "task"), to).stored == {"1.dcm": ""}


class Later(threading.Event):
    """Is set when it was asked about a number of times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times

    def is_set(self) -> bool:
        self._times -= 1
        return self._times < 0


@pytest.mark.parametrize("times", [0, 3])
def test_a_stop_is_noticed_between_images_and_between_parts(
    tmp_path: Path, store: ObjectStore, times: int
) -> None:
    task = make_task(tmp_path / "task", images={"1.dcm": LARGE["1.2.3#2.dcm"]})
    context = replace(work_context(task), stop=Later(times))
    with pytest.raises(DeliveryError, match="mroute was asked to stop"):
        Sent().send(task, target(store.port), context=context)
    assert (store.objects(), store.uploads()) == ({}, [])


def test_a_check_leaves_nothing_behind(store: ObjectStore, man: Middleman) -> None:
    assert check_s3("store", target(man.port, layout="ct/{PatientID}"), ()) == []
    assert store.objects() == {}
