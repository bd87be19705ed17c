"""mroute sends by rsync: into a folder of this machine, and over a real sshd."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mroute.api import DeliveryError, TargetDownError, Task, WorkContext
from mroute.testing import make_task, work_context
from mroute_storage.rsync.check import check_rsync
from mroute_storage.rsync.send import send_to_rsync
from mroute_storage.rsync.target import RsyncTarget
from tests.interop.middleman import middleman
from tests.interop.peers import HOST, free_port
from tests.interop.sshd import Sshd, new_key, sshd
from tests.told import Told, contents

pytestmark = pytest.mark.interop

IMAGES = {f"1.2.3#{number}.dcm": f"image {number}".encode() for number in range(10)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("ssh") / "server") as found:
        yield found


class Sent(Told):
    """What was reported of each image."""

    def send(self, task: Task, to: RsyncTarget, context: WorkContext | None = None) -> Sent:
        send_to_rsync(self.shipment(task), to, context or work_context(task))
        return self


def here(path: Path, **fields: Any) -> RsyncTarget:
    return RsyncTarget.model_validate(
        {"type": "rsync", "path": str(path), "timeout": "10s", **fields}
    )


def there(server: Sshd, path: Path, **fields: Any) -> RsyncTarget:
    model = {
        "host": HOST,
        "port": server.port,
        "user": server.user,
        "key": server.key,
        "known_hosts": server.known_hosts,
        **fields,
    }
    return here(path, **model)


@pytest.fixture(params=["here", "there"])
def to(request: pytest.FixtureRequest, tmp_path: Path, server: Sshd) -> Any:
    """Makes a target out of fields: the folder ``archive``, directly or over SSH."""

    def made(**fields: Any) -> RsyncTarget:
        path = tmp_path / fields.pop("path", "archive")
        return here(path, **fields) if request.param == "here" else there(server, path, **fields)

    return made


def test_a_folder_holds_what_was_sent_each_once(tmp_path: Path, to: Any) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    before = contents(task.folder)
    sent = Sent().send(task, to())
    assert sent.stored == dict.fromkeys(IMAGES, "")
    assert contents(tmp_path / "archive" / task.id) == IMAGES
    again = Sent().send(task, to())  # by a process that knew of nothing
    assert (again.stored, again.refused) == (sent.stored, {})
    assert contents(tmp_path / "archive" / task.id) == IMAGES
    assert contents(task.folder) == before


def test_temporary_folders_that_anybody_may_clear_say_nothing_of_an_image(
    tmp_path: Path, to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    task = make_task(tmp_path / "task", images=IMAGES)
    left = task.folder / ".rsync-of-one-that-died"
    left.mkdir()
    assert Sent().send(task, to()).stored == dict.fromkeys(IMAGES, "")
    assert contents(tmp_path / "archive" / task.id) == IMAGES
    assert [path.name for path in task.folder.iterdir() if path.is_dir()] == []


def test_the_folders_follow_the_layout_whatever_a_tag_says(tmp_path: Path, to: Any) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    names = ["$(touch ../owned)", "-e touch owned", "Müller^Jörg", "a 'b' \"c\" `d`", "../up"]
    for name, image in zip(names, task.images(), strict=False):
        tags = {"PatientName": name, "StudyDate": "20260101"}
        image.with_suffix(".tags").write_text(json.dumps(tags))
    sent = Sent().send(task, to(layout="x/{PatientName}/{StudyDate}"))
    assert sent.stored.keys() == IMAGES.keys()
    folders = {str(path.parent) for path in map(Path, contents(tmp_path / "archive"))}
    assert folders == {
        "x/$(touch_.._owned)/20260101",
        "x/-e_touch_owned/20260101",
        "x/Müller^Jörg/20260101",
        "x/a_'b'__c__`d`/20260101",
        "x/_up/20260101",
        "x/unknown/unknown",
    }
    assert Sent().send(task, to(layout="x/{PatientName}/{StudyDate}")).stored == sent.stored
    assert len(contents(tmp_path / "archive")) == len(IMAGES)
    assert not list(tmp_path.rglob("owned"))


def test_what_is_excluded_is_left_out_and_what_has_no_tags_is_refused(
    tmp_path: Path, to: Any
) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    (task.folder / "1.2.3#4.tags").unlink()
    sent = Sent().send(task, to(exclude=["*#[5-9].dcm"], layout="{Modality}"))
    assert sorted(contents(tmp_path / "archive/MR")) == [f"1.2.3#{n}.dcm" for n in range(4)]
    assert list(sent.refused) == ["1.2.3#4.dcm"]
    assert sent.stored["1.2.3#9.dcm"].startswith("left out")


def test_other_content_of_the_same_name_stays_and_ours_is_beside_it(
    tmp_path: Path, to: Any
) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    folder = tmp_path / "archive/ct"
    folder.mkdir(parents=True)
    (folder / "1.2.3#2.dcm").write_bytes(b"of somebody else")
    (folder / "1.2.3#3.dcm").write_bytes(b"IMAGE 3")  # as long
    (folder / "1.2.3#4.dcm").write_bytes(b"image 4")  # the same
    (folder / "1.2.3#5.dcm").mkdir()
    taken = {"1.2.3#2.dcm", "1.2.3#3.dcm", "1.2.3#5.dcm"}
    wanted = {
        **{name: content for name, content in IMAGES.items() if name not in taken},
        **{f"1.2.3#{number}#{task.id}.dcm": IMAGES[f"1.2.3#{number}.dcm"] for number in (2, 3, 5)},
        "1.2.3#2.dcm": b"of somebody else",
        "1.2.3#3.dcm": b"IMAGE 3",
    }
    for _ in range(2):
        sent = Sent().send(task, to(layout="ct"))
        assert sent.stored.keys() == IMAGES.keys()
        assert {name for name, warning in sent.stored.items() if warning} == taken
        assert contents(folder) == wanted
    (folder / f"1.2.3#3#{task.id}.dcm").write_bytes(b"and that one as well")
    sent = Sent().send(task, to(layout="ct"))
    assert list(sent.refused) == ["1.2.3#3.dcm"]
    assert len(contents(folder)) == len(wanted)


def test_nothing_at_the_target_makes_way(tmp_path: Path, to: Any) -> None:
    archive, volume = tmp_path / "archive", tmp_path / "volume"
    archive.mkdir()
    volume.mkdir()
    (archive / "linked").symlink_to(volume)
    (archive / "file").write_text("in the way")
    task = make_task(tmp_path / "task", images=IMAGES)
    for _ in range(2):
        if follows_links():
            assert Sent().send(task, to(layout="linked")).stored == dict.fromkeys(IMAGES, "")
        else:
            with pytest.raises(DeliveryError, match="not all images were taken"):
                Sent().send(task, to(layout="linked"))
        held = IMAGES if follows_links() else {}
        assert ((archive / "linked").is_symlink(), contents(volume)) == (True, held)
    with pytest.raises(DeliveryError):
        Sent().send(task, to(layout="file"))
    assert (archive / "file").read_text() == "in the way"


def follows_links() -> bool:
    """Whether rsync goes through a folder that is a link: from 3.5 on it does not."""
    said = subprocess.run(["rsync", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", said)
    assert found is not None
    return (int(found[1]), int(found[2])) < (3, 5)


def test_the_folder_is_made_below_one_that_is_there_only(tmp_path: Path, to: Any) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    target = to(path="unmounted/archive")
    with pytest.raises(TargetDownError) as caught:
        Sent().send(task, target)
    assert str(caught.value) == (
        f"{target.place}: the folder cannot be made: No such file or directory"
    )
    assert not (tmp_path / "unmounted").exists()
    assert check_rsync("archive", target, ()) == [
        f"neither {target.place} nor the folder above it is there; make it"
    ]


def test_a_check_leaves_nothing_behind(tmp_path: Path, to: Any) -> None:
    assert check_rsync("archive", to(), ()) == []
    assert list(tmp_path.iterdir()) == []  # the folder would be made with the first image
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "image.dcm").write_bytes(b"image")
    assert check_rsync("archive", to(), ()) == []
    assert contents(tmp_path) == {"archive/image.dcm": b"image"}


def test_a_stop_ends_it(tmp_path: Path, to: Any) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    context = work_context(task)
    context.stop.set()
    with pytest.raises(DeliveryError, match="mroute was asked to stop"):
        Sent().send(task, to(), context)


# The command afterwards

WRITE = ["sh", "-c", 'printf "%s\\n" "$@" >>"$0"']
"""Writes its further arguments into the file that is named first, a line each."""


def test_a_command_runs_when_all_images_are_there(tmp_path: Path, to: Any) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    image = task.images()[0]
    image.with_suffix(".tags").write_text(json.dumps({"PatientName": "$(touch owned); a 'b'  c"}))
    for each in task.images()[1:]:
        shutil.copy(image.with_suffix(".tags"), each.with_suffix(".tags"))
    said = tmp_path / "said"
    after = [*WRITE, str(said), "{folder}", "{task_id} {print} {}", "'x  y'"]
    Sent().send(task, to(layout="{PatientName}", after=after))
    folder = tmp_path / "archive/$(touch_owned);_a_'b'__c"
    assert said.read_text().splitlines() == [str(folder), f"{task.id} {{print}} {{}}", "'x  y'"]
    assert contents(folder) == IMAGES


def test_it_names_the_folder_of_all_images_and_runs_once_each_is_there(
    tmp_path: Path, to: Any
) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    for number, image in enumerate(task.images()):
        tags = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": f"1.2.{number % 2}"}
        image.with_suffix(".tags").write_text(json.dumps(tags))
    broken = task.images()[0].with_suffix(".tags")
    kept = broken.read_text()
    broken.unlink()
    said = tmp_path / "said"
    fields = {
        "layout": "{StudyInstanceUID}/{SeriesInstanceUID}",
        "after": [*WRITE, str(said), "{folder}"],
    }
    sent = Sent().send(task, to(**fields))
    assert (len(sent.stored), len(sent.refused), said.exists()) == (9, 1, False)
    broken.write_text(kept)
    sent.send(task, to(**fields))
    assert len(sent.stored) == 10
    assert said.read_text() == f"{tmp_path}/archive/1.2\n"


def test_a_command_that_fails_is_run_again_without_sending_again(tmp_path: Path, to: Any) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    sent, said = Sent(), tmp_path / "said"
    with pytest.raises(DeliveryError) as caught:
        sent.send(task, to(after=["sh", "-c", "exit 3"]))
    assert not isinstance(caught.value, TargetDownError)
    assert str(caught.value).endswith(
        "the images are there, but 'sh', which is run after that, ended with 3"
    )
    assert len(sent.stored) == len(IMAGES) - 1
    made = {path: path.stat().st_ino for path in (tmp_path / "archive").rglob("*.dcm")}
    sent.send(task, to(after=[*WRITE, str(said), "{folder}"]))
    assert sent.stored.keys() == IMAGES.keys()
    assert said.read_text() == f"{tmp_path}/archive/{task.id}\n"
    assert {path: path.stat().st_ino for path in (tmp_path / "archive").rglob("*.dcm")} == made


def test_a_command_may_run_here_and_is_ended_in_time(tmp_path: Path, server: Sshd) -> None:
    task = make_task(tmp_path / "task", images=IMAGES)
    said = tmp_path / "said"
    command = ["sh", "-c", 'echo "$SSH_CONNECTION" >"$0"', str(said)]
    target = there(server, tmp_path / "archive", after=command)
    Sent().send(task, target)
    assert said.read_text().startswith(HOST)
    Sent().send(task, target.model_copy(update={"after_here": True}))
    assert said.read_text() == f"{os.environ.get('SSH_CONNECTION', '')}\n"
    slow = here(tmp_path / "archive", after=["sleep", "60"], after_timeout="1s")
    with pytest.raises(DeliveryError, match="'sleep' took longer than 1 s"):
        Sent().send(task, slow)
    with pytest.raises(TargetDownError, match="'no-such-program' cannot be run here"):
        Sent().send(task, here(tmp_path / "archive", after=["no-such-program"]))


# What goes wrong


def assert_down(task: Task, target: RsyncTarget, said: str) -> None:
    """Sending and checking say the same."""
    with pytest.raises(TargetDownError) as caught:
        Sent().send(task, target)
    assert str(caught.value).startswith(f"{target.place}: ")
    assert said in str(caught.value)
    assert check_rsync("archive", target, ()) == [str(caught.value)]


def test_a_login_that_is_refused(tmp_path: Path, server: Sshd) -> None:
    task = make_task(tmp_path / "task")
    stranger = new_key(tmp_path / "stranger")
    target = there(server, tmp_path / "archive", key=stranger)
    assert_down(task, target, "Permission denied (publickey)")
    assert_down(task, there(server, tmp_path / "archive", user="nobody"), "Permission denied")


def test_a_key_that_is_revoked_between_two_tasks(tmp_path: Path, server: Sshd) -> None:
    target = there(server, tmp_path / "archive")
    Sent().send(make_task(tmp_path / "first", images=IMAGES), target)
    server.revoke()
    try:
        task = make_task(tmp_path / "second", images={"1.dcm": b"image"}, task_id="second")
        assert_down(task, target, "Permission denied (publickey)")
    finally:
        server.restore()
    assert Sent().send(task, target).stored == {"1.dcm": ""}


def test_a_host_key_that_is_not_known_or_another(tmp_path: Path, server: Sshd) -> None:
    task = make_task(tmp_path / "task")
    nobody = tmp_path / "nobody knows"
    nobody.touch()
    unknown = there(server, tmp_path / "archive", known_hosts=nobody)
    assert_down(task, unknown, "Host key verification failed.")
    assert nobody.read_text() == ""  # it is not learned either
    other = new_key(tmp_path / "other").with_suffix(".pub").read_text()
    nobody.write_text(f"[{HOST}]:{server.port} {other}")
    assert_down(task, unknown, "Host key verification failed.")
    shutil.copy(server.known_hosts, nobody)
    assert Sent().send(task, unknown).stored == {"1.dcm": ""}


def test_nobody_there_and_nobody_who_answers(tmp_path: Path, server: Sshd) -> None:
    task = make_task(tmp_path / "task")
    gone = there(server, tmp_path / "archive", port=free_port())
    assert_down(task, gone, "Connection refused")
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        target = there(server, tmp_path / "archive", port=port, timeout="1s")
        assert_down(task, target, "Connection timed out during banner exchange")


def forced(folder: Path, command: str) -> str:
    """A line for sshd: whoever logs in gets this command."""
    script = folder / "forced"
    script.write_text(f"#!/bin/sh\n{command}\n")
    script.chmod(0o755)
    return f"ForceCommand {script}"


def test_no_rsync_there(tmp_path: Path) -> None:
    with sshd(tmp_path / "server", forced(tmp_path, "exec no-such-rsync")) as server:
        task = make_task(tmp_path / "task")
        assert_down(task, there(server, tmp_path / "archive"), "no-such-rsync: not found")


def test_a_rsync_there_that_knows_no_fsync(tmp_path: Path) -> None:
    older = "exec $(echo $SSH_ORIGINAL_COMMAND | sed s/--fsync/--fsync-of-tomorrow/)"
    with sshd(tmp_path / "server", forced(tmp_path, older)) as server:
        task = make_task(tmp_path / "task")
        with pytest.raises(TargetDownError, match="say 'fsync: false'"):
            Sent().send(task, there(server, tmp_path / "archive"))
        without = there(server, tmp_path / "archive", fsync=False)
        assert Sent().send(task, without).stored == {"1.dcm": ""}


def test_programs_and_files_that_are_missing_here(
    tmp_path: Path, server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    shutil.copy(server.key, key)
    key.chmod(0o644)
    hosts = tmp_path / "hosts"
    target = there(server, tmp_path / "archive", key=key, known_hosts=hosts)
    assert check_rsync("archive", target, ()) == [
        f"'{hosts}' cannot be read: No such file or directory",
        f"'{key}' can be read by others, so that ssh does not use it; chmod 600 '{key}'",
    ]
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = ["'rsync' is not installed", "'ssh' is not installed"]
    assert check_rsync("archive", there(server, tmp_path), ()) == missing
    assert check_rsync("archive", here(tmp_path), ()) == missing[:1]
    with pytest.raises(TargetDownError, match="'rsync' cannot be run here: No such file"):
        Sent().send(make_task(tmp_path / "task"), here(tmp_path / "archive"))


def test_cut_in_the_middle_then_only_what_is_missing(tmp_path: Path, server: Sshd) -> None:
    images = {f"{number:02}.dcm": os.urandom(400_000) for number in range(60)}
    task = make_task(tmp_path / "task", images=images)
    archive = tmp_path / "archive"
    sent = Sent()
    with middleman(server.port) as man:
        hosts = tmp_path / "hosts"
        hosts.write_text(f"[{HOST}]:{man.port} {server.host_key}\n")
        target = there(server, archive, port=man.port, known_hosts=hosts)
        man.cut_after = 20_000_000
        with pytest.raises(DeliveryError) as caught:
            sent.send(task, target)
        assert not isinstance(caught.value, TargetDownError)
        assert str(caught.value) == f"{target.place}: the connection broke"
        assert 0 < len(sent.stored) < len(images)
        there_now = contents(archive / task.id)
        # Whole images or none, under any name but one that begins with a dot.
        visible = {name: each for name, each in there_now.items() if not name.startswith(".")}
        assert visible == {name: images[name] for name in visible}
        assert visible.keys() >= sent.stored.keys()
        man.cut_after, before = None, man.passed
        sent.send(task, target)
        assert man.passed - before < 400_000 * (len(images) - len(visible) + 1)
    assert sent.stored == dict.fromkeys(images, "")
    arrived = contents(archive / task.id)
    assert {name: each for name, each in arrived.items() if not name.startswith(".")} == images


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "mroute-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a file system can be mounted by root only")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_there(tmp_path: Path, to: Any) -> None:
    images = {f"{number}.dcm": os.urandom(300_000) for number in range(5)}
    task = make_task(tmp_path / "task", images=images)
    archive, sent = tmp_path / "archive", Sent()
    with small_disk(archive):
        target = to(layout="{PatientID}")
        with pytest.raises(DeliveryError) as caught:
            sent.send(task, target)
        assert not isinstance(caught.value, TargetDownError)
        assert str(caught.value) == (
            f"{target.place}: a file cannot be written there: No space left on device"
        )
        taken = contents(archive / "unknown")
        assert taken == {name: images[name] for name in sent.stored}
        assert len(taken) == 3
        for name in taken:  # somebody makes room
            (archive / "unknown" / name).unlink()
        sent.send(task, target)
        assert sorted(contents(archive / "unknown")) == sorted(images.keys() - taken.keys())
    assert sent.stored.keys() == images.keys()
