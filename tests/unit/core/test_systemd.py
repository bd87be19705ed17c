"""What a service manager hears, on a socket as systemd has it."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

import pytest

from mroute.systemd import ServiceManager


@pytest.mark.parametrize("abstract", [False, True])
def test_it_hears_how_mroute_is(tmp_path: Path, abstract: bool) -> None:
    name = f"@mroute-{uuid.uuid4()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(30)
        manager = ServiceManager({"NOTIFY_SOCKET": name})
        manager.ready()
        manager.alive()
        manager.stopping()
        heard = [listening.recv(100) for _ in range(3)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]
    manager.alive()  # nobody listens any more


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:1"}])
def test_where_there_is_none_nobody_is_told(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[object]()
    monkeypatch.setattr(socket, "socket", lambda *kind: opened.append(kind))
    ServiceManager(environment).ready()
    assert opened == []
