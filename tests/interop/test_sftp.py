"""mroute stores files on an OpenSSH server, whatever becomes of the connection and the server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mroute.api import DeliveryError, Shipment, TargetDownError, Task
from mroute.testing import make_task, work_context
from mroute_storage.sftp import SftpTarget, check_sftp, send_to_sftp
from tests.interop.cutting import way_to
from tests.interop.images import real_instances
from tests.interop.peers import HOST, PROGRAM
from tests.interop.sshd import Sshd, new_key, sshd
from tests.told import contents

pytestmark = pytest.mark.interop

IMAGES = {f"{number:02}.dcm": bytes([number]) * 60_000 for number in range(20)}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with sshd(tmp_path / "sshd") as server:
        yield server


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(tmp_path / "task", images=IMAGES)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def target_at(server: Sshd, archive: Path, **fields: Any) -> SftpTarget:
    login = {"host": HOST, "port": server.port, "user": server.user, "key": server.key}
    given = {"type": "sftp", **login, "path": str(archive), **fields}
    if "host_key" not in fields:
        given.setdefault("known_hosts", server.known_hosts)
    return SftpTarget.model_validate(given)


def send(task: Task, target: SftpTarget, stored: list[str] | None = None) -> list[str]:
    """Send the images that are not among ``stored``, and add them to it."""
    stored = [] if stored is None else stored
    missing = tuple(image for image in task.images() if image.name not in stored)
    shipment = Shipment(
        task, "partner", missing, lambda image, status, why: stored.append(image.name)
    )
    send_to_sftp(shipment, target, work_context(task))
    stored.sort()  # several are on their way at once
    return stored


def assert_whole(task: Task, folder: Path, stored: Sequence[str]) -> None:
    """Whatever has a real name is whole, and what was told of is there."""
    there = {name: content for name, content in contents(folder).items() if name[0] != "."}
    assert there.items() <= contents(task.folder).items()
    assert set(stored) <= set(there)


def expected(task: Task) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in task.files()}


def test_the_server_holds_what_was_sent(tmp_path: Path, server: Sshd, archive: Path) -> None:
    images = {f"{each.sop_instance}.dcm": each.path.read_bytes() for each in real_instances()}
    task = make_task(tmp_path / "task", images=images)
    target = target_at(server, archive, layout="{StudyInstanceUID}/{Modality}")
    assert len(send(task, target)) == len(images) > 100
    assert contents(archive / "1.2" / "MR") == expected(task)
    # Sent again, nothing is written: it is compared.
    before = [path.stat() for path in sorted(archive.rglob("*"))]
    assert len(send(task, target)) == len(images)
    assert [path.stat() for path in sorted(archive.rglob("*"))] == before


def test_openssh_renames_over_nothing(task: Task, server: Sshd, archive: Path) -> None:
    archive.mkdir()
    (archive / "00.dcm").write_bytes(b"other")
    for _ in range(2):
        assert len(send(task, target_at(server, archive, layout=""))) == len(IMAGES)
        beside = {f"00#{task.id}{suffix}": f"00{suffix}" for suffix in (".dcm", ".tags")}
        held = {name: (task.folder / source).read_bytes() for name, source in beside.items()}
        rest = {name: each for name, each in expected(task).items() if name != "00.tags"}
        assert contents(archive) == rest | held | {"00.dcm": b"other"}


def test_a_key_with_a_password(
    task: Task, server: Sshd, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_PASSWORD", "open sesame")
    key = new_key(server.folder / "locked", "open sesame")
    server.authorized_keys.write_text(key.with_suffix(".pub").read_text())
    target = target_at(server, archive, key=key, key_password={"env": "KEY_PASSWORD"})
    assert len(send(task, target)) == len(IMAGES)


def test_a_connection_that_is_cut_anywhere_is_resumed(
    task: Task, server: Sshd, archive: Path
) -> None:
    with way_to(server.port) as way:
        target = target_at(
            server, archive, port=way.port, host_key=server.host_key, layout="", known_hosts=None
        )
        send(task, target.model_copy(update={"path": str(archive.with_name("whole"))}))
        total = way.passed
        assert total > sum(map(len, IMAGES.values()))
        broken = 0
        for cut in range(total // 40, total, total // 20):
            folder = archive.with_name(f"archive-{cut}")
            cut_off = target.model_copy(update={"path": str(folder)})
            stored: list[str] = []
            way.after = cut
            with pytest.raises(DeliveryError, match=r"broke|no connection"):
                send(task, cut_off, stored)
            assert_whole(task, folder, stored)
            broken += bool(stored)
            way.after = None
            send(task, cut_off, stored)
            assert stored == sorted(IMAGES)  # each once
            assert contents(folder) == expected(task)
        assert broken > 10


def test_a_server_that_ends_in_the_middle_is_not_down(
    task: Task, server: Sshd, archive: Path
) -> None:
    class Cutting(list[str]):
        def append(self, name: str) -> None:
            super().append(name)
            server.cut()

    stored, target = Cutting(), target_at(server, archive, layout="")
    with pytest.raises(DeliveryError, match=f"the connection to {HOST}:{server.port} broke") as e:
        send(task, target, stored)
    assert not isinstance(e.value, TargetDownError)
    assert 0 < len(stored) < len(IMAGES)
    assert_whole(task, archive, stored)
    told = list(stored)
    send(task, target, told)
    assert told == sorted(IMAGES)
    assert contents(archive) == expected(task)


def test_a_login_that_is_revoked_between_two_tasks(task: Task, server: Sshd, archive: Path) -> None:
    target = target_at(server, archive)
    send(task, target)
    server.revoke()
    later = make_task(task.folder.with_name("later"), images=IMAGES, task_id="later")
    with pytest.raises(TargetDownError, match=f"refused the login of '{server.user}'"):
        send(later, target)
    assert [path.name for path in archive.iterdir()] == [task.id]
    assert check_sftp("partner", target, ()) == [
        f"{HOST}:{server.port} refused the login of '{server.user}'"
    ]
    server.restore()
    send(later, target)
    assert contents(archive / "later") == expected(later)


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_server_with_another_key_gets_nothing(
    task: Task, tmp_path: Path, archive: Path, kind: str
) -> None:
    with sshd(tmp_path / "sshd") as server:
        target = target_at(server, archive)
        send(task, target)
    for path in (server.folder / "host", server.folder / "host.pub"):
        path.unlink()
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(server.folder / "host")]
    subprocess.run(command, check=True)
    later = make_task(tmp_path / "later", images=IMAGES, task_id="later")
    with sshd(tmp_path / "sshd", port=server.port) as changed:
        said = "is not the one in" if kind == "ed25519" else "host key"
        with pytest.raises(TargetDownError, match=said):
            send(later, target)
        (complaint,) = check_sftp("partner", target, ())
        assert "Accepted publickey" not in changed.log
        assert "known_hosts" in complaint
    assert [path.name for path in archive.iterdir()] == [task.id]


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, which takes root to make."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "mroute-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted by this user")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_full_at_the_server(task: Task, server: Sshd, archive: Path) -> None:
    with small_disk(archive, "1m"):
        target = target_at(server, archive, layout="")
        (complaint,) = check_sftp("partner", target, ())
        assert complaint == f"1 MB are free in '{archive}', of 100 MB at least"
        ballast = archive / "ballast"
        ballast.write_bytes(bytes(500_000))
        stored: list[str] = []
        with pytest.raises(DeliveryError) as caught:
            send(task, target, stored)
        assert not isinstance(caught.value, TargetDownError)
        assert re.fullmatch(
            rf"'{archive}' does not take '\d\d\.dcm': Failure(; \d+ bytes are free there)?",
            str(caught.value),
        )
        assert 0 < len(stored) < len(IMAGES)
        ballast.unlink()
        assert_whole(task, archive, stored)
        for name in stored:  # their owner has taken them
            (archive / name).unlink()
        with suppress(DeliveryError):  # it may be full again
            send(task, target, stored)
        for path in archive.glob("*.dcm"):
            path.unlink()
        send(task, target, stored)
        assert stored == sorted(IMAGES)
        assert not list(archive.glob(".*"))


def test_a_folder_that_may_not_be_written(task: Task, server: Sshd, tmp_path: Path) -> None:
    # The superuser may write everywhere but here, and tests may run as that.
    folder = Path("/proc/mroute")
    with pytest.raises(DeliveryError, match=r"'/proc/mroute' does not take '00\.dcm': "):
        send(task, target_at(server, folder))
    complaint, *_ = check_sftp("partner", target_at(server, folder), ())
    assert complaint.startswith("'/proc' is what there is, and cannot be written by this user: ")


def test_a_check_leaves_nothing_behind(task: Task, server: Sshd, archive: Path) -> None:
    archive.mkdir()
    assert check_sftp("partner", target_at(server, archive), task.images()) == []
    assert check_sftp("partner", target_at(server, archive / "a" / "b"), ()) == []
    assert list(archive.iterdir()) == []


def test_mroute_routes_to_it(server: Sshd, archive: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    incoming = site / "spool" / "incoming" / "1.2.3"
    incoming.mkdir(parents=True)
    (image,) = (each for each in real_instances() if each.path.name == "CT_small.dcm")
    name = f"1.2.3#{image.sop_instance}.dcm"
    (incoming / name).write_bytes(image.path.read_bytes())
    target = {
        "type": "sftp",
        "host": HOST,
        "port": server.port,
        "user": server.user,
        "key": str(server.key),
        "known_hosts": str(server.known_hosts),
        "path": str(archive),
        "layout": "{PatientID}/{StudyDate}",
        "exclude": ["*.tags"],
    }
    rules = {
        "version": 1,
        "timing": {"series_complete_after": "0s"},
        "targets": {"partner": target},
        "rules": {"all": {"when": "has(Modality)", "action": "route", "targets": ["partner"]}},
    }
    (site / "mroute.json").write_text(json.dumps(rules))
    for command in (["targets", "check"], ["run", "--once"]):
        file = ["-c", str(site / "mroute.json")]
        subprocess.run([sys.executable, "-c", PROGRAM, *command, *file], check=True)
    assert contents(archive) == {f"1CT1/20040119/{name}": image.path.read_bytes()}
