"""What mroute tells the service manager that runs it: that it is ready, alive, or about to stop.

Knows the protocol of ``sd_notify(3)``. Does not know whether mroute is alive.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """The service manager of this process; nobody is told where there is none."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        self._address = given.get("NOTIFY_SOCKET", "")

    def ready(self) -> None:
        """Every part runs."""
        self._tell("READY=1")

    def alive(self) -> None:
        """Nothing hangs."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """What is in hand is brought to its end."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        # A name that begins with '@' is in the abstract namespace (unix(7)).
        address = re.sub("^@", "\0", self._address)
        # Whoever listened may be gone: nothing hangs on it that it hears this.
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
        ):
            sock.setblocking(False)
            sock.sendto(state.encode(), address)
