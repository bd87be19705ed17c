"""Real peers on loopback: mroute itself, DCMTK's storescp, and Orthanc.

Knows how each is begun, when it is ready, and what it holds. Ends only what it has begun.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}
"""Without it DCMTK waits 40 ms for each image (facts.md)."""

PROGRAM = "from mroute.cli import main; main()"

PATIENCE = 60.0
"""Seconds until something that should have come is missing."""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def until(found: Callable[[], Any], what: str) -> Any:
    """Wait until ``found()`` is true; returns that."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        os.sched_yield()
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come in {PATIENCE:g} s")


def listens(port: int) -> bool:
    """Whether somebody accepts connections."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server, once it listens; it is killed in the end, with what it has begun."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=ENVIRONMENT, start_new_session=True
        )
        try:
            until(lambda: process.poll() is not None or listens(port), f"port {port}")
            assert process.poll() is None, log.read_text("utf-8", "replace")
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def storescp(folder: Path, *options: str, fork: bool = False) -> Iterator[int]:
    """DCMTK's Storage SCP, which writes what it receives into ``folder``; its port."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    command = ["storescp", "-pdu", "131072", "+B", "-od", str(folder), "-fe", ".dcm", "-uf"]
    command += ["--fork"] if fork else []
    with running([*command, *options, str(port)], port, folder.with_suffix(".log")):
        yield port


DICOMWEB = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
"""The plugin of Orthanc that speaks DICOMweb."""


class Orthanc:
    """Orthanc with an empty storage; its DICOMweb service, where it has one, is at ``dicomweb``."""

    def __init__(self, port: int, web: int, login: str) -> None:
        self.port, self._web = port, web
        self._headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}

    @property
    def dicomweb(self) -> str:
        return f"http://{HOST}:{self._web}/dicom-web"

    def ask(self, path: str) -> Any:
        """What the REST interface answers: a value, or the bytes of a file."""
        url = f"http://{HOST}:{self._web}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, headers=self._headers)) as answer:
            content = answer.read()
            return json.loads(content) if path.rpartition("/")[2] != "file" else content

    def instances(self) -> dict[str, bytes]:
        """The DICOM file of each instance by its SOPInstanceUID."""
        return {
            self.ask(f"/instances/{each}/simplified-tags")["SOPInstanceUID"]: self.ask(
                f"/instances/{each}/file"
            )
            for each in self.ask("/instances")
        }


@contextmanager
def orthanc(folder: Path, login: str = "", **settings: object) -> Iterator[Orthanc]:
    """Orthanc on loopback; where a ``login`` is given, as ``user:password``, it is asked for."""
    folder.mkdir(exist_ok=True)
    port, web = free_port(), free_port()
    content = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomPort": port,
        "DicomAet": "ORTHANC",
        "HttpPort": web,
        "RemoteAccessAllowed": False,
        "DicomCheckCalledAet": False,
        "Plugins": [],
        "AuthenticationEnabled": bool(login),
        "RegisteredUsers": dict([login.split(":")]) if login else {},
        **settings,
    }
    (folder / "orthanc.json").write_text(json.dumps(content))
    with running(["Orthanc", str(folder / "orthanc.json")], port, folder / "log"):
        until(lambda: listens(web), "Orthanc's web server")
        yield Orthanc(port, web, login)


@contextmanager
def mroute(folder: Path, rules: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``mroute run`` on the rule file, once its receiver listens on ``port``."""
    folder.mkdir(exist_ok=True)
    (folder / "mroute.yaml").write_text(rules, "utf-8")
    command = [sys.executable, "-c", PROGRAM, "run", "-c", str(folder / "mroute.yaml")]
    with running(command, port, folder / "log") as process:
        yield process
