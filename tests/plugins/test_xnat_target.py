"""What leaves for an XNAT, and what comes of its answers.

There is no real XNAT here: the one that answers keeps to what is known of one (tests/interop/xnat).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mroute.api import DeliveryError, Shipment, Tags, TagsError, TargetDownError, Task
from mroute.testing import TAGS, make_task, work_context, write_dicom
from mroute_web.check import check_xnat
from mroute_web.labels import as_label, check_label, label_for
from mroute_web.xnat import send_to_xnat
from mroute_web.xnat_target import XnatTarget
from tests.interop.webserver import Reply, Request, WebServer, cut, hang, raw, uid_of, web_server
from tests.interop.xnat import LABEL, Xnat

PATIENT = {**TAGS, "PatientID": "0815", "StudyInstanceUID": "1.2.840.3"}


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XNAT_PASSWORD", "nobody knows")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as found:
        yield found


@pytest.fixture
def xnat(server: WebServer) -> Xnat:
    server.answer = found = Xnat()
    return found


def target(url: str, **fields: Any) -> XnatTarget:
    return XnatTarget.model_validate(
        {
            "type": "xnat",
            "url": url,
            "project": "LUNGS",
            "user": "mroute",
            "password": {"env": "XNAT_PASSWORD"},
            "timeout": "1s",
            **fields,
        }
    )


def task_of(folder: Path, images: int = 3) -> Task:
    task = make_task(folder / "task", {"dispatch": {}}, images={})
    for number in range(images):
        write_dicom(task.folder / f"{number:02}.dcm")
    return task


def uids(task: Task) -> list[str]:
    return [uid_of(image.read_bytes()) for image in task.images()]


Told = dict[str, str]
"""The status, and why not, for each image by the name of its file."""


def send(
    task: Task,
    url: str,
    tags: Callable[[Path], Tags] = lambda image: PATIENT,
    told: tuple[Told, Told] | None = None,
    **fields: Any,
) -> tuple[Told, Told]:
    stored, refused = told or ({}, {})
    shipment = Shipment(
        task,
        "research",
        task.images(),
        lambda image, status, warning: stored.update({image.name: status + warning}),
        lambda image, status, reason: refused.update({image.name: f"{status} {reason}".strip()}),
    )
    send_to_xnat(shipment, target(url, **fields), replace(work_context(task), tags=tags))
    return stored, refused


def down(task: Task, url: str, **fields: Any) -> str:
    with pytest.raises(TargetDownError) as caught:
        send(task, url, **fields)
    return str(caught.value)


def test_each_image_goes_into_its_session_by_a_request_of_its_own(
    tmp_path: Path, server: WebServer, xnat: Xnat
) -> None:
    task = task_of(tmp_path)
    stored, refused = send(task, f"{server.url}/")
    assert (stored, refused) == ({f"0{number}.dcm": "200" for number in range(3)}, {})
    assert xnat.held == {
        ("LUNGS", "0815", "1_2_840_3", uid): image.read_bytes()
        for uid, image in zip(uids(task), task.images(), strict=True)
    }
    assert xnat.destinations == {"/archive/projects/LUNGS AA"}
    assert server.paths() == [
        "POST /data/JSESSION",
        "GET /data/projects/LUNGS",
        *["POST /data/services/import"] * 3,
        "DELETE /data/JSESSION",
    ]
    assert (xnat.begun, xnat.sessions, server.connections) == (1, set(), 1)
    assert [each.headers["Authorization"] for each in server.requests[1:]] == [None] * 5
    assert server.requests[2].query["overwrite"] == "append"


def test_labels_are_made_of_the_tags_of_each_image(
    tmp_path: Path, server: WebServer, xnat: Xnat
) -> None:
    fields: dict[str, Any] = {"subject": "S-{PatientID}", "session": "{PatientID}_{Modality}"}
    send(task_of(tmp_path, 1), server.url, destination="prearchive", **fields)
    ((_, subject, session, _),) = xnat.held
    assert (subject, session) == ("S-0815", "0815_MR")
    assert xnat.destinations == {"/prearchive/projects/LUNGS"}


def test_what_is_sent_again_is_there_once(tmp_path: Path, server: WebServer, xnat: Xnat) -> None:
    task = task_of(tmp_path)
    send(task, server.url)
    send(task, server.url)
    assert (len(xnat.held), xnat.begun) == (3, 2)
    assert {each.query.get("rename") for each in server.requests if each.body} == {"true"}


def test_an_image_without_a_label_is_refused_and_keeps_no_other(
    tmp_path: Path, server: WebServer, xnat: Xnat
) -> None:
    task = task_of(tmp_path, 4)
    (task.folder / "03.dcm").write_bytes(b"no image")

    def tags(image: Path) -> Mapping[str, str]:
        if image.name == "01.dcm":
            raise TagsError("its tags cannot be read")
        return PATIENT if image.name == "00.dcm" else {**PATIENT, "PatientID": " "}

    stored, refused = send(task, server.url, tags)
    assert stored == {"00.dcm": "200"}
    assert refused == {
        "01.dcm": "its tags cannot be read",
        "02.dcm": "it has no PatientID, of which its label at XNAT is made",
        "03.dcm": "it has no SOPInstanceUID",
    }
    assert len(xnat.held) == 1


def test_an_image_that_xnat_throws_away_is_refused(
    tmp_path: Path, server: WebServer, xnat: Xnat
) -> None:
    task = task_of(tmp_path)
    _, bad, worse = uids(task)
    answers = {bad: Reply(200), worse: Reply(400, b"unable to read the image of a patient")}
    xnat.treats = answers.get
    stored, refused = send(task, server.url)
    assert stored == {"00.dcm": "200"}
    assert refused == {
        "01.dcm": "200 a filter or script of the XNAT threw it away",
        "02.dcm": "400 Bad Request",
    }


def test_wrong_credentials(
    tmp_path: Path, server: WebServer, xnat: Xnat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XNAT_PASSWORD", "forgotten")
    said = down(task_of(tmp_path), server.url)
    assert said.startswith(f"{server.place} answered 401 Unauthorized: it does not take these cred")
    assert "forgotten" not in said
    monkeypatch.delenv("XNAT_PASSWORD")
    assert down(task_of(tmp_path / "2"), server.url).startswith("the variable 'XNAT_PASSWORD'")
    assert server.paths() == ["POST /data/JSESSION"]


def test_credentials_that_are_revoked_between_two_tasks(
    tmp_path: Path, server: WebServer, xnat: Xnat, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = task_of(tmp_path)
    send(task, server.url)
    xnat.password = "another"
    assert "401 Unauthorized" in down(task, server.url)
    monkeypatch.setenv("XNAT_PASSWORD", "another")
    assert len(send(task, server.url)[0]) == 3


def test_a_session_that_ends_in_the_middle(tmp_path: Path, server: WebServer, xnat: Xnat) -> None:
    task, told = task_of(tmp_path), ({}, {})  # type: tuple[Task, tuple[Told, Told]]

    def expire(uid: str) -> Reply | None:
        if uid != uids(task)[1]:
            return None
        xnat.sessions.clear()
        return Reply(401)

    xnat.treats = expire
    assert "401 Unauthorized" in down(task, server.url, told=told)
    assert told == ({"00.dcm": "200"}, {})


def test_nothing_is_sent_to_a_project_that_is_not_there(
    tmp_path: Path, server: WebServer, xnat: Xnat
) -> None:
    task = task_of(tmp_path)
    assert down(task, server.url, project="OTHER") == (
        f"{server.place} answered 404 Not Found: there is no project 'OTHER', or not for this user"
    )
    assert (xnat.held, xnat.sessions) == ({}, set())
    xnat.may_create = False
    assert down(task, server.url) == (
        f"{server.place} put an image elsewhere than into the project 'LUNGS': may this user "
        "create in it?"
    )
    assert len(xnat.held) == 1  # and no second one


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(302, b"", {"Location": "/app/template/Login.vm"}), "correct 'url'"),
        (Reply(404), "is 'url' that of the service?"),
        (Reply(503, b"", {"Retry-After": "9"}), "it asks to be left alone for 9 s"),
        (Reply(200, b"<html>Log in!</html>"), "is 'url' the root of an XNAT?"),
        (Reply(200, b"\xff" * 32), "is 'url' the root of an XNAT?"),
        (Reply(200), "is 'url' the root of an XNAT?"),
        (Reply(500), "is 'url' the root of an XNAT?"),
    ],
)
def test_what_is_no_xnat(tmp_path: Path, server: WebServer, reply: Reply, said: str) -> None:
    server.answer = lambda request: reply
    assert said in down(task_of(tmp_path), server.url)
    assert server.paths() == ["POST /data/JSESSION"]


def test_a_success_that_is_no_answer_of_an_importer(
    tmp_path: Path, server: WebServer, xnat: Xnat
) -> None:
    xnat.treats = lambda uid: Reply(200, b"<html>a patient</html>")
    said = down(task_of(tmp_path), server.url)
    assert said.startswith(f"{server.place} answered 200 OK, but not as an importer does: is ")


def broken(task: Task, server: WebServer) -> tuple[str, Told]:
    """What is said of a connection that does not last, and what was stored before."""
    told: tuple[Told, Told] = ({}, {})
    with pytest.raises(DeliveryError) as caught:
        send(task, server.url, told=told)
    assert not isinstance(caught.value, TargetDownError)
    return str(caught.value).removeprefix(f"{server.place} "), told[0]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("hang", "did not answer in time"),
        ("cut", "broke the connection"),
        ("garbage", "broke the connection, or what it answered is not HTTP"),
    ],
)
def test_a_connection_that_does_not_last(
    tmp_path: Path, server: WebServer, xnat: Xnat, fault: str, said: str
) -> None:
    act = {"hang": hang(server), "cut": cut, "garbage": raw(b"a patient\r\n\r\n")}[fault]

    def early(connection: BaseHTTPRequestHandler) -> bool:
        return bool(xnat.held) and act(connection)

    server.early = early
    problem, stored = broken(task_of(tmp_path), server)
    assert problem.startswith(said)
    assert stored == {"00.dcm": "200"}


def test_a_full_disk(tmp_path: Path, server: WebServer, xnat: Xnat) -> None:
    task = task_of(tmp_path, 5)
    xnat.treats = lambda uid: Reply(507) if xnat.held else None
    problem, stored = broken(task, server)
    assert (problem, stored) == ("answered 507 Insufficient Storage", {"00.dcm": "200"})
    xnat.treats = lambda uid: Reply(500)
    problem, _ = broken(task, server)
    assert problem == "answered 500 Internal Server Error for 3 images in a row"
    xnat.treats = {uids(task)[0]: Reply(500)}.get
    stored, refused = send(task, server.url)
    assert (len(stored), refused) == (4, {"00.dcm": "500 Internal Server Error"})


def test_a_check_begins_and_ends_a_session(
    tmp_path: Path, server: WebServer, xnat: Xnat, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.dcm"
    file.touch()

    def check(*files: Path, **fields: Any) -> list[str]:
        return list(check_xnat("research", target(server.url, **fields), files))

    assert check(*task_of(tmp_path).images()) == []
    assert server.paths() == [
        "POST /data/JSESSION",
        "GET /data/projects/LUNGS",
        "DELETE /data/JSESSION",
    ]
    assert (xnat.held, xnat.sessions) == ({}, set())
    problem, unreadable = check(file, project="OTHER")
    assert "there is no project 'OTHER'" in problem
    assert unreadable.startswith("'x.dcm' cannot be sent: ")
    monkeypatch.setenv("XNAT_PASSWORD", "wrong")
    assert "401 Unauthorized" in check()[0]
    server.answer = lambda request: Reply(200, b"<html>")
    assert "is 'url' the root of an XNAT?" in check()[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"project": "a/b"}, "String should match pattern"),
        ({"user": "a:b"}, "String should match pattern"),
        ({"password": "secret"}, "a secret is not written into a rule file"),
        ({"subject": "all"}, "all images would get one label"),
        ({"subject": "{PatientID} 1"}, "it takes letters, digits, '_' and '-'"),
        ({"session": "{Patient ID}"}, "names no tag"),
        ({"session": "{}"}, "names no tag"),
        ({"session": "{PatientID!r}"}, "expected a keyword alone"),
        ({"session": "{PatientID"}, "is no label"),
    ],
)
def test_a_target_that_cannot_work_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        target("https://xnat.example", **fields)
    assert said in str(caught.value)


@given(st.text(min_size=1))
def test_a_value_becomes_a_label_that_xnat_takes(value: str) -> None:
    label = as_label(value)
    assert LABEL.fullmatch(label)
    assert len(label) <= 64
    assert as_label(value) == label


@given(st.text("A1./ _-é", min_size=1, max_size=5), st.text("A1./ _-é", min_size=1, max_size=5))
def test_two_values_that_differ_get_labels_that_differ(one: str, other: str) -> None:
    assert (as_label(one) == as_label(other)) == (one == other)


def test_labels() -> None:
    assert as_label("1.2.840.113619") == "1_2_840_113619"
    assert as_label("Müller^Eva").startswith("M_ller_Eva-")
    assert as_label("a" * 64) == "a" * 64
    assert len(as_label("a" * 64 + "b")) == 64
    assert as_label("a" * 64 + "b") != as_label("a" * 64 + "c")
    assert label_for(check_label("{A}-{B}"), {"A": "1", "B": "x"}) == "1-x"


def test_the_xnat_of_these_tests_takes_nothing_but_what_is_documented(xnat: Xnat) -> None:
    from email.message import Message

    headers = Message()
    headers["Cookie"] = "JSESSIONID=S"
    xnat.sessions.add("S")
    request = Request("POST", "/data/services/import", {}, headers, b"")
    assert xnat(request).status == 400
    assert xnat(replace(request, path="/data/services/elsewhere")).status == 404
