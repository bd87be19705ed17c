"""The service ``receiver``: as many processes as there are processors, on one port.

Knows that a process that ends is begun again, and what those that died have left. Does not know
what a process does.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel

from mroute.api import Durability, MrouteError, ServiceContext
from mroute_dicom.receiving.dcmtk import PROGRAM, is_installed
from mroute_dicom.receiving.image import PARTIAL
from mroute_dicom.receiving.listening import listening_socket
from mroute_dicom.receiving.process import Orders
from mroute_dicom.receiving.security import server_context
from mroute_dicom.receiving.settings import Backend, ReceiverSettings
from mroute_dicom.receiving.taking import clear_begun, take_leftovers
from mroute_dicom.settings import settings_in

_PAUSE = 1.0
"""Seconds until a process that ended is begun again."""
_GLANCE = 0.2
_LEFTOVERS = 10.0
"""Seconds between two looks for images that could not be taken in when they came."""
_PATIENCE = 20.0
"""Seconds that the processes are given to answer for the images in hand."""


def is_wanted(settings: Mapping[str, BaseModel]) -> bool:
    """Whether the settings have a receiver."""
    return settings_in(settings).receiver is not None


def run_receiver(context: ServiceContext) -> None:
    """Receive until ``stop`` is set.

    Raises `OSError` where the port cannot be had, and `MrouteError` where the certificates or the
    back end cannot be used.
    """
    settings = settings_in(context.settings).receiver
    assert settings is not None
    if settings.backend is Backend.DCMTK:
        for complaint in storescp_complaints(context.durability):
            raise MrouteError(complaint)
    if settings.tls is not None:
        server_context(settings.tls)  # what is wrong with it is said here, and once
    take_leftovers(context.workspace, context.receive, context.notice)
    _clear(context.workspace)
    processes: list[_Process] = []
    with listening_socket(settings.bind, settings.port) as listener:
        try:
            count = settings.processes or os.cpu_count() or 1
            processes += (_Process(context, settings, listener.fileno()) for _ in range(count))
            _keep_running(context, processes)
        finally:
            for process in processes:
                process.ask_to_end()
            until = time.monotonic() + _PATIENCE
            for process in processes:
                process.end(until)


def storescp_complaints(durability: Durability) -> Iterator[str]:
    """Why the back end ``dcmtk`` cannot receive, a sentence each."""
    if durability is Durability.POWER:
        yield (
            f"'{PROGRAM}' answers before an image would survive a loss of power; "
            "say 'durability: process', or leave 'backend' out"
        )
    if not is_installed():
        yield f"'{PROGRAM}' is not installed; install DCMTK, or leave 'backend' out"


def _keep_running(context: ServiceContext, processes: list[_Process]) -> None:
    looked = time.monotonic()
    while not context.stop.wait(_GLANCE):
        if time.monotonic() - looked > _LEFTOVERS:
            take_leftovers(context.workspace, context.receive, context.notice)
            looked = time.monotonic()
        for process in processes:
            process.keep_running()


class _Process:
    """One process, begun again when it ends."""

    def __init__(self, context: ServiceContext, settings: ReceiverSettings, listener: int) -> None:
        self._context, self._settings, self._listener = context, settings, listener
        self._folder = context.workspace / f"process-{uuid.uuid4()}"
        self._lock = self._locked_folder()
        self._running = self._begin()

    def keep_running(self) -> None:
        """Begin the process again where it has ended, and make its folder where it is gone."""
        if not self._folder.exists():
            os.close(self._lock)
            self._lock = self._locked_folder()
        code = self._running.poll()
        if code is not None:
            assert self._running.stdin is not None
            self._running.stdin.close()
            self._context.notice(
                "receiver", f"a process ended with {code} and is started again; see its last words"
            )
            _clear_folder(self._folder)
            self._context.stop.wait(_PAUSE)
            self._running = self._begin()

    def ask_to_end(self) -> None:
        """Let the process answer for the images in hand, and end."""
        assert self._running.stdin is not None
        with suppress(OSError):
            self._running.stdin.close()

    def end(self, until: float) -> None:
        """Wait until a time of the monotonic clock for the end of the process, and make it end."""
        try:
            self._running.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        for thread in self._listening:
            thread.join()
        _clear_folder(self._folder)
        with suppress(OSError):
            self._folder.rmdir()
        os.close(self._lock)

    def _locked_folder(self) -> int:
        self._folder.mkdir(parents=True)
        lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def _begin(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from mroute_dicom.receiving.process import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[self._listener],
            start_new_session=True,  # a Ctrl-C is for mroute, which ends them in order
            env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
        )
        context = self._context
        orders = Orders(
            self._listener, self._settings, context.receive, self._folder, context.workspace
        )
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(pickle.dumps(orders))
            process.stdin.flush()
        self._listening = [
            threading.Thread(target=each, args=(process,), daemon=True)
            for each in (self._pass_on, self._last_words)
        ]
        for thread in self._listening:
            thread.start()
        return process

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        """Tell observers what the process tells."""
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with suppress(ValueError):
                    where, detail = json.loads(line)
                    self._context.notice(where, detail)

    def _last_words(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr:
            lines = process.stderr.read().decode("utf-8", "replace").splitlines()
        if lines:
            self._context.notice("receiver", f"a process says: {lines[-1]}")


def _clear(workspace: Path) -> None:
    """Delete what processes that died were receiving: no sender was told that it is safe."""
    for folder in workspace.glob("process-*"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear_folder(folder)
            folder.rmdir()
        except (BlockingIOError, OSError):  # a program is still at work in it, say
            continue
        finally:
            os.close(descriptor)


def _clear_folder(folder: Path) -> None:
    for path in folder.glob(f"*{PARTIAL}"):
        path.unlink(missing_ok=True)
    clear_begun(folder)
