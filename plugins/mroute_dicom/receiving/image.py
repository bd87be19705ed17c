"""One image on its way in: written as it comes, and taken in when it is whole.

Knows why an image is refused, and with which status (PS3.4, annex B). Does not know the network.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mroute.api import MrouteError, Tags
from mroute_dicom.network import messages
from mroute_dicom.network.connection import PeerError
from mroute_dicom.receiving.file import file_head
from mroute_dicom.receiving.settings import MEGABYTE, ReceiverSettings

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
OTHER_CLASS = 0xA900
CANNOT_UNDERSTAND = 0xC000

PARTIAL = ".part"
"""The suffix of an image that is being received: no sender was told that it is safe."""

_SLOWEST = 1_000
"""Bytes a second; a sender that is slower for `_PATIENCE` seconds is cut off."""
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Receiver:
    """What all associations of a process share.

    ``receive(path, facts)`` takes an image in, ``folder`` is where images are written until then,
    ``notice(where, detail)`` tells an administrator. ``stop`` is set when mroute ends.
    """

    settings: ReceiverSettings
    receive: Callable[[Path, Tags], Path]
    folder: Path
    stop: threading.Event
    notice: Callable[[str, str], None]

    def has_room(self) -> bool:
        """Whether the file system has as much free as it must; told where it has not."""
        try:
            status = os.statvfs(self.folder)
        except OSError as error:
            self.notice("receiver", f"no image can be taken: '{self.folder}': {error.strerror}")
            return False
        room = status.f_bavail * status.f_frsize >= self.settings.min_free * MEGABYTE
        if not room:
            self.notice(
                "receiver",
                f"less than {self.settings.min_free} MB are free in the spool: images are refused "
                "and stay with their senders",
            )
        return room


class ArrivingImage:
    """The data set of a C-STORE-RQ, as it comes."""

    def __init__(
        self, receiver: Receiver, request: messages.Command, context: tuple[str, str], facts: Tags
    ) -> None:
        """Begin with it; ``context`` is the SOP class and transfer syntax that were agreed upon."""
        self.request = request
        self._receiver, self._facts = receiver, facts
        self._room = receiver.settings.max_object * MEGABYTE
        self._began, self._size = time.monotonic(), 0
        self._path = receiver.folder / f"{uuid.uuid4()}{PARTIAL}"
        self._descriptor: int | None = None
        self._refused = SUCCESS if receiver.has_room() else OUT_OF_RESOURCES
        sop_class, syntax = context
        said = str(request.get(messages.SOP_CLASS, ""))
        instance = str(request.get(messages.SOP_INSTANCE, ""))
        if said != sop_class:
            self._refuse(OTHER_CLASS, "an image is of another SOP class than was agreed upon")
        elif not instance:
            self._refuse(CANNOT_UNDERSTAND, "an image has no SOPInstanceUID")
        if self._refused == SUCCESS:
            head = file_head(sop_class, instance, syntax)
            with self._refusing():
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o644)
                self._write(memoryview(head))

    def add(self, part: memoryview) -> None:
        """Write what came of the data set; raises `PeerError` where it comes too slowly."""
        self._size += len(part)
        seconds = time.monotonic() - self._began
        if seconds > _PATIENCE and self._size < _SLOWEST * seconds:
            raise PeerError(f"the peer sends less than {_SLOWEST} bytes a second")
        if self._size > self._room and self._refused == SUCCESS:
            self._refuse(OUT_OF_RESOURCES, f"an image has more than {self._room} bytes")
        if self._refused == SUCCESS:
            with self._refusing():
                self._write(part)

    def end(self) -> int:
        """Take the image in; returns the status for its sender: success when it is safe."""
        self._close()
        if self._refused == SUCCESS:
            with self._refusing():
                self._receiver.receive(self._path, self._facts)
        self.discard()
        return self._refused

    def discard(self) -> None:
        """Delete what was written of it, unless it was taken in."""
        self._close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def _write(self, part: memoryview) -> None:
        assert self._descriptor is not None
        while part:
            part = part[os.write(self._descriptor, part) :]

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _refusing(self) -> _Refusing:
        return _Refusing(self._refuse)

    def _refuse(self, status: int, because: str) -> None:
        self._refused = status
        self._receiver.notice(f"receiver, sender '{self._facts['SenderAET']}'", because)


class _Refusing:
    """Turns what is raised into a status: the sender keeps the image, and nobody else suffers."""

    def __init__(self, refuse: Callable[[int, str], None]) -> None:
        self._refuse = refuse

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, MrouteError):
            self._refuse(CANNOT_UNDERSTAND, f"an image is refused: {error}")
            return True
        if isinstance(error, OSError):
            self._refuse(OUT_OF_RESOURCES, f"an image cannot be taken: {error.strerror or error}")
            return True
        return False
