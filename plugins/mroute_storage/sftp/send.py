"""Stores the images of a task in folders of a server, one by one.

Knows that an image is under its name whole or not at all, and that no file of others is touched.
Does not know the protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator

from asyncssh import SFTPError

from mroute.api import DeliveryError, Shipment, WorkContext
from mroute_storage.placement import NameTakenError, Part, Placement, placements
from mroute_storage.sftp.connection import connected
from mroute_storage.sftp.remote import Remote, below
from mroute_storage.sftp.target import SftpTarget

_AT_ONCE = 8
"""Files that are on their way at the same time: each takes several answers of the server."""


async def send(shipment: Shipment, target: SftpTarget, context: WorkContext) -> None:
    """Store the images, and tell of each as soon as it is; raises `DeliveryError`."""
    coming = placements(shipment, target.layout, target.exclude, context, with_tags=True)
    async with connected(target) as remote:
        folder = _Folder(remote, target, shipment.task.id)
        lines = (_send_each(coming, folder, hidden, shipment) for hidden in folder.hidden)
        for error in await asyncio.gather(*lines, return_exceptions=True):
            if error is not None:
                raise error


async def _send_each(
    coming: Generator[Placement, None, None], folder: _Folder, hidden: str, shipment: Shipment
) -> None:
    """Store one image after the other; where that fails, nobody begins another."""
    try:
        for placement in coming:
            try:
                number = await folder.store(placement, hidden)
            except NameTakenError as error:
                shipment.refused(placement.image, "", str(error))
            else:
                shipment.stored(placement.image, "", placement.warning(number))
    finally:
        coming.close()


class _Folder:
    """The folder of a target while it gets images of one task.

    ``hidden`` are the names that files have there before they are whole, one for each that may be
    on its way at the same time.
    """

    def __init__(self, remote: Remote, target: SftpTarget, task_id: str) -> None:
        self.hidden = tuple(f".{task_id}.{number}.part" for number in range(_AT_ONCE))
        self._remote, self._path = remote, target.path
        self._literal = {"", *target.layout.split("/")}
        self._entered: set[str] = set()
        self._entering = asyncio.Lock()

    async def store(self, placement: Placement, hidden: str) -> int:
        """Store an image and its tags, each under a hidden name until it is whole.

        Returns the number of the name that the image has there. Raises `NameTakenError`, and
        `DeliveryError` with the words of a server that refuses.
        """
        folder = below(self._path, placement.folder)
        try:
            await self._enter(folder)
            numbers = [0]  # the tags of an image that has its second name get theirs
            for part in placement.parts:
                numbers.append(await self._place(part, folder, numbers[-1], hidden))
        except SFTPError as error:
            raise DeliveryError(await self._reason(error, placement)) from error
        return numbers[1]

    async def _enter(self, folder: str) -> None:
        """Make a folder, and remove what a process that died has left in it."""
        async with self._entering:
            if folder not in self._entered:
                await self._remote.make_folder(folder)
                left = (self._remote.remove(below(folder, hidden)) for hidden in self.hidden)
                await asyncio.gather(*left)
                self._entered.add(folder)

    async def _place(self, part: Part, folder: str, first: int, hidden: str) -> int:
        """The number of the name under which a part is there now, of those from ``first`` on."""
        for number, name in enumerate(part.names[first:], first):
            path = below(folder, name)
            is_new = await self._remote.is_new(part.path, path, below(folder, hidden))
            if is_new or await self._remote.is_same(part.path, path):
                return number
        raise part.no_name()

    async def _reason(self, error: SFTPError, placement: Placement) -> str:
        """The words of the server, without folders that tags name, and whether it is full."""
        words = error.reason
        for name in set(placement.folder.split("/")) - self._literal:
            words = words.replace(name, "...")
        needed = sum(part.path.stat().st_size for part in placement.parts)
        free = await self._remote.free(self._path)
        full = "" if free is None or free >= needed else f"; {free} bytes are free there"
        return f"'{self._path}' does not take '{placement.image.name}': {words}{full}"
