"""The files of a server, with a limit of time for each answer.

Knows what a file of a server can be asked for and what its silence means. Does not know what the
files are, or which there should be.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, cast

from asyncssh import (
    Error,
    SFTPClient,
    SFTPClientFile,
    SFTPConnectionLost,
    SFTPError,
    SFTPNoConnection,
    SFTPNoSuchFile,
    SFTPNoSuchPath,
    SFTPOpUnsupported,
)

from mroute.api import DeliveryError

_CHUNK = 1024 * 1024

T = TypeVar("T")


class Remote:
    """The files of a server.

    Every method raises `DeliveryError` where the connection breaks or the server does not answer,
    and `SFTPError` with the server's words where it refuses.
    """

    def __init__(self, client: SFTPClient, address: str, timeout: float) -> None:
        self._client, self._address, self._timeout = client, address, timeout

    async def size(self, path: str) -> int | None:
        """How many bytes what has this name holds; None where nothing has it."""
        try:
            attributes = await self._answer(self._client.lstat(path))
        except (SFTPNoSuchFile, SFTPNoSuchPath):
            return None
        return attributes.size or 0

    async def is_folder(self, path: str) -> bool:
        """Whether there is a folder of this name, or a link to one."""
        return await self._answer(self._client.isdir(path))

    async def make_folder(self, path: str) -> None:
        """Make a folder, and those above it, where they are missing."""
        if await self.is_folder(path):
            return
        above = posixpath.dirname(path.rstrip("/"))
        if above:
            await self.make_folder(above)
        try:
            await self._answer(self._client.mkdir(path))
        except SFTPError:
            if not await self.is_folder(path):  # else another has made it meanwhile
                raise

    async def remove(self, path: str) -> None:
        """Remove a file, where it is there."""
        with suppress(SFTPNoSuchFile, SFTPNoSuchPath):
            await self._answer(self._client.remove(path))

    async def touch(self, path: str) -> None:
        """Make an empty file."""
        await self._close(await self._answer(self._client.open(path, "xb")))

    async def free(self, path: str) -> int | None:
        """How many bytes the user may still write there; None where the server does not say."""
        try:
            status = await self._answer(self._client.statvfs(path))
        except SFTPError:
            return None
        return status.bavail * status.frsize

    async def is_same(self, file: Path, path: str) -> bool:
        """Whether a file of the server has the content of a local one; it is read back for that."""
        if await self.size(path) != file.stat().st_size:
            return False
        theirs = await self._answer(self._client.open(path, "rb"))
        try:
            with file.open("rb") as ours:
                while chunk := ours.read(_CHUNK):
                    if cast(bytes, await self._answer(theirs.read(len(chunk)))) != chunk:
                        return False
        finally:
            await self._close(theirs)
        return True

    async def is_new(self, file: Path, path: str, hidden: str) -> bool:
        """Copy a local file to a name that nothing has; returns whether that was so.

        Until it is there as a whole, it is in the file ``hidden``.
        """
        if await self.size(path) is not None:
            return False
        try:
            await self._write(file, hidden)
            return await self._rename_new(hidden, path)
        except SFTPError:
            with suppress(SFTPError):
                await self.remove(hidden)
            raise

    async def _write(self, file: Path, path: str) -> None:
        theirs = await self._answer(self._client.open(path, "wb"))
        try:
            with file.open("rb") as ours:
                while chunk := ours.read(_CHUNK):
                    await self._answer(theirs.write(chunk))
            with suppress(SFTPOpUnsupported):
                await self._answer(theirs.fsync())
        except SFTPError:
            with suppress(SFTPError):
                await self._close(theirs)
            raise
        await self._close(theirs)

    async def _rename_new(self, hidden: str, path: str) -> bool:
        """Rename as the protocol has it from its beginning: never over what has the name.

        The renaming of POSIX, which servers have besides, would be over it.
        """
        try:
            await self._answer(self._client.rename(hidden, path))
        except SFTPError:
            if await self.size(path) is None:
                raise
            await self.remove(hidden)
            return False
        return True

    async def _close(self, file: SFTPClientFile) -> None:
        await self._answer(file.close())

    async def _answer(self, request: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await request
        except TimeoutError as error:
            raise DeliveryError(
                f"{self._address} did not answer within {self._timeout:g} s"
            ) from error
        except (SFTPConnectionLost, SFTPNoConnection) as error:
            raise DeliveryError(f"the connection to {self._address} broke") from error
        except SFTPError:
            raise
        except (Error, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise DeliveryError(f"the connection to {self._address} broke: {why}") from error


def below(path: str, name: str) -> str:
    """The path of what has a name, or a relative path, below a folder of the server."""
    return posixpath.join(path, name) if name else path
