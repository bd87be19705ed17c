"""What keeps images from a folder that rsync writes into, found out without sending one.

Knows the order of the questions: programs, keys, login, folder, writing. Does not know what waits
for the target.
"""

from __future__ import annotations

import posixpath
import shutil
import stat
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from mroute.api import DeliveryError
from mroute_storage.rsync.commands import RSYNC, SSH, rsync_command
from mroute_storage.rsync.running import Ended, failure, run
from mroute_storage.rsync.target import RsyncTarget

_NOT_THERE = "No such file or directory (2)"


def check_rsync(name: str, target: RsyncTarget, files: Sequence[Path]) -> list[str]:
    """A sentence for each thing that is wrong; the images are not looked at."""
    return list(_on_this_side(target)) or list(_on_the_other(target))


def _on_this_side(target: RsyncTarget) -> Iterator[str]:
    for program in (RSYNC, SSH) if target.is_remote else (RSYNC,):
        if shutil.which(program) is None:
            yield f"'{program}' is not installed"
    for path in filter(None, (target.key, target.known_hosts)):
        try:
            path.read_bytes()
        except OSError as error:
            yield f"'{path}' cannot be read: {error.strerror}"
    key = target.key
    if key is not None and key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield f"'{key}' can be read by others, so that ssh does not use it; chmod 600 '{key}'"


def _on_the_other(target: RsyncTarget) -> Iterator[str]:
    """Find the folder, or the one above it; put a file into it, and fetch it back."""
    path = target.path.rstrip("/") or "/"
    probe = f".mroute-check-{uuid4()}"
    with TemporaryDirectory(prefix="mroute-rsync-") as here:
        Path(here, probe).touch()
        try:
            if not _is_there(target, path):
                path = posixpath.dirname(path) or "."
                if not _is_there(target, path):
                    yield f"neither {target.place} nor the folder above it is there; make it"
                    return
            folder = f"{target.address}{path.rstrip('/')}/"
            _succeeded(target, _run(target, f"{here}/{probe}", folder))
            fetched = _run(target, "--remove-source-files", f"{folder}{probe}", f"{here}/back")
            if fetched.code:
                said = failure(fetched, target.place)
                yield f"the file '{probe}' was written and cannot be removed; do so by hand: {said}"
        except DeliveryError as error:
            yield str(error)


def _is_there(target: RsyncTarget, path: str) -> bool:
    listed = _run(target, "--list-only", f"{target.address}{path}")
    if listed.code == 23 and _NOT_THERE in listed.errors:
        return False
    _succeeded(target, listed)
    return True


def _succeeded(target: RsyncTarget, ended: Ended) -> None:
    if ended.code:
        raise failure(ended, target.place)


def _run(target: RsyncTarget, *arguments: str) -> Ended:
    return run(rsync_command(target, *arguments), threading.Event())
