"""The SSH server of the tests is one: OpenSSH's own client logs in, and is cut off."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.interop.peers import HOST, PATIENCE
from tests.interop.sshd import Sshd, sshd

pytestmark = pytest.mark.interop


def ssh(server: Sshd, *command: str) -> subprocess.Popen[bytes]:
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(server.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
    }
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    login = ["-i", str(server.key), "-p", str(server.port), f"{server.user}@{HOST}"]
    return subprocess.Popen(
        ["ssh", "-F", "none", *given, *login, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def said(server: Sshd, *command: str) -> str:
    with ssh(server, *command) as process:
        output, _ = process.communicate()
    return output.decode()


def test_a_key_logs_in_until_it_is_revoked(tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd") as server:
        assert said(server, "echo", "there") == "there\n"
        server.revoke()
        assert "Permission denied (publickey)" in said(server, "echo", "there")
        server.restore()
        assert said(server, "echo", "there") == "there\n"


def test_a_session_that_is_cut_ends_at_once(tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd") as server, ssh(server, "echo there; sleep 600") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        assert server.sessions()
        server.cut()
        assert process.wait(PATIENCE) == 255
