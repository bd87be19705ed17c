"""What keeps an SFTP target from taking files, found out without leaving anything there.

Knows what to try. Does not know who asks.
"""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

from asyncssh import SFTPError

from mroute.api import MrouteError
from mroute_storage.sftp.connection import connected
from mroute_storage.sftp.remote import Remote, below
from mroute_storage.sftp.target import SftpTarget

_LITTLE = 100 * 1000**2
"""Bytes; where less is free, the next study may be too much."""


async def complaints(target: SftpTarget, files: Sequence[Path]) -> list[str]:
    """A sentence for each thing that is wrong; ``files`` are what there must be room for."""
    try:
        async with connected(target) as remote:
            return [each async for each in _complaints(remote, target.path, files)]
    except MrouteError as error:
        return [str(error)]


async def _complaints(remote: Remote, path: str, files: Sequence[Path]) -> AsyncIterator[str]:
    nearest = await _nearest(remote, path)
    if not await remote.is_folder(nearest):
        yield f"'{nearest}' is no folder"
        return
    probe = below(nearest, f".mroute-check-{uuid4()}")
    try:
        await remote.touch(probe)
        await remote.remove(probe)
    except SFTPError as error:
        what = "cannot be written" if nearest == path else "is what there is, and cannot be written"
        yield f"'{nearest}' {what} by this user: {error.reason}"
    free = await remote.free(nearest)
    needed = max(_LITTLE, sum(file.stat().st_size for file in files))
    if free is not None and free < needed:
        yield f"{free // 1000**2} MB are free in '{nearest}', of {needed // 1000**2} MB at least"


async def _nearest(remote: Remote, path: str) -> str:
    """The folder, or the nearest above it that is there."""
    while path not in ("", "/") and await remote.size(path) is None:
        path = posixpath.dirname(path.rstrip("/"))
    return path or "."
