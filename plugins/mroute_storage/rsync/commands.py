"""The command lines of rsync and ssh.

Knows their options. Nothing in them comes from an image: names of images are in files only. Does
not run anything.
"""

from __future__ import annotations

from datetime import timedelta

from mroute_storage.rsync.target import RsyncTarget

RSYNC, SSH = "rsync", "ssh"

_PATIENT = ("sh", "-c", "trap '' USR1; exec \"$@\"", "sh")
"""In front of ssh: rsync ends it by this signal before it has said what went wrong at the host."""
_ALIVE = 3
"""Questions of ssh that may stay without an answer, all of them within the timeout."""


def rsync_command(target: RsyncTarget, *more: str) -> list[str]:
    """Rsync for a target; ``more`` are further options, source and destination."""
    shell = ("--rsh", " ".join(map(_quoted, (*_PATIENT, *ssh_command(target)))))
    over = shell if target.is_remote else ()
    return [RSYNC, *over, f"--timeout={_seconds(target.timeout)}", "--8-bit-output", *more]


def ssh_command(target: RsyncTarget) -> list[str]:
    """Ssh for a target, without the host. It asks nobody, and always checks the host key."""
    # Rsync gives up what says nothing, and would not say that there was no connection.
    connecting = _seconds(min(target.connect_timeout, target.timeout))
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "LogLevel=ERROR",
        f"ConnectTimeout={connecting}",
        f"ServerAliveInterval={max(1, _seconds(target.timeout) // _ALIVE)}",
        f"ServerAliveCountMax={_ALIVE}",
    ]
    if target.known_hosts is not None:
        path = str(target.known_hosts.absolute()).replace("%", "%%")
        options += [f'UserKnownHostsFile="{path}"', "GlobalKnownHostsFile=/dev/null"]
    if target.key is not None:
        options.append("IdentitiesOnly=yes")
    return [
        *(SSH, "-T", "-a", "-x", "-p", str(target.port)),
        *(part for option in options for part in ("-o", option)),
        *(("-l", target.user) if target.user else ()),
        *(("-i", str(target.key.absolute()).replace("%", "%%")) if target.key else ()),
    ]


def destination(target: RsyncTarget) -> str:
    """The folder of a target, as rsync has it."""
    return f"{target.address}{target.path.rstrip('/')}/"


def _quoted(part: str) -> str:
    """A part of a command in a text that rsync takes apart: a quote is doubled."""
    return "'" + part.replace("'", "''") + "'"


def _seconds(time: timedelta) -> int:
    return max(1, round(time.total_seconds()))
