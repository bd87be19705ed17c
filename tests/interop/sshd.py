"""A real OpenSSH server on loopback, for whoever sends over SSH.

Knows its keys, who may log in, and which sessions there are. Ends only what it has begun.
"""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.interop.peers import HOST, free_port, running, until

PROGRAM = "/usr/sbin/sshd"
_SEPARATION = Path("/run/sshd")
"""Where sshd locks up what speaks with strangers; only one that root runs needs it."""


@dataclass(frozen=True)
class Sshd:
    """An SSH server: this user logs in with ``key``, and gets a shell and SFTP."""

    folder: Path
    port: int
    pid: int
    user: str

    @property
    def key(self) -> Path:
        """The private key that may log in; its public one is beside it, with the suffix .pub."""
        return self.folder / "client"

    @property
    def authorized_keys(self) -> Path:
        """Who may log in; read anew at each login."""
        return self.folder / "authorized_keys"

    @property
    def host_key(self) -> str:
        """The public host key, as a line of known_hosts has it after the name."""
        kind, key, *_ = (self.folder / "host.pub").read_text().split()
        return f"{kind} {key}"

    @property
    def known_hosts(self) -> Path:
        """A file that knows the host key of this server."""
        path = self.folder / "known_hosts"
        path.write_text(f"[{HOST}]:{self.port} {self.host_key}\n")
        return path

    @property
    def log(self) -> str:
        """What the server has said until now."""
        return self.folder.with_suffix(".log").read_text("utf-8", "replace")

    def sessions(self) -> list[int]:
        """The processes that serve a connection now, and what they have begun."""
        return _below(self.pid)

    def cut(self) -> None:
        """Break every connection, as the end of the other machine does."""
        for session in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)

    def revoke(self) -> None:
        """Let nobody log in any more."""
        self.authorized_keys.write_text("")

    def restore(self) -> None:
        """Let ``key`` log in (again)."""
        self.authorized_keys.write_text(self.key.with_suffix(".pub").read_text())


def _below(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [each for child in map(int, found) for each in (child, *_below(child))]


def new_key(path: Path, password: str = "") -> Path:
    """A new private key in the file ``path``, and the public one beside it."""
    kind = ["-t", "ed25519", "-C", path.name]
    command = ["ssh-keygen", "-q", *kind, "-N", password, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


@contextmanager
def sshd(folder: Path, *options: str, port: int = 0) -> Iterator[Sshd]:
    """sshd with new keys in ``folder``; ``options`` are lines of sshd_config, as 'MaxSessions 1'.

    One that comes back, to the same folder and port, has the same keys.
    """
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    for name in ("host", "client"):
        if not (folder / name).exists():
            new_key(folder / name)
    lines = [
        *options,  # the first that says something counts
        f"ListenAddress {HOST}:{port}",
        f"HostKey {folder}/host",
        f"AuthorizedKeysFile {folder}/authorized_keys",
        "AuthenticationMethods publickey",
        "PermitRootLogin prohibit-password",
        "StrictModes no",
        "UsePAM no",
        "UseDNS no",
        "PidFile none",
        "PrintMotd no",
        "Subsystem sftp internal-sftp",
    ]
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        _SEPARATION.mkdir(mode=0o755, exist_ok=True)
    command = [PROGRAM, "-D", "-e", "-f", str(folder / "sshd_config")]
    with running(command, port, folder.with_suffix(".log")) as process:
        server = Sshd(folder, port, process.pid, getpass.getuser())
        server.restore()
        until(lambda: not server.sessions(), "the end of the first connection")
        try:
            yield server
        finally:
            server.cut()
            until(lambda: not server.sessions(), "the end of the sessions")
