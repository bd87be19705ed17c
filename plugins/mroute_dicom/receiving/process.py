"""A process of the receiver: told what to do on its standard input, it lives as long as that.

Knows how it hears of its end, also of that of the process that began it. Does not know the others.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mroute.api import Tags
from mroute_dicom.receiving.image import Receiver
from mroute_dicom.receiving.listening import listen
from mroute_dicom.receiving.security import server_context
from mroute_dicom.receiving.settings import ReceiverSettings

_TURN = 0.001
"""Seconds that one association computes while others wait: reading tags takes some of them."""

_TOLD_AGAIN = 60.0
"""Seconds until the same is told again: a flood of connections must not become one of lines."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a process is to do.

    ``listener`` is the descriptor of the socket that it has from the process that began it,
    ``folder`` is its own, ``slots`` is that of all of them.
    """

    listener: int
    settings: ReceiverSettings
    receive: Callable[[Path, Tags], Path]
    folder: Path
    slots: Path


def main() -> None:
    """Serve until standard input is closed."""
    code = 0
    try:
        _serve()
    # Whatever it is, the process that began this one tells it, and begins another.
    except Exception as error:  # noqa: BLE001
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        code = 1
    os._exit(code)  # a thread that waits for standard input would be waited for


def _serve() -> None:
    orders: Orders = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that began this
    stop = threading.Event()
    threading.Thread(target=_until_closed, args=(sys.stdin.buffer, stop), daemon=True).start()
    notice = _Notices()
    settings = orders.settings
    context = server_context(settings.tls) if settings.tls is not None else None
    listener = socket.socket(fileno=orders.listener)
    sys.setswitchinterval(_TURN)
    receiver = Receiver(settings, orders.receive, orders.folder, stop, notice)
    listen(receiver, listener, orders.slots, context)


class _Notices:
    """Tells the process that began this one; the same only once in a while."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], float] = {}
        self._mutex = threading.Lock()

    def __call__(self, where: str, detail: str) -> None:
        now = time.monotonic()
        with self._mutex:
            self._told = {each: at for each, at in self._told.items() if now - at < _TOLD_AGAIN}
            if (where, detail) in self._told:
                return
            self._told[where, detail] = now
            _say(where, detail)


def _say(where: str, detail: str) -> None:
    sys.stdout.write(json.dumps([where, detail]) + "\n")
    sys.stdout.flush()


def _until_closed(stream: BinaryIO, stop: threading.Event) -> None:
    stream.read()
    stop.set()
