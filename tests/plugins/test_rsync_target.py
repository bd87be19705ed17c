"""The target type ``rsync``: what may be said, what is run, and what its failure means.

rsync itself, and a real sshd, are in tests/interop.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mroute.api import DeliveryError, TargetDownError
from mroute_storage.rsync.after import filled
from mroute_storage.rsync.commands import destination, rsync_command, ssh_command
from mroute_storage.rsync.running import Ended, failure
from mroute_storage.rsync.target import RsyncTarget

CLOSED = "rsync: connection unexpectedly closed (0 bytes received so far) [sender]\n"
FULL = 'rsync: [receiver] write failed on "/a/Doe^John": No space left on device (28)\n'
LATER = "rsync: connection unexpectedly closed (1234 bytes received so far) [sender]\n"


def target(**fields: Any) -> RsyncTarget:
    return RsyncTarget.model_validate({"type": "rsync", "path": "/data/archive", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "-oProxyCommand=touch owned"},
        {"host": "a b"},
        {"host": "a", "user": "-x"},
        {"host": "a", "user": "a;b"},
        {"host": "a", "path": "/a b"},
        {"host": "a", "path": "/$(touch owned)"},
        {"host": "a", "path": "-e"},
        {"host": "a", "path": "~root/a"},
        {"path": "archive"},
        {"path": "/a", "key": "secrets/key"},
        {"path": "/a", "port": 23},
        {"path": "/a", "timeout": "0s"},
        {"path": "/a", "connect_timeout": "5s"},
        {"host": "a", "connect_timeout": "0s"},
        {"path": "/a", "after": [""]},
        {"path": "/a", "layout": "../{task_id}"},
    ],
)
def test_what_is_not_possible_is_said(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        target(**fields)


def test_a_host_key_is_always_checked_and_nobody_is_asked() -> None:
    ssh = ssh_command(target(host="a"))
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes"} <= set(ssh)
    assert not any("UserKnownHostsFile" in part for part in ssh)  # those of the user count
    own = ssh_command(target(host="a", known_hosts="/etc/mroute/known hosts"))
    assert 'UserKnownHostsFile="/etc/mroute/known hosts"' in own
    assert "GlobalKnownHostsFile=/dev/null" in own


def test_a_machine_is_named_in_front_of_the_folder() -> None:
    assert destination(target()) == "/data/archive/"
    assert destination(target(path="/")) == "/"
    assert destination(target(host="archive.example", path="images/")) == "archive.example:images/"
    assert destination(target(host="2001:db8::1")) == "[2001:db8::1]:/data/archive/"


def test_a_connection_and_a_silence_have_times_of_their_own() -> None:
    model = target(host="a", connect_timeout="5s", timeout="90s")
    assert {"ConnectTimeout=5", "ServerAliveInterval=30"} <= set(ssh_command(model))
    assert "--timeout=90" in rsync_command(model)
    assert "ConnectTimeout=2" in ssh_command(target(host="a", timeout="2s"))


def test_ssh_is_told_to_rsync_in_one_text(tmp_path: Path) -> None:
    strange = tmp_path / 'it\'s "here" 100%'
    command = rsync_command(target(host="a", user="mroute", port=23, key=strange))
    shell = command[command.index("--rsh") + 1]
    # rsync doubles a quote where a shell would not.
    wanted = ssh_command(target(host="a", user="mroute", port=23, key=strange))
    assert shlex.split(shell.replace("''", "'\\''"))[-len(wanted) :] == wanted
    assert "100%%" in shell
    assert "--rsh" not in rsync_command(target())


@given(
    st.lists(st.text(), min_size=1),
    st.fixed_dictionaries({"folder": st.text(), "task_id": st.text()}),
)
def test_a_value_stays_within_its_argument(parts: list[str], values: dict[str, str]) -> None:
    command = filled((*parts, "{folder}", "-{task_id}-"), values)
    assert len(command) == len(parts) + 2
    assert command[-2:] == [values["folder"], f"-{values['task_id']}-"]
    readable = [part.replace("\0", "") for part in command]
    assert shlex.split(shlex.join(readable)) == readable


@pytest.mark.parametrize(
    ("code", "errors", "kind", "said"),
    [
        (255, "ssh: no route to host\r\n" + CLOSED, TargetDownError, "ssh: no route to host"),
        (12, CLOSED, TargetDownError, "the other end said nothing"),
        (255, LATER, DeliveryError, "the connection broke"),
        (12, LATER, DeliveryError, "the connection broke"),
        (20, "", DeliveryError, "the connection broke"),
        (30, "rsync error: timeout\n", DeliveryError, "no answer in time"),
        (35, "", DeliveryError, "no answer in time"),
        (127, "bash: rsync: command not found\n" + CLOSED, TargetDownError, "command not found"),
        (
            11,
            f"{FULL}rsync: [sender] write error: Broken pipe (32)\n",
            DeliveryError,
            "a file cannot be written there: No space left on device",
        ),
        (
            11,
            'rsync: [Receiver] mkdir "/a/b" failed: No such file or directory (2)\n',
            TargetDownError,
            "the folder cannot be made: No such file or directory",
        ),
        (
            23,
            'rsync: [generator] mkdir "/a/Doe^John" failed: Permission denied (13)\n',
            DeliveryError,
            "not all images were taken: Permission denied",
        ),
        (24, "", DeliveryError, "images are not there any more"),
        (2, "", TargetDownError, "it speaks another protocol"),
        (3, "rsync: mkdir failed: Not a directory (20)\n", TargetDownError, "Not a directory"),
        (
            12,
            "rsync: on remote machine: --fsync: unknown option\n" + CLOSED,
            TargetDownError,
            "if it is older than 3.2.4, say 'fsync: false'",
        ),
    ],
)
def test_what_a_failure_means(code: int, errors: str, kind: type[Exception], said: str) -> None:
    found = failure(Ended(code, "", errors), "'/a' at b:22")
    assert type(found) is kind
    assert str(found).startswith("'/a' at b:22: ")
    assert said in str(found)
    assert "Doe" not in str(found)
