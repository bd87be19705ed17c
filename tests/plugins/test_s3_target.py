"""The target type ``s3``: what may be said, and what the answers of a store mean.

The store here is one that does what it is told; real ones are in tests/interop.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mroute.api import DeliveryError, TargetDownError, Task
from mroute.testing import make_task
from mroute_storage import extras
from mroute_storage.s3.connecting import client_of, config_of
from mroute_storage.s3.content import read_content
from mroute_storage.s3.target import S3Target
from tests.interop.scripted_store import ScriptedStore, scripted_store
from tests.interop.test_s3 import Sent

KEYS = {"access_key": {"env": "ACCESS"}, "secret_key": {"env": "SECRET"}}
PATH = "/images/1.2/1.2.3/1.dcm"
CONTENT = b"image 1"
TAG = "5a1f02aad9bb52bc0f2bb1a2b5e2dd9d"


def target(**fields: Any) -> S3Target:
    return S3Target.model_validate({"type": "s3", "bucket": "images", **fields})


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedStore]:
    monkeypatch.setenv("ACCESS", "any")
    monkeypatch.setenv("SECRET", "keys")
    with scripted_store() as found:
        yield found


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(tmp_path / "task")


def send(task: Task, store: ScriptedStore) -> Sent:
    endpoint = f"http://127.0.0.1:{store.port}"
    return Sent().send(task, target(endpoint=endpoint, timeout="5s", **KEYS))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"access_key": {"env": "A"}}, "'access_key' and 'secret_key' belong together"),
        ({"session_token": {"env": "A"}}, "'session_token' belongs to 'access_key'"),
        ({"endpoint": "http://user:swordfish@s3.example"}, "an endpoint without a user"),
        ({"endpoint": "https://s3.example?key=swordfish"}, "an endpoint without a user"),
        ({"access_key": "AKIA", "secret_key": "swordfish"}, "a secret is not written"),
        ({"bucket": "a/b"}, "should match pattern"),
        ({"layout": "/a"}, "cannot be the name of a folder"),
        ({"part_size": 4}, "greater than or equal to 5"),
    ],
)
def test_what_is_not_possible_is_said(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        target(**fields)
    (error,) = caught.value.errors(include_input=False)[:1]
    assert said in error["msg"]
    assert "swordfish" not in error["msg"]


def test_without_the_library_the_rules_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(
        ValidationError, match=r"needs the library obstore; pip install 'mroute\[s3\]'"
    ):
        target()
    assert importlib.util.find_spec("obstore") is not None


def test_a_connection_is_secured_unless_the_endpoint_says_http(tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    authorities.write_text("PEM")
    assert client_of(target())["allow_http"] is False
    assert client_of(target(endpoint="https://s3.example"))["allow_http"] is False
    assert client_of(target(endpoint="http://s3.example"))["allow_http"] is True
    assert client_of(target(authorities=authorities))["root_certificate"] == b"PEM"


def test_the_bucket_is_in_the_path_or_in_the_host() -> None:
    in_path = config_of(target(endpoint="https://s3.example:9000/"))
    assert (in_path["endpoint"], in_path["virtual_hosted_style_request"]) == (
        "https://s3.example:9000",
        False,
    )
    in_host = config_of(target(endpoint="https://s3.example", virtual_hosted=True))
    assert (in_host["endpoint"], in_host["virtual_hosted_style_request"]) == (
        "https://images.s3.example",
        True,
    )
    assert "endpoint" not in config_of(target())


@pytest.mark.parametrize(("size", "parts"), [(0, 0), (1, 0), (10, 0), (11, 2), (20, 2), (21, 3)])
def test_the_etag_of_content_in_parts(tmp_path: Path, size: int, parts: int) -> None:
    path = tmp_path / "image"
    path.write_bytes(bytes(size))
    content = read_content(path, 10)
    assert (content.size, content.is_whole) == (size, parts == 0)
    assert content.tag.partition("-")[2] == (str(parts) if parts else "")


def test_the_answer_to_a_put_is_proof_enough(task: Task, store: ScriptedStore) -> None:
    assert send(task, store).stored == {"1.dcm": ""}
    assert store.asked == ["HEAD", "PUT"]


def test_a_store_with_etags_of_its_own_is_asked_again(task: Task, store: ScriptedStore) -> None:
    store.tag = lambda content: "encrypted"
    for requests in (3, 4):
        assert send(task, store).stored == {"1.dcm": ""}
        assert len(store.asked) == requests
    assert store.objects.keys() == {PATH}


def test_a_store_that_loses_or_changes_content_is_found_out(
    task: Task, store: ScriptedStore
) -> None:
    store.keep = lambda content: content[:-1]
    with pytest.raises(DeliveryError, match="has another content than was sent"):
        send(task, store)
    store.objects.clear()
    store.keep = lambda content: content[:-1] + b"?"
    store.tag = lambda content: "encrypted"
    assert send(task, store).stored == {"1.dcm": ""}  # the length and the checksum are right


def test_a_store_that_cannot_create_only_is_told_to_put(task: Task, store: ScriptedStore) -> None:
    store.refuse = lambda method, headers: (
        (501, "NotImplemented") if "if-none-match" in headers else None
    )
    assert send(task, store).stored == {"1.dcm": ""}
    assert store.objects[PATH][0] == CONTENT


def test_somebody_else_who_was_faster_keeps_his_place(task: Task, store: ScriptedStore) -> None:
    def faster(method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        if method == "PUT" and PATH not in store.objects:
            store.objects[PATH] = (b"of somebody else", "")
            return (412, "PreconditionFailed")
        return None

    store.refuse = faster
    assert send(task, store).stored["1.dcm"].startswith("its name is taken there")
    beside = f"/images/1.2/1.2.3/1%23{task.id}.dcm"
    assert {path: content for path, (content, _) in store.objects.items()} == {
        PATH: b"of somebody else",
        beside: CONTENT,
    }


def test_what_is_being_written_by_somebody_else_is_tried_again_later(
    task: Task, store: ScriptedStore
) -> None:
    store.refuse = lambda method, headers: (
        (409, "ConditionalRequestConflict") if method == "PUT" else None
    )
    with pytest.raises(DeliveryError) as caught:
        send(task, store)
    assert not isinstance(caught.value, TargetDownError)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, "BadDigest"), DeliveryError),
        ((400, "RequestTimeout"), DeliveryError),
        ((503, "SlowDown"), TargetDownError),
        ((507, "XMinioStorageFull"), TargetDownError),
        ((403, "AccessDenied"), TargetDownError),
        ((404, "NoSuchBucket"), TargetDownError),
    ],
)
def test_what_the_answer_to_a_put_means(
    task: Task, store: ScriptedStore, answer: tuple[int, str], kind: type[Exception]
) -> None:
    store.refuse = lambda method, headers: answer if method == "PUT" else None
    with pytest.raises(kind) as caught:
        send(task, store)
    assert type(caught.value) is kind
    assert f"{answer[0]} {answer[1]}" in str(caught.value)
    assert "1.2.3" not in str(caught.value)  # no key, which may be about a patient


def test_an_image_that_a_store_does_not_take_holds_up_no_other(
    tmp_path: Path, store: ScriptedStore
) -> None:
    task = make_task(tmp_path / "two", images={"1.dcm": CONTENT, "2.dcm": b"the other image"})

    def refuse(method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        too_large = method == "PUT" and headers["content-length"] == str(len(CONTENT))
        return (400, "EntityTooLarge") if too_large else None

    store.refuse = refuse
    sent = send(task, store)
    assert (sent.stored, sent.refused) == ({"2.dcm": ""}, {"1.dcm": "400 EntityTooLarge"})


def test_a_key_that_is_too_long_is_refused(tmp_path: Path, store: ScriptedStore) -> None:
    to = target(
        endpoint=f"http://127.0.0.1:{store.port}",
        layout="/".join("x" * 200 for _ in "12345"),
        **KEYS,
    )
    sent = Sent().send(make_task(tmp_path / "task", images={f"{'n' * 30}.dcm": CONTENT}), to)
    assert list(sent.refused.values()) == ["its key would be longer than 1024 bytes"]
    assert store.asked == []
