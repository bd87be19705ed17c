"""What leaves for a DICOMweb service, and what comes of each answer that it can give.

The service is one that does what it is told; Orthanc is in tests/interop.
"""

from __future__ import annotations

import errno
import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest
from pydantic import ValidationError

from mroute.api import DeliveryError, Shipment, TargetDownError, Task
from mroute.testing import make_task, work_context, write_dicom
from mroute_web.check import check_dicomweb
from mroute_web.dicomweb import DicomwebTarget, send_to_dicomweb
from mroute_web.instances import read_instance
from tests.interop.certificates import new_authority
from tests.interop.webserver import (
    Reply,
    Request,
    Stow,
    WebServer,
    cut,
    hang,
    parts,
    raw,
    results,
    uid_of,
    web_server,
)

FAST = {"timeout": "1s", "connect_timeout": "1s"}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine that runs the tests would be asked for loopback otherwise."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as found:
        found.answer = Stow()
        yield found


@dataclass
class Secured:
    """A server over HTTPS that wants a certificate, and what a client needs for it."""

    server: WebServer
    tls: dict[str, Any]


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Secured]:
    authority = new_authority(tmp_path / "ca")
    (certificate, key), (ours, our_key) = authority.sign("server", days=9), authority.sign("client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    with web_server(context) as server:
        server.answer = Stow()
        tls = {"authorities": authority.certificate, "certificate": ours, "key": our_key}
        yield Secured(server, tls)


@dataclass
class Sent:
    """What was reported: status and words for each image, by the name of its file."""

    stored: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    error: DeliveryError | None = None

    @property
    def problem(self) -> str:
        return str(self.error)

    @property
    def is_down(self) -> bool:
        return isinstance(self.error, TargetDownError)


def task_of(folder: Path, images: int = 3) -> Task:
    task = make_task(folder / "task", {"dispatch": {}}, images={})
    for number in range(images):
        write_dicom(task.folder / f"{number:02}.dcm")
    return task


def target(url: str, **fields: Any) -> DicomwebTarget:
    return DicomwebTarget.model_validate({"type": "dicomweb", "url": url, **FAST, **fields})


def send(task: Task, url: str, stop: threading.Event | None = None, **fields: Any) -> Sent:
    sent = Sent()
    shipment = Shipment(
        task,
        "pacs",
        task.images(),
        lambda image, status, warning: sent.stored.update({image.name: (status, warning)}),
        lambda image, status, reason: sent.refused.update({image.name: (status, reason)}),
    )
    context = work_context(task)
    if stop is not None:
        context = replace(context, stop=stop)
    try:
        send_to_dicomweb(shipment, target(url, **fields), context)
    except DeliveryError as error:
        sent.error = error
    return sent


def always(reply: Reply) -> Callable[[Request], Reply]:
    return lambda request: reply


def uid(task: Task, number: int) -> str:
    return uid_of((task.folder / f"{number:02}.dcm").read_bytes())


# What is sent


def test_the_files_arrive_as_they_are_so_many_with_a_request(
    tmp_path: Path, server: WebServer
) -> None:
    server.answer = stow = Stow()
    task = task_of(tmp_path, 5)
    sent = send(task, f"{server.url}/dicom-web/", batch=2)
    assert sent.stored == {f"{number:02}.dcm": ("0000", "") for number in range(5)}
    assert (sent.refused, sent.error) == ({}, None)
    assert sorted(stow.held.values()) == sorted(each.read_bytes() for each in task.images())
    assert server.paths() == ["POST /dicom-web/studies"] * 3
    assert [len(parts(each)) for each in server.requests] == [2, 2, 1]
    assert server.connections == 1
    headers = server.requests[0].headers
    assert headers["Accept"] == "application/dicom+json"
    assert headers["Authorization"] is None
    assert headers["Transfer-Encoding"] is None


def test_an_image_is_read_while_it_is_sent(tmp_path: Path, server: WebServer) -> None:
    import tracemalloc

    task = task_of(tmp_path, 4)
    for image in task.images():
        with image.open("ab") as file:
            file.truncate(8 << 20)
    read: list[int] = []

    def drain(connection: BaseHTTPRequestHandler) -> bool:
        left = int(connection.headers["Content-Length"])
        read.append(left)
        while left > 0:
            left -= len(connection.rfile.read(min(left, 1 << 16)))
        connection.wfile.write(b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n")
        return not left

    server.early = drain
    tracemalloc.start()
    try:
        send(task, server.url, batch=4)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read[0] > 32 << 20
    assert most < 8 << 20


def test_two_images_of_one_uid_do_not_share_an_answer(tmp_path: Path, server: WebServer) -> None:
    task = task_of(tmp_path, 2)
    (task.folder / "02.dcm").write_bytes((task.folder / "00.dcm").read_bytes())
    sent = send(task, server.url)
    assert len(sent.stored) == 3
    assert [len(parts(each)) for each in server.requests] == [2, 1]


def test_a_file_that_is_no_image_is_refused_and_keeps_no_other(
    tmp_path: Path, server: WebServer
) -> None:
    task = task_of(tmp_path)
    (task.folder / "01.dcm").write_bytes(b"no image")
    sent = send(task, server.url)
    assert sorted(sent.stored) == ["00.dcm", "02.dcm"]
    assert sent.refused == {"01.dcm": ("", "it has no SOPInstanceUID")}


def test_stopped_in_the_middle(tmp_path: Path, server: WebServer) -> None:
    stop = threading.Event()
    stow = Stow()

    def answer(request: Request) -> Reply:
        stop.set()
        return stow(request)

    server.answer = answer
    sent = send(task_of(tmp_path), server.url, stop, batch=1)
    assert sorted(sent.stored) == ["00.dcm"]
    assert sent.problem == "mroute was asked to stop"
    assert len(server.requests) == 1


# What is answered about images


def test_each_image_gets_what_was_said_of_it(tmp_path: Path, server: WebServer) -> None:
    task = task_of(tmp_path, 5)
    stored = {uid(task, 0): None, uid(task, 1): 0xB007, "1.2.3.4": None}
    failed = {uid(task, 2): 0xC122, uid(task, 3): 0xA701, uid(task, 4): None}
    server.answer = lambda request: Reply(202, results(stored, failed))
    sent = send(task, server.url)
    assert sent.stored == {
        "00.dcm": ("0000", ""),
        "01.dcm": ("B007", "the data set does not match its SOP class"),
    }
    assert sent.refused == {
        "02.dcm": ("C122", "it does not take this transfer syntax"),
        "03.dcm": ("A701", "out of resources"),
        "04.dcm": ("", "it did not say why"),
    }
    assert sent.error is None


def test_all_failed(tmp_path: Path, server: WebServer) -> None:
    server.answer = Stow(fails=lambda uid: 0x0110)
    sent = send(task_of(tmp_path), server.url)
    assert sent.refused == {f"0{n}.dcm": ("0110", "processing failure") for n in range(3)}
    assert (sent.stored, sent.error, len(server.requests)) == ({}, None, 1)


def test_what_a_success_does_not_mention_is_not_stored(tmp_path: Path, server: WebServer) -> None:
    task = task_of(tmp_path)
    server.answer = lambda request: Reply(200, results({uid(task, 1): None}))
    sent = send(task, server.url)
    assert (sorted(sent.stored), sent.refused) == (["01.dcm"], {})
    assert sent.problem == f"{server.place} did not say what became of 2 images"
    assert not sent.is_down


def test_a_success_that_mentions_nothing_stored_nothing(tmp_path: Path, server: WebServer) -> None:
    server.answer = lambda request: Reply(200, results({}))
    sent = send(task_of(tmp_path), server.url)
    assert (sent.stored, sent.refused) == ({}, {})
    assert sent.problem == f"{server.place} did not say what became of 3 images"


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422, 500])
def test_where_a_request_is_refused_as_a_whole_each_image_is_sent_alone(
    tmp_path: Path, server: WebServer, status: int
) -> None:
    task = task_of(tmp_path, 5)
    bad, stow = uid(task, 3), Stow()

    def answer(request: Request) -> Reply:
        if bad in map(uid_of, parts(request)):
            return Reply(status, b"<html>it is broken</html>")
        return stow(request)

    server.answer = answer
    sent = send(task, server.url)
    assert sorted(sent.stored) == ["00.dcm", "01.dcm", "02.dcm", "04.dcm"]
    assert list(sent.refused) == ["03.dcm"]
    assert sent.refused["03.dcm"] == (str(status), HTTPStatus(status).phrase)
    assert sent.error is None


def test_what_was_stored_of_a_request_that_failed_is_not_sent_again(
    tmp_path: Path, server: WebServer
) -> None:
    task = task_of(tmp_path)
    answers = iter([Reply(400, results({uid(task, 0): None, uid(task, 2): None})), Reply(400)])
    server.answer = lambda request: next(answers)
    sent = send(task, server.url)
    assert (sorted(sent.stored), sorted(sent.refused)) == (["00.dcm", "02.dcm"], ["01.dcm"])


def test_a_service_that_fails_for_every_image_is_left_alone(
    tmp_path: Path, server: WebServer
) -> None:
    server.answer = lambda request: Reply(500)
    sent = send(task_of(tmp_path, 20), server.url, batch=5)
    assert sent.problem == (
        f"{server.place} answered 500 Internal Server Error for 3 images in a row"
    )
    assert (len(server.requests), len(sent.refused)) == (4, 3)


def test_images_that_bring_about_a_500_here_and_there_keep_no_other(
    tmp_path: Path, server: WebServer
) -> None:
    task, stow = task_of(tmp_path, 8), Stow()
    bad = {uid(task, number) for number in (0, 2, 4, 6)}

    def answer(request: Request) -> Reply:
        return Reply(500) if bad & set(map(uid_of, parts(request))) else stow(request)

    server.answer = answer
    sent = send(task, server.url, batch=3)
    assert sorted(sent.refused) == ["00.dcm", "02.dcm", "04.dcm", "06.dcm"]
    assert (len(sent.stored), sent.error) == (4, None)


XML = """<?xml version="1.0" encoding="utf-8"?>
<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
  <DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence">
    <Item number="1">
      <DicomAttribute tag="00081155" vr="UI"><Value number="1">{stored}</Value></DicomAttribute>
      <DicomAttribute tag="00081196" vr="US"><Value number="1">45056</Value></DicomAttribute>
    </Item>
  </DicomAttribute>
  <DicomAttribute tag="00081198" vr="SQ" keyword="FailedSOPSequence">
    <Item number="1">
      <DicomAttribute tag="00081155" vr="UI"><Value number="1">{failed}</Value></DicomAttribute>
      <DicomAttribute tag="00081197" vr="US"><Value number="1">272</Value></DicomAttribute>
    </Item>
  </DicomAttribute>
</NativeDicomModel>
"""


def test_an_answer_in_xml_is_read_too(tmp_path: Path, server: WebServer) -> None:
    task = task_of(tmp_path, 2)
    body = XML.format(stored=uid(task, 0), failed=uid(task, 1)).encode()
    server.answer = lambda request: Reply(202, body, {"Content-Type": "application/dicom+xml"})
    sent = send(task, server.url)
    assert sent.stored == {"00.dcm": ("B000", "coercion of data elements")}
    assert sent.refused == {"01.dcm": ("0110", "processing failure")}


# What is answered about the service


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (301, {"Location": "http://127.0.0.1:1/elsewhere"}, "correct 'url'"),
        (307, {"Location": "/studies/elsewhere"}, "nothing is sent where a service points to"),
        (401, {}, "it does not take these credentials"),
        (403, {}, "it does not take these credentials"),
        (404, {}, "is 'url' that of the service?"),
        (405, {}, "is 'url' that of the service?"),
        (429, {"Retry-After": "120"}, "it asks to be left alone for 120 s"),
        (502, {}, "what stands before the service does not reach it"),
        (503, {}, "503 Service Unavailable: it cannot take anything now"),
        (
            503,
            {"Retry-After": "Fri, 27 Nov 2026 07:28:00 GMT"},
            "it asks to be left alone until Fri, 27 Nov 2026 07:28:00 GMT",
        ),
    ],
)
def test_nothing_can_be_sent(
    tmp_path: Path, server: WebServer, status: int, headers: dict[str, str], said: str
) -> None:
    server.answer = lambda request: Reply(status, b"a patient", headers)
    sent = send(task_of(tmp_path), server.url)
    assert sent.is_down
    assert sent.problem.startswith(f"{server.place} answered {status} ")
    assert said in sent.problem
    assert "patient" not in sent.problem
    assert (sent.stored, sent.refused, len(server.requests)) == ({}, {}, 1)


@pytest.mark.parametrize("status", [408, 504, 507, 599])
def test_trouble_that_may_pass(tmp_path: Path, server: WebServer, status: int) -> None:
    stow = Stow()
    server.answer = lambda request: stow(request) if not stow.held else Reply(status)
    sent = send(task_of(tmp_path), server.url, batch=1)
    assert sorted(sent.stored) == ["00.dcm"]
    assert sent.problem.startswith(f"{server.place} answered {status} ")
    assert (sent.is_down, sent.refused, len(server.requests)) == (False, {}, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Please log in</body></html>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a><DicomAttribute tag='00081199'/></a>",
        b"<unclosed",
        b"[" * 100_000,
        b'{"error": "a patient"}',
        b"[1, 2]",
        b"\xff\xfe\x00",
    ],
)
def test_a_success_that_is_no_answer_of_a_dicomweb_service(
    tmp_path: Path, server: WebServer, body: bytes
) -> None:
    server.answer = lambda request: Reply(200, body)
    sent = send(task_of(tmp_path), server.url)
    assert sent.is_down
    assert sent.problem == (
        f"{server.place} answered 200 OK, but not as STOW-RS does: is 'url' the root of a DICOMweb "
        "service?"
    )
    assert sent.stored == {}


@pytest.mark.parametrize(
    "content",
    [
        {"00081199": None, "00081198": 5},
        {"00081199": {"Value": [None, 5, {"00081155": {}}, {"00081155": {"Value": [None]}}]}},
        {"00081199": {"Value": {"00081155": 1}}},
    ],
)
def test_an_answer_that_is_not_well_formed_says_nothing(
    tmp_path: Path, server: WebServer, content: dict[str, Any]
) -> None:
    server.answer = lambda request: Reply(200, json.dumps(content).encode())
    sent = send(task_of(tmp_path), server.url)
    assert sent.problem == f"{server.place} did not say what became of 3 images"


def test_a_reason_that_is_no_number_is_none(tmp_path: Path, server: WebServer) -> None:
    task = task_of(tmp_path, 1)
    item = {"00081155": {"Value": [uid(task, 0)]}, "00081197": {"Value": [{"x": 1}]}}
    body = json.dumps([{"00081198": {"Value": [item]}}]).encode()
    server.answer = lambda request: Reply(409, body)
    assert send(task, server.url).refused == {"00.dcm": ("", "it did not say why")}


# What becomes of a connection


def test_a_service_that_hangs(tmp_path: Path, server: WebServer) -> None:
    server.early = hang(server)
    sent = send(task_of(tmp_path), server.url)
    assert sent.problem == f"{server.place} did not answer in time"
    assert not sent.is_down


def test_a_service_that_takes_nothing(tmp_path: Path, server: WebServer) -> None:
    task = task_of(tmp_path, 1)
    with (task.folder / "00.dcm").open("ab") as file:
        file.truncate(64 << 20)
    server.early = hang(server)
    sent = send(task, server.url)
    assert sent.problem == f"{server.place} did not take what was sent in time"


def test_a_service_that_never_ends_its_answer(tmp_path: Path, server: WebServer) -> None:
    def drip(connection: BaseHTTPRequestHandler) -> bool:
        connection.rfile.read(int(connection.headers["Content-Length"]))
        connection.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not server.released.wait(0.1):
            connection.wfile.write(b" ")
        return True

    server.early = drip
    sent = send(task_of(tmp_path), server.url)
    assert sent.problem == f"{server.place} did not end its answer in time"


def test_a_service_that_cuts_the_connection_in_the_middle(
    tmp_path: Path, server: WebServer
) -> None:
    task = task_of(tmp_path)
    for image in task.images():
        with image.open("ab") as file:
            file.truncate(4 << 20)
    stow = Stow()
    server.answer = stow
    server.early = lambda connection: bool(stow.held) and cut(connection)
    sent = send(task, server.url, batch=1)
    assert sorted(sent.stored) == ["00.dcm"]
    assert sent.problem.startswith(f"{server.place} broke the connection")
    assert not sent.is_down


def test_what_was_half_stored_before_a_cut_goes_again_and_is_held_once(
    tmp_path: Path, server: WebServer
) -> None:
    stow, task = Stow(), task_of(tmp_path)

    def keep_and_vanish(connection: BaseHTTPRequestHandler) -> bool:
        body = connection.rfile.read(int(connection.headers["Content-Length"]))
        stow(Request("POST", "/studies", {}, connection.headers, body))
        return True

    server.answer, server.early = stow, keep_and_vanish
    assert send(task, server.url).stored == {}
    assert len(stow.held) == 3
    server.early = lambda connection: False
    assert len(send(task, server.url).stored) == 3
    assert len(stow.held) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"a patient\r\n\r\n", "broke the connection, or what it answered is not HTTP"),
        (b"", "broke the connection, or what it answered is not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\na patient",
            "answered what cannot be decoded",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\na patient",
            "broke the connection, or what it answered is not HTTP",
        ),
    ],
)
def test_garbage(tmp_path: Path, server: WebServer, answer: bytes, said: str) -> None:
    server.early = raw(answer)
    sent = send(task_of(tmp_path), server.url)
    assert sent.problem == f"{server.place} {said}"
    assert not sent.is_down


@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_without_end_is_not_read_to_it(
    tmp_path: Path, server: WebServer, zipped: bool
) -> None:
    body = b" " * (40 << 20)
    reply = Reply(200, gzip.compress(body), {"Content-Encoding": "gzip"})
    server.answer = lambda request: reply if zipped else Reply(200, body)
    sent = send(task_of(tmp_path), server.url, timeout="20s")
    assert sent.problem == f"{server.place} answered with more than 16 MB, which is no answer"
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_service_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        sent = send(task_of(tmp_path), f"http://127.0.0.1:{port}/secret-path")
    assert sent.is_down
    assert sent.problem == (f"'127.0.0.1:{port}' cannot be reached: [Errno 111] Connection refused")


def test_a_shortage_of_this_machine_is_not_the_fault_of_the_service(
    tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*args: object, **options: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "create_connection", short)
    with pytest.raises(OSError, match="Too many open files"):
        send(task_of(tmp_path), server.url)


def test_a_shortage_while_certificates_are_read(
    tmp_path: Path, secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*args: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    for method in ("load_cert_chain", "load_verify_locations"):
        with monkeypatch.context() as patched:
            patched.setattr(ssl.SSLContext, method, short)
            with pytest.raises(OSError, match="Too many open files"):
                send(task_of(tmp_path / method), secured.server.url, tls=secured.tls)


def test_a_file_that_changes_while_it_is_sent(
    tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = task_of(tmp_path, 1)
    (image,) = task.images()
    read = read_instance(image)
    with image.open("ab") as file:
        file.write(b"more")
    assert b"".join(read.pieces()) == image.read_bytes()[: read.size]
    longer = replace(read, size=read.size + 5)
    monkeypatch.setattr("mroute_web.dicomweb.sendable", lambda shipment: [longer])
    assert send(task, server.url).problem == "an image became shorter while it was sent"
    assert server.requests == []


# As whom, and to whom


BASIC = "Basic bXJvdXRlOm5vYm9keSBrbm93cw=="


@pytest.mark.parametrize(
    ("authentication", "header"),
    [
        ({"user": "mroute", "password": {"env": "PACS"}}, BASIC),
        ({"token": {"env": "PACS"}}, "Bearer nobody knows"),
    ],
)
def test_credentials(
    tmp_path: Path,
    server: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    authentication: dict[str, Any],
    header: str,
) -> None:
    monkeypatch.setenv("PACS", "nobody knows")
    server.answer = Stow(authorization=header)
    task = task_of(tmp_path)
    assert len(send(task, server.url, authentication=authentication).stored) == 3
    monkeypatch.setenv("PACS", "forgotten")
    sent = send(task, server.url, authentication=authentication)
    assert sent.is_down
    assert "401 Unauthorized: it does not take these credentials" in sent.problem
    assert "forgotten" not in sent.problem + repr(target(server.url, authentication=authentication))


def test_credentials_that_are_revoked_between_two_tasks(
    tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACS", "nobody knows")
    server.answer = stow = Stow(authorization=BASIC)
    authentication = {"user": "mroute", "password": {"env": "PACS"}}
    first, second = task_of(tmp_path / "1"), task_of(tmp_path / "2")
    assert send(first, server.url, authentication=authentication).error is None
    stow.authorization = "Basic of another password"
    assert send(second, server.url, authentication=authentication).is_down
    monkeypatch.setenv("PACS", "new")
    stow.authorization = "Basic bXJvdXRlOm5ldw=="
    assert send(second, server.url, authentication=authentication).error is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "the variable 'PACS', which should hold a secret, is not set or empty"),
        ("a\nb", "the token has characters that cannot stand in a header"),
    ],
)
def test_a_secret_that_cannot_be_used(
    tmp_path: Path,
    server: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    value: str | None,
    said: str,
) -> None:
    monkeypatch.delenv("PACS", raising=False)
    if value is not None:
        monkeypatch.setenv("PACS", value)
    sent = send(task_of(tmp_path), server.url, authentication={"token": {"env": "PACS"}})
    assert (sent.is_down, sent.problem, server.requests) == (True, said, [])


def test_tls_with_certificates_at_both_ends(tmp_path: Path, secured: Secured) -> None:
    task, url = task_of(tmp_path), secured.server.url
    assert len(send(task, url, tls=secured.tls).stored) == 3
    strange = {**secured.tls, "authorities": new_authority(tmp_path / "other").certificate}
    sent = send(task, url, tls=strange)
    assert sent.is_down
    assert "CERTIFICATE_VERIFY_FAILED" in sent.problem
    assert send(task, url).is_down  # an authority that the system does not know
    sent = send(task, url, tls={"authorities": secured.tls["authorities"]})
    assert sent.is_down
    assert sent.problem.startswith(f"{secured.server.place}: no secure connection: ")
    assert sent.stored == {}


def test_certificates_that_cannot_be_used(tmp_path: Path, secured: Secured) -> None:
    (tmp_path / "empty").touch()
    task, url = task_of(tmp_path), secured.server.url
    sent = send(task, url, tls={**secured.tls, "key": tmp_path / "empty"})
    assert sent.is_down
    assert "or its key cannot be used" in sent.problem
    sent = send(task, url, tls={"authorities": tmp_path / "none"})
    assert sent.problem == (
        f"the authorities '{tmp_path / 'none'}' cannot be used: No such file or directory; "
        "expected a PEM file"
    )


# What a person may say


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://me:secret@pacs.example/"}, "a URL holds no user and password here"),
        ({"url": "http://pacs.example/?key=secret"}, "a URL without '?' and '#'"),
        ({"authentication": {"user": "me"}}, "say either 'user' and 'password', or 'token'"),
        (
            {
                "authentication": {
                    "user": "me",
                    "password": {"env": "A"},
                    "token": {"env": "B"},
                }
            },
            "say either 'user' and 'password', or 'token'",
        ),
        ({"authentication": {}}, "say either 'user' and 'password', or 'token'"),
        ({"authentication": {"token": "secret"}}, "a secret is not written into a rule file"),
        ({"tls": {}}, "'tls' needs a 'url' that begins with https://"),
        (
            {"url": "https://pacs.example/", "tls": {"key": "a.key"}},
            "a 'key' needs the 'certificate' that it belongs to",
        ),
        ({"batch": 0}, "greater than or equal to 1"),
    ],
)
def test_a_target_that_cannot_work_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        target(**{"url": "http://pacs.example/", **fields})
    assert said in str(caught.value)


# Check


def check(url: str, files: tuple[Path, ...] = (), **fields: Any) -> list[str]:
    return list(check_dicomweb("pacs", target(url, **fields), files))


def test_a_check_finds_nothing_wrong_and_leaves_nothing_behind(
    tmp_path: Path, server: WebServer
) -> None:
    server.answer = stow = Stow()
    assert check(server.url, task_of(tmp_path).images()) == []
    assert (server.paths(), stow.held) == (["GET /studies"], {})
    server.answer = lambda request: Reply(200, b"[]")
    assert check(server.url) == []


def test_a_check_names_what_is_wrong(
    tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACS", "wrong")
    server.answer = Stow(authorization=BASIC)
    (problem,) = check(server.url, authentication={"token": {"env": "PACS"}})
    assert problem.startswith(f"{server.place} answered 401 Unauthorized: it does not take these")
    no_service = (
        f"{server.place} answered a search 200 OK, but not as QIDO-RS does: is 'url' the root of a "
        "DICOMweb service?"
    )
    for reply in map(partial(Reply, 200), (b"<html>", b"{}", b"")):
        server.answer = always(reply)
        assert check(server.url) == [no_service]
    monkeypatch.delenv("PACS")
    assert check(server.url, authentication={"token": {"env": "PACS"}}) == [
        "the variable 'PACS', which should hold a secret, is not set or empty"
    ]
    file = tmp_path / "x.dcm"
    file.touch()
    server.answer = Stow()
    assert check(server.url, (file, tmp_path / "none")) == [
        "'x.dcm' cannot be sent: it has no SOPInstanceUID",
        "'none' cannot be read: No such file or directory",
    ]


def test_a_check_tells_of_certificates_that_expire(tmp_path: Path, secured: Secured) -> None:
    (problem,) = check(secured.server.url, tls=secured.tls)
    assert problem.startswith(f"the certificate of {secured.server.place} expires on ")
    authority = new_authority(tmp_path / "short")
    ours, key = authority.sign("client", days=3)
    tls = {**secured.tls, "certificate": ours, "key": key}
    problem, *_ = check(secured.server.url, tls=tls)
    assert problem.startswith(f"the certificate '{ours}' expires on ")
    old, old_key = authority.sign("old", days=-3)
    problem, *_ = check(secured.server.url, tls={**tls, "certificate": old, "key": old_key})
    assert problem.startswith(f"the certificate '{old}' has expired on ")


def test_the_library_does_not_log_what_is_asked(
    tmp_path: Path, server: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for name in (httpx2.__name__, httpcore2.__name__):
        caplog.set_level("DEBUG", name)
    send(task_of(tmp_path), server.url)
    assert [each for each in caplog.records if each.name.startswith("http")] == []
