"""An SFTP target logs in to whom it knows, and stores each image once, whole."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from pydantic import ValidationError

from mroute.api import DeliveryError, TargetDownError, Task
from mroute.testing import make_task, work_context
from mroute_storage import extras
from mroute_storage.placement import BESIDE
from mroute_storage.sftp import SftpTarget, check_sftp, send_to_sftp
from tests.plugins.sftp_server import HOST, PASSWORD, USER, Server, sftp_server
from tests.told import Told, contents

IMAGES = {"1.dcm": b"one", "2.dcm": b"two" * 1_000_000}
PATIENT = "{PatientName}/{StudyInstanceUID}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("SFTP_PASSWORD", PASSWORD)
    with sftp_server(tmp_path / "server") as server:
        yield server


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(tmp_path / "task", images=IMAGES)


def target_at(server: Server, **fields: Any) -> SftpTarget:
    given = {
        "type": "sftp",
        "host": HOST,
        "port": server.port,
        "user": USER,
        "password": {"env": "SFTP_PASSWORD"},
        "path": "incoming",
        **({} if "known_hosts" in fields else {"host_key": server.host_key}),
        **fields,
    }
    return SftpTarget.model_validate(given)


def send(task: Task, server: Server, told: Told | None = None, **fields: Any) -> Told:
    """Send the images of which nothing was told yet."""
    told = told or Told()
    target = target_at(server, **fields)
    send_to_sftp(told.shipment(task), target, work_context(task))
    return told


def expected(task: Task, folder: str) -> dict[str, bytes]:
    return {f"{folder}/{path.name}": path.read_bytes() for path in task.files()}


def test_each_task_gets_a_folder_with_images_and_tags(task: Task, server: Server) -> None:
    told = send(task, server)
    assert told.stored == {"1.dcm": "", "2.dcm": ""}
    assert contents(server.root) == expected(task, f"incoming/{task.id}")
    assert len([each for each in server.asked if each.startswith("fsync")]) == 4
    assert server.asked.count(f"login {USER}") == 1


def test_images_go_to_the_folders_of_their_tags(task: Task, server: Server) -> None:
    send(task, server, layout="{StudyInstanceUID}/{Modality}", exclude=["*.tags"])
    assert contents(server.root) == {
        f"incoming/1.2/MR/{name}": content for name, content in IMAGES.items()
    }


def test_an_image_that_is_there_counts_as_stored(task: Task, server: Server) -> None:
    send(task, server)
    server.asked.clear()
    assert send(task, server).stored == {"1.dcm": "", "2.dcm": ""}
    assert contents(server.root) == expected(task, f"incoming/{task.id}")
    assert not [each for each in server.asked if each.startswith(("write", "rename"))]
    assert len([each for each in server.asked if each.startswith("read")]) == 4


def test_other_content_under_the_same_name_is_kept(task: Task, server: Server) -> None:
    folder = server.root / "incoming"
    folder.mkdir()
    (folder / "1.dcm").write_bytes(b"eno")
    (folder / "2.dcm").write_bytes(b"shorter")
    for _ in range(2):
        assert send(task, server, layout="").stored == {"1.dcm": BESIDE, "2.dcm": BESIDE}
        names = ["1#.dcm", "1#.tags", "1.dcm", "2#.dcm", "2#.tags", "2.dcm"]
        there = contents(folder)
        assert sorted(there) == [each.replace("#", f"#{task.id}") for each in names]
        assert (there["1.dcm"], there["2.dcm"]) == (b"eno", b"shorter")
        assert there[f"2#{task.id}.dcm"] == IMAGES["2.dcm"]
    (folder / f"1#{task.id}.dcm").write_bytes(b"neo")
    told = send(task, server, layout="")
    assert told.stored == {"2.dcm": BESIDE}
    assert "move one of them away" in told.refused["1.dcm"]


def test_a_name_that_another_takes_meanwhile_is_not_overwritten(task: Task, server: Server) -> None:
    def take(request: str, path: str) -> None:
        if request == "rename" and path.endswith("/1.dcm"):
            (server.root / "incoming" / "1.dcm").write_bytes(b"eno")

    server.refuse = take
    assert send(task, server, layout="").stored == {"1.dcm": BESIDE, "2.dcm": ""}
    there = contents(server.root / "incoming")
    assert (there["1.dcm"], there[f"1#{task.id}.dcm"]) == (b"eno", b"one")
    assert not [name for name in there if name.startswith(".")]


def test_what_a_process_that_died_has_left_is_removed(task: Task, server: Server) -> None:
    folder = server.root / "incoming" / task.id
    folder.mkdir(parents=True)
    for number in range(8):
        (folder / f".{task.id}.{number}.part").write_bytes(b"half")
    assert send(task, server).stored == {"1.dcm": "", "2.dcm": ""}
    assert contents(server.root) == expected(task, f"incoming/{task.id}")


@pytest.mark.parametrize("request_name", ["write", "fsync", "rename", "mkdir"])
@pytest.mark.parametrize(
    "error",
    [
        asyncssh.SFTPFailure("quota of Doe^John in 1.2 exceeded"),
        asyncssh.SFTPPermissionDenied("you may not"),
        OSError(errno.ENOSPC, "no room"),
    ],
    ids=["quota", "permission", "full"],
)
def test_the_words_of_a_server_that_refuses(
    task: Task, server: Server, request_name: str, error: Exception
) -> None:
    (task.folder / "2.tags").write_text(
        '{"PatientName": "Doe^John", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1"}'
    )

    told = Told()

    def refuse(request: str, path: str) -> None:
        if request == request_name and "Doe^John" in path:
            raise error

    server.refuse = refuse
    with pytest.raises(DeliveryError, match=r"'incoming' does not take '2\.dcm': ") as caught:
        send(task, server, told, layout=PATIENT)
    assert not isinstance(caught.value, TargetDownError)
    said = {"quota": "quota of ... in ... exceeded", "you may": "you may not", "no room": "no room"}
    assert any(text in str(caught.value) for key, text in said.items() if key in str(error))
    assert "Doe" not in str(caught.value)
    assert told.stored == {"1.dcm": ""}
    assert contents(server.root) == {
        f"incoming/unknown/1.2/{name}": (task.folder / name).read_bytes()
        for name in ("1.dcm", "1.tags")
    }
    server.refuse = lambda request, path: None
    server.asked.clear()
    send(task, server, told, layout=PATIENT)
    assert told.stored == {"1.dcm": "", "2.dcm": ""}
    assert sorted(contents(server.root)) == [
        "incoming/Doe^John/1.2/2.dcm",
        "incoming/Doe^John/1.2/2.tags",
        "incoming/unknown/1.2/1.dcm",
        "incoming/unknown/1.2/1.tags",
    ]
    assert not [each for each in server.asked if "unknown" in each]


def test_a_server_that_cannot_flush_will_do(task: Task, server: Server) -> None:
    def refuse(request: str, path: str) -> None:
        if request == "fsync":
            raise asyncssh.SFTPOpUnsupported("what is that")

    server.refuse = refuse
    assert send(task, server).stored == {"1.dcm": "", "2.dcm": ""}


def test_a_server_that_falls_silent_is_not_waited_for(task: Task, server: Server) -> None:
    server.ignored = frozenset({"rename"})
    with pytest.raises(DeliveryError, match=r"did not answer within 0\.2 s") as caught:
        send(task, server, timeout=timedelta(milliseconds=200))
    assert not isinstance(caught.value, TargetDownError)
    server.ignored = frozenset()
    assert send(task, server).stored == {"1.dcm": "", "2.dcm": ""}
    assert contents(server.root) == expected(task, f"incoming/{task.id}")


def test_an_image_without_tags_is_refused_where_the_layout_needs_them(
    task: Task, server: Server
) -> None:
    (task.folder / "1.tags").unlink()
    told = send(task, server, layout="{Modality}")
    assert told.stored == {"2.dcm": ""}
    assert "1.tags" in told.refused["1.dcm"]
    assert send(task, server, layout="{task_id}").stored == {"1.dcm": "", "2.dcm": ""}


def test_a_delivery_stops_between_two_images(tmp_path: Path, server: Server) -> None:
    task = make_task(tmp_path / "task", images={f"{number}.dcm": b"" for number in range(40)})
    context, told = work_context(task), Told()

    def stored(image: Path, status: str, warning: str) -> None:
        told.stored[image.name] = ""
        context.stop.set()

    with pytest.raises(DeliveryError, match="asked to stop"):
        send_to_sftp(
            replace(told.shipment(task, task.images()), stored=stored), target_at(server), context
        )
    # What was on its way is there, and told of.
    assert 0 < len(told.stored) <= 16
    there = {Path(name).name for name in contents(server.root)}
    assert there == {f"{Path(name).stem}{end}" for name in told.stored for end in (".dcm", ".tags")}


def test_nothing_more_is_begun_where_an_image_is_not_taken(tmp_path: Path, server: Server) -> None:
    task = make_task(tmp_path / "task", images={f"{number}.dcm": b"" for number in range(40)})

    def refuse(request: str, path: str) -> None:
        if request == "rename" and path.endswith("/0.dcm"):
            raise asyncssh.SFTPFailure("no more today")

    server.refuse = refuse
    told = Told()
    with pytest.raises(DeliveryError, match="no more today"):
        send(task, server, told)
    # What was on its way is there, and told of.
    assert 0 < len(told.stored) <= 16
    assert len(contents(server.root)) == 2 * len(told.stored)


def test_a_login_that_is_refused(
    task: Task, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFTP_PASSWORD", "open barley")
    with pytest.raises(TargetDownError) as caught:
        send(task, server)
    assert str(caught.value) == f"{HOST}:{server.port} refused the login of 'mroute'"
    monkeypatch.delenv("SFTP_PASSWORD")
    with pytest.raises(TargetDownError, match="the variable 'SFTP_PASSWORD'"):
        send(task, server)
    assert contents(server.root) == {}


def test_a_server_that_nothing_vouches_for(
    task: Task, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    known = tmp_path / ".ssh" / "known_hosts"
    where = f"{HOST}:{server.port}"
    with pytest.raises(TargetDownError) as caught:
        send(task, server, known_hosts=None)
    assert str(caught.value) == (
        f"'{known}', which should have the key of the server, cannot be read: "
        "No such file or directory"
    )
    known.parent.mkdir()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known.write_text(f"[{HOST}]:1 {server.host_key}\nelsewhere {other}\n")
    with pytest.raises(TargetDownError, match=rf"of {where} is not known; .*'{known}'"):
        send(task, server, known_hosts=None)
    known.write_text(f"[{HOST}]:{server.port} {other}\n")
    with pytest.raises(TargetDownError, match=rf"of {where} is not the one in '{known}'; if the"):
        send(task, server, known_hosts=None)
    with pytest.raises(TargetDownError, match=rf"of {where} is not the one in 'host_key'; if the"):
        send(task, server, host_key=other.strip())
    # The password is told to nobody who has not shown the right key.
    assert server.asked == []
    known.write_text(f"[{HOST}]:{server.port} {server.host_key}\n")
    assert send(task, server, known_hosts=None).stored == {"1.dcm": "", "2.dcm": ""}


def test_a_server_that_is_not_there(task: Task, server: Server) -> None:
    gone = replace(server, port=1)
    with pytest.raises(TargetDownError) as caught:
        send(task, gone)
    assert str(caught.value) == f"{HOST}:1 cannot be reached: Connection refused"
    with pytest.raises(TargetDownError, match=r"cannot be reached: Name or service|Temporary"):
        send(task, server, host="nowhere.invalid")
    with pytest.raises(TargetDownError, match="no connection within 0 s"):
        send(task, server, connect_timeout=timedelta(0))


def test_a_key_that_cannot_be_used(task: Task, server: Server, tmp_path: Path) -> None:
    key = tmp_path / "key"
    with pytest.raises(TargetDownError, match=r"key' cannot be read: No such file"):
        send(task, server, key=key)
    key.write_text("no key")
    with pytest.raises(TargetDownError, match=r"key' cannot be used; expected a private key"):
        send(task, server, key=key)
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(key, passphrase="a")
    for password in (None, {"env": "SFTP_PASSWORD"}):
        with pytest.raises(TargetDownError, match=r"key' cannot be used; expected .* password"):
            send(task, server, key=key, key_password=password)


@pytest.mark.parametrize("task_id", ["../outside", ".hidden", ""])
def test_an_id_that_leads_elsewhere_is_refused(task: Task, server: Server, task_id: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a folder"):
        send(replace(task, id=task_id), server)
    assert server.asked == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": None}, "say how to log in: 'key', a file, or 'password', a secret"),
        ({"key_password": {"env": "X"}}, "'key_password' is for a 'key', and there is none"),
        ({"known_hosts": "known", "host_key": "ssh-rsa AAAA"}, "either 'known_hosts' or"),
        ({"host_key": "AAAA"}, "'host_key' is no public key"),
        ({"host_key": "ssh-rsa AAAA\n* ssh-rsa BBBB"}, "'host_key' is no public key"),
        ({"password": "sesame"}, "a secret is not written into a rule file"),
        ({"layout": "/data"}, "cannot be the name of a folder"),
        ({"exclude": [""]}, "at least 1 character"),
    ],
)
def test_what_a_target_cannot_be(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        target_at(Server(tmp_path, 22, "ssh-rsa AAAA"), **fields)


def test_a_machine_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=r"needs the library asyncssh; .*'mroute\[sftp\]'"):
        target_at(Server(tmp_path, 22, "ssh-rsa AAAA"))


def check(server: Server, files: Sequence[Path] = (), **fields: Any) -> list[str]:
    return check_sftp("partner", target_at(server, **fields), files)


def test_a_check_leaves_nothing_behind(task: Task, server: Server) -> None:
    assert check(server, task.images()) == []
    assert check(server, path="/a/b/c/") == []
    assert len([each for each in server.asked if each.startswith("write ")]) == 2
    assert list(server.root.iterdir()) == []


def test_a_check_names_what_is_wrong(
    task: Task, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server.root / "file").touch()
    assert check(server, path="file") == ["'file' is no folder"]
    assert check(server, path="/file/below") == ["'/file' is no folder"]

    def refuse(request: str, path: str) -> None:
        raise asyncssh.SFTPPermissionDenied("you may not")

    server.refuse = refuse
    (server.root / "incoming").mkdir()
    assert check(server) == ["'incoming' cannot be written by this user: you may not"]
    assert check(server, path="/incoming/new") == [
        "'/incoming' is what there is, and cannot be written by this user: you may not"
    ]
    server.refuse = lambda request, path: None
    huge = task.folder / "1.dcm"
    with huge.open("r+b") as file:
        file.truncate(1 << 43)
    (complaint,) = check(server, [huge])
    assert complaint.endswith(" MB are free in 'incoming', of 8796093 MB at least")
    monkeypatch.setenv("SFTP_PASSWORD", "open barley")
    assert check(server) == [f"{HOST}:{server.port} refused the login of 'mroute'"]
