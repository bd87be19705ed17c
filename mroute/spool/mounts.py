"""Which file system a folder is on, and whether a spool is safe there.

Knows what mroute needs of a file system: locks that every host sees which sees the files, and
renames that happen at once. Does not know what is kept on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""What is mounted where, as this process sees it (proc(5)). Other systems than Linux have none."""

_ESCAPED = re.compile(r"\\([0-7]{3})")

_INSTEAD = "put the spool on a local disk, or on NFS whose locks are kept by the server"

_UNSAFE = {
    "9p": "it has no locks that every host sees",
    "afs": "its locks are not seen by every host",
    "cifs": "its locks and renames differ from server to server",
    "coda": "its files may diverge between hosts",
    "ncpfs": "it has no locks that every host sees",
    "prl_fs": "it has no locks that every host sees",
    "smb3": "its locks and renames differ from server to server",
    "smbfs": "its locks and renames differ from server to server",
    "vboxsf": "it has no locks that every host sees",
    "virtiofs": "it has no locks that every host sees",
    "vmhgfs": "it has no locks that every host sees",
}
"""Why a file system is refused, by its type."""

_NFS = frozenset({"nfs", "nfs4"})

_LOCAL_LOCKS = frozenset({"nolock", "local_lock=all", "local_lock=flock", "localflock"})
"""Mount options with which ``flock`` is known to this host alone (nfs(5), Lustre).

With ``local_lock=posix`` it still goes to the server.
"""


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system; ``options`` are those of the mount and of the file system."""

    point: Path
    type: str
    options: frozenset[str] = frozenset()

    @property
    def unsafe(self) -> str:
        """Why a spool is not safe here; empty where it is."""
        if self.type in _UNSAFE:
            return _UNSAFE[self.type]
        if self.type.startswith("fuse."):
            return "nothing is known of its locks and renames"
        local = sorted(self.options & _LOCAL_LOCKS)
        if local and (self.type in _NFS or self.type == "lustre"):
            return f"mounted with '{local[0]}' it keeps locks from the other hosts"
        return ""


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """The mounts that a text like `MOUNTS` lists, in its order; other lines are left out."""
    return tuple(mount for line in text.splitlines() for mount in _mounts(line.split(" ")))


def mount_of(folder: Path, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that ``folder``, an absolute path without links, is on.

    The deepest one counts; of several at one place the last, which hides the others.
    """
    best = None
    for mount in mounts:
        if folder.is_relative_to(mount.point) and (
            best is None or len(mount.point.parts) >= len(best.point.parts)
        ):
            best = mount
    return best


def mounted(mounts: Path = MOUNTS) -> tuple[Mount, ...]:
    """What is mounted; nothing where the system does not tell."""
    try:
        return parse_mounts(mounts.read_text("utf-8", "surrogateescape"))
    except OSError:
        return ()


def unsafe_places(folders: Iterable[Path], mounts: Path = MOUNTS) -> Iterator[str]:
    """A sentence for each of the folders that is on a file system that is not safe.

    Nothing is said where the system does not tell what is mounted.
    """
    there = mounted(mounts)
    for folder in folders:
        mount = mount_of(folder.resolve(), there)
        if mount is not None and mount.unsafe:
            yield (
                f"the spool folder '{folder}' is on a file system of type '{mount.type}' "
                f"('{mount.point}'), which is not safe for a spool: {mount.unsafe}; {_INSTEAD}"
            )


def _mounts(fields: list[str]) -> Iterable[Mount]:
    """The mount of a line: 36 35 98:0 /root /point options [optional] - type source options."""
    if "-" in fields:
        end = fields.index("-")
        if end >= 6 and len(fields) >= end + 3:
            options = [*fields[5].split(","), *(fields[end + 3 : end + 4] or [""])[0].split(",")]
            yield Mount(Path(_unescaped(fields[4])), fields[end + 1], frozenset(options))


def _unescaped(field: str) -> str:
    """Spaces, tabs, line ends and backslashes are written as octal numbers."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), field)
