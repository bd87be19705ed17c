"""DCMTK sends to mroute: what arrives, what is refused, and what a peer cannot do to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydicom import dcmread

from mroute.api import DeliveryError, TagsError, Task
from mroute.cli import main
from mroute.testing import write_dicom
from mroute_dicom.network import messages
from mroute_dicom.network.connection import Connection, PduType, pdu
from mroute_dicom.network.negotiation import Proposal
from mroute_dicom.reader import read_tags
from mroute_dicom.sending.direct import associated
from mroute_dicom.sending.instances import Instance, read_instance
from mroute_dicom.sending.peer import Peer
from tests.benchmarks.series import write_series
from tests.interop.certificates import new_authority
from tests.interop.images import CT, MR, data_sets, real_instances
from tests.interop.peers import (
    ENVIRONMENT,
    HOST,
    PROGRAM,
    free_port,
    listens,
    mroute,
    running,
    until,
)
from tests.interop.test_sending import EXPLICIT, send, task_of

pytestmark = pytest.mark.interop

RULES = """\
version: 1
timing: {{series_complete_after: 1h}}
settings:
  durability: process
  dicom:
    receiver: {{port: {port}, bind: 127.0.0.1, acse_timeout: 2s{more}}}
"""

GARBAGE = (b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\x7f\xff\xff\xff", b"\x01")


@dataclass
class Router:
    """A running mroute with a receiver."""

    folder: Path
    port: int
    pid: int

    def images(self) -> list[Path]:
        return sorted((self.folder / "spool/incoming").glob("*/*.dcm"))

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def processes(self) -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, check=False)
        return [int(each) for each in found.stdout.split()]


@contextmanager
def router(folder: Path, more: str = "") -> Iterator[Router]:
    port = free_port()
    rules = RULES.format(port=port, more=f", {more}" if more else "")
    with mroute(folder / "site", rules, port) as process:
        yield Router(folder / "site", port, process.pid)


def storescu(port: int, files: Sequence[Path], *options: str) -> subprocess.CompletedProcess[str]:
    command = ["storescu", "-v", "-xs", "-R", *options, HOST, str(port), *map(str, files)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def dcmsend(port: int, files: Sequence[Path], *options: str) -> subprocess.CompletedProcess[str]:
    command = ["dcmsend", "-v", "-nuc", *options, HOST, str(port), *map(str, files)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def some(number: int) -> list[Path]:
    explicit = [
        each.path
        for each in real_instances()
        if each.transfer_syntax.endswith(".1.2.1") and "test_files" in each.path.parts
    ]
    return [path for path in explicit if has_series(path)][:number]


def sends_itself(folder: Path, instances: Sequence[Instance], port: int) -> None:
    """Send by mroute's own back end, which leaves every byte as it is."""
    stored, refused = send(task_of(folder, instances), port)
    assert (len(stored), refused) == (len(instances), {})


def test_dcmtk_sends_and_the_tags_say_who(tmp_path: Path) -> None:
    files = some(20)
    with router(tmp_path) as site:
        assert subprocess.run(["echoscu", HOST, str(site.port)], check=False).returncode == 0
        sent = dcmsend(site.port, files[:10], "-aet", "SCANNER7", "-aec", "ROUTER")
        assert sent.returncode == 0, sent.stdout + sent.stderr
        sent = storescu(site.port, files[10:], "-aet", "OLD", "-aec", "ANY")
        assert sent.returncode == 0, sent.stdout + sent.stderr
        images = site.images()
    assert len(images) == 20
    assert {read_instance(path).sop_instance for path in images} == {
        read_instance(path).sop_instance for path in files
    }
    for path in images:
        series, _, rest = path.name.partition("#")
        assert (path.parent.name, rest) == (series, f"{read_instance(path).sop_instance}.dcm")
        tags = json.loads(path.with_suffix(".tags").read_text())
        assert tags["SeriesInstanceUID"] == series
        assert tags["SenderAddress"] == HOST
        assert (tags["SenderAET"], tags["ReceiverAET"]) in [("SCANNER7", "ROUTER"), ("OLD", "ANY")]


def test_real_files_arrive_bit_by_bit(tmp_path: Path) -> None:
    instances = [each for each in real_instances() if has_series(each.path)]
    with router(tmp_path, "private_sop_classes: true") as site:
        sends_itself(tmp_path, instances, site.port)
        arrived = data_sets(map(read_instance, site.images()))
    assert len(instances) > 100
    assert len({each.transfer_syntax for each in instances}) >= 9
    assert arrived == data_sets(instances)


def has_series(path: Path) -> bool:
    try:
        return bool(read_tags(path)["SeriesInstanceUID"])
    except TagsError:
        return False


def test_an_image_that_is_sent_twice_is_stored_once(tmp_path: Path) -> None:
    with router(tmp_path) as site:
        for calling in ("A", "A", "B"):
            assert dcmsend(site.port, some(3), "-aet", calling).returncode == 0
        assert len(site.images()) == 3


def test_only_those_that_are_allowed(tmp_path: Path) -> None:
    allowed = "allow: {calling: [SCANNER1], called: [ROUTER]}"
    with router(tmp_path, allowed) as site:
        assert dcmsend(site.port, some(1), "-aet", "SCANNER1", "-aec", "ROUTER").returncode == 0
        calling = storescu(site.port, some(1), "-aet", "OTHER", "-aec", "ROUTER")
        called = storescu(site.port, some(1), "-aet", "SCANNER1", "-aec", "OTHER")
        assert len(site.images()) == 1
    assert "Calling AE Title Not Recognized" in calling.stderr + calling.stdout
    assert "Called AE Title Not Recognized" in called.stderr + called.stdout


def test_addresses_that_are_not_allowed_are_not_listened_to(tmp_path: Path) -> None:
    with router(tmp_path, "allow: {addresses: [192.0.2.0/24]}") as site:
        assert dcmsend(site.port, some(1)).returncode != 0
        assert site.images() == []
        until(lambda: "from an address not allowed" in site.log(), "a word about it")


def test_a_full_disk_is_told_to_the_sender(tmp_path: Path) -> None:
    with router(tmp_path, "min_free: 100000000") as site:
        refused = storescu(site.port, some(1))
        assert site.images() == []
        until(lambda: "MB are free in the spool" in site.log(), "a word about the disk")
    assert "Temporary Congestion" in refused.stderr + refused.stdout


def test_an_image_that_is_too_large_is_refused_and_the_next_one_taken(tmp_path: Path) -> None:
    large = write_series(tmp_path / "large", images=1) / "0.dcm"
    with router(tmp_path, "max_object: 1") as site:
        image = dcmread(large)
        image.PixelData = bytes(2_000_000)
        image.save_as(large)
        sent = dcmsend(site.port, [large, *some(1)], "-nh")
        assert "Refused" in sent.stdout + sent.stderr
        assert len(site.images()) == 1


def test_compressed_and_private_ones_by_setting(tmp_path: Path) -> None:
    jpeg = [each.path for each in real_instances() if each.path.name == "JPEG2000.dcm"]
    with router(tmp_path, "compressed: false") as site:
        refused = dcmsend(site.port, jpeg, "-dn")
        assert site.images() == []
    assert "no acceptable presentation context" in (refused.stdout + refused.stderr).lower() or (
        refused.returncode != 0
    )


def test_tls_with_client_certificates(tmp_path: Path) -> None:
    authority = new_authority(tmp_path / "ca")
    (server, server_key), (client, client_key) = authority.sign("server"), authority.sign("client")
    tls = f"tls: {{certificate: {server}, key: {server_key}, authorities: {authority.certificate}}}"
    with router(tmp_path, tls) as site:
        options = ["+tls", str(client_key), str(client), "+cf", str(authority.certificate)]
        secured = storescu(site.port, some(2), *options)
        assert secured.returncode == 0, secured.stdout + secured.stderr
        assert storescu(site.port, some(2)).returncode != 0
        anonymous = ["+tla", "+cf", str(authority.certificate)]
        assert storescu(site.port, some(2), *anonymous).returncode != 0
        assert len(site.images()) == 2


def test_a_flood_garbage_and_one_byte_a_time_keep_nobody_from_sending(tmp_path: Path) -> None:
    with router(tmp_path, "max_associations: 4") as site:
        flood = [socket.create_connection((HOST, site.port)) for _ in range(60)]
        for number, sock in enumerate(flood):
            sock.sendall(
                (b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\x7f\xff\xff\xff", b"\x01")[number % 3]
            )
        assert dcmsend(site.port, some(5)).returncode == 0
        # Each of them is cut off: those that say nothing more after the time that they have.
        for sock in flood:
            sock.settimeout(30)
            assert _rest(sock) == b""
            sock.close()
        assert len(site.images()) == 5
        assert len(site.processes()) == (os.cpu_count() or 1)


def _rest(sock: socket.socket) -> bytes:
    try:
        return sock.recv(100)
    except ConnectionResetError:
        return b""


def test_no_more_associations_than_there_may_be(tmp_path: Path) -> None:
    with router(tmp_path, "max_associations: 1") as site:
        peer = Peer(HOST, site.port, "A", "B", None, 5, 5, 5)
        with associated(peer, (Proposal("1.2.840.10008.1.1", ("1.2.840.10008.1.2",)),)):
            refused = storescu(site.port, some(1))
        until(lambda: storescu(site.port, some(1)).returncode == 0, "a free place")
    assert "Local Limit Exceeded" in refused.stdout + refused.stderr


def test_what_was_not_agreed_upon_is_refused(tmp_path: Path) -> None:
    with router(tmp_path) as site:
        peer = Peer(HOST, site.port, "A", "B", None, 5, 5, 5)
        with associated(peer, (Proposal(CT, (EXPLICIT,)),)) as (connection, _):
            statuses = [
                _store(connection, number, sop_class, instance)
                for number, (sop_class, instance) in enumerate(
                    [("1.2.3.4", "1.2.3"), (CT, ""), (CT, "1.2.3")], 1
                )
            ]
        until(lambda: "of another SOP class than was agreed upon" in site.log(), "a word")
        assert site.images() == []
    assert statuses == [0xA900, 0xC000, 0xC000]  # the last one is no image


def _store(connection: Connection, number: int, sop_class: str, instance: str) -> object:
    request = messages.store_request(number, sop_class, instance)
    connection.send(messages.command_pdus(1, request, 16_384), 5)
    for part in messages.data_pdus(1, memoryview(b"no image"), 16_384):
        connection.send(part, 5)
    _, content = connection.receive(10, 16_384)
    ((_, _, _, answer),) = messages.fragments(content)
    return messages.decoded(bytearray(answer))[messages.STATUS]


def test_who_breaks_the_rules_or_idles_when_mroute_stops_is_told_by_an_abort(
    tmp_path: Path,
) -> None:
    with router(tmp_path, "idle_timeout: 10m") as site:
        peer, told = Peer(HOST, site.port, "A", "B", None, 5, 5, 60), list[int]()
        with suppress(DeliveryError), associated(peer, (Proposal(CT, (EXPLICIT,)),)) as (wild, _):
            wild.send(pdu(PduType.ASSOCIATE_AC), 5)
            told.append(wild.receive(60, 100)[0])
        with suppress(DeliveryError), associated(peer, (Proposal(CT, (EXPLICIT,)),)) as (idle, _):
            os.kill(site.pid, signal.SIGTERM)
            told.append(idle.receive(60, 100)[0])
    assert told == [PduType.ABORT, PduType.ABORT]


def test_certificates_that_cannot_be_read_are_told_of(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    more = f", tls: {{certificate: {tmp_path / 'gone.pem'}}}"
    (site / "mroute.yaml").write_text(RULES.format(port=free_port(), more=more))
    command = [sys.executable, "-c", PROGRAM, "run", "-c", str(site / "mroute.yaml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "gone.pem" in line)
        process.terminate()
        process.stderr.read()
    assert "the certificate" in told
    assert process.returncode == 0


def test_nothing_of_the_current_folder_is_run(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "pydantic.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "mroute.yaml").write_text(RULES.format(port=port, more=""))
    program = Path(sys.executable).with_name("mroute")
    command = ["sh", "-c", f"cd {tmp_path} && exec {program} run -c mroute.yaml"]
    with running(command, port, tmp_path / "log"):
        until(lambda: dcmsend(port, some(1)).returncode == 0, "an image")
        assert len(list((tmp_path / "spool/incoming").glob("*/*.dcm"))) == 1
    assert "the wrong one" not in (tmp_path / "log").read_text()


DCMTK = "backend: dcmtk"


def test_storescp_receives_what_is_sent_bit_by_bit(tmp_path: Path) -> None:
    instances = [each for each in real_instances() if has_series(each.path)]
    with router(tmp_path, DCMTK) as site:
        stored, refused = send(task_of(tmp_path, instances), site.port)
        until(lambda: len(site.images()) >= len(stored), "the images")
        arrived = data_sets(map(read_instance, site.images()))
        tags = json.loads(site.images()[0].with_suffix(".tags").read_text())
    assert len(stored) > 100
    assert all(why.startswith("0122 ") for why in refused.values())
    sent = data_sets(instances)
    assert arrived == {uid: sent[uid] for uid in arrived}
    assert (tags["SenderAET"], tags["ReceiverAET"], tags["SenderAddress"]) == (
        "MROUTE",
        "PACS",
        HOST,
    )


def test_storescp_keeps_images_apart_however_fast_they_come(tmp_path: Path) -> None:
    images = [
        write_dicom(tmp_path / f"{number:03}.dcm", SOPClassUID=(CT, MR)[number % 2])
        for number in range(500)
    ]
    with router(tmp_path, DCMTK) as site:
        stored, _ = send(task_of(tmp_path, list(map(read_instance, images))), site.port)
        until(lambda: len(site.images()) == 500, "the images")
    assert len(stored) == 500


def test_storescp_is_begun_only_for_those_that_are_allowed(tmp_path: Path) -> None:
    with router(tmp_path, f"{DCMTK}, allow: {{calling: [SCANNER1]}}") as site:
        assert dcmsend(site.port, some(2), "-aet", "SCANNER1").returncode == 0
        other = storescu(site.port, some(1), "-aet", "OTHER")
        with socket.create_connection((HOST, site.port)) as garbage:
            garbage.sendall(GARBAGE[0])
            garbage.settimeout(30)
            assert _rest(garbage) == b""
        until(lambda: len(site.images()) == 2, "the images")
    assert "Calling AE Title Not Recognized" in other.stderr + other.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("backend: dcmtk, private_sop_classes: true", "takes no private SOP classes"),
        ("backend: dcmtk, max_object: 5", "storescp has no limit for an image"),
        ("backend: dcmtk, tls: {certificate: a.pem}", "cannot check AE titles behind TLS"),
        ("tls: {authorities: a.pem}", "a receiver needs a 'certificate' for TLS"),
        ("allow: {addresses: [everywhere]}", "expected an IP address, or a network"),
    ],
)
def test_what_a_back_end_cannot_do_is_said_when_the_rules_are_read(
    tmp_path: Path, settings: str, said: str
) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text(RULES.format(port=104, more=f", {settings}"))
    checked = CliRunner().invoke(main, ["validate-rules", str(path)])
    assert checked.exit_code == 1
    assert said in checked.output


@pytest.mark.parametrize("more", ["", DCMTK])
def test_what_was_answered_with_success_is_there_after_a_kill(tmp_path: Path, more: str) -> None:
    tasks = []
    for number in range(4):
        folder = write_series(tmp_path / f"series-{number}")
        (tmp_path / str(number)).mkdir()
        instances = [read_instance(path) for path in folder.iterdir()]
        tasks.append(task_of(tmp_path / str(number), instances))
    answered: list[str] = []
    port = free_port()
    rules = RULES.format(port=port, more=f", {more}" if more else "")

    def send_all(task: Task) -> None:
        with suppress(DeliveryError):
            send(task, port, answered.append)

    with mroute(tmp_path / "site", rules, port) as process:
        site = Router(tmp_path / "site", port, process.pid)
        senders = [threading.Thread(target=send_all, args=(task,)) for task in tasks]
        for sender in senders:
            sender.start()
        until(lambda: len(answered) >= 60, "images")
        for pid in all_below(process.pid):
            with suppress(ProcessLookupError):  # an association has ended just now
                os.kill(pid, signal.SIGKILL)
        for sender in senders:
            sender.join()
        until(lambda: not listens(port), "the end of the receiver")
    # What has come to its folder, or is on its way there, is finished by the next start.
    with mroute(tmp_path / "site", rules, port):
        staging = tmp_path / "site/spool/.staging"
        until(lambda: not list(staging.glob("receive-*")), "the rest")
        until(lambda: not list(staging.glob("locks/receiving/*/association-*")), "leftovers")
        there = {read_instance(path).sop_instance for path in site.images()}
    assert 56 <= len(answered) < 256
    assert set(answered) <= there
    assert not list((tmp_path / "site/spool/.staging/locks/receiving").glob("process-*/*"))


def all_below(pid: int) -> list[int]:
    """A process and all that it has begun, and those have."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, check=False)
    return [pid, *(each for child in found.stdout.split() for each in all_below(int(child)))]


def test_a_process_that_is_killed_is_begun_again(tmp_path: Path) -> None:
    with router(tmp_path, "processes: 1") as site:
        (before,) = until(site.processes, "a process")
        os.kill(before, signal.SIGKILL)
        until(lambda: [each for each in site.processes() if each != before], "another process")
        until(lambda: dcmsend(site.port, some(1)).returncode == 0, "an image")
        assert len(site.images()) == 1
        assert "is started again" in site.log()


def test_the_receiver_ends_with_mroute_however_that_ends(tmp_path: Path) -> None:
    port = free_port()
    with mroute(tmp_path / "site", RULES.format(port=port, more=""), port) as process:
        site = Router(tmp_path / "site", port, process.pid)
        count = os.cpu_count() or 1
        children = until(lambda: len(site.processes()) == count and site.processes(), "processes")
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in children), "their end")
        assert not listens(port)
    assert len(children) == count
