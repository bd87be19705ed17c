"""Runs a program to its end, or until mroute is asked to stop, and says what its failure means.

Knows the exit codes of rsync and the words of ssh. What rsync says has names of folders in it,
which may be about patients: only errors of the system are passed on. Does not know what is sent.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mroute.api import DeliveryError, TargetDownError

_GLANCE = 0.1
"""Seconds between two looks whether the program has ended, or mroute was asked to stop."""
_GRACE = 5.0
"""Seconds for a program to end when it is told to."""

_STOPPED = "mroute was asked to stop"
_NOTHING_RECEIVED = "(0 bytes received so far)"
_SYSTEM = re.compile(r": [A-Z][^:\n]* \((\d{1,3})\)$", re.MULTILINE)
_UNKNOWN_OPTION = 1
_OF_TARGET = {
    _UNKNOWN_OPTION: "rsync does not know an option; if it is older than 3.2.4, say 'fsync: false'",
    2: "it speaks another protocol; does its login say something of its own?",
    3: "its folder cannot be used",
    4: "it cannot do what is asked",
    5: "it refuses the protocol",
}
"""Exit codes of rsync that are about every image."""
_FILE = 11
_OF_FILES = {
    _FILE: "a file cannot be written there",
    23: "not all images were taken",
    24: "images are not there any more",
}
_TIMEOUTS = frozenset({30, 35})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it wrote to each of its outputs."""

    code: int
    output: str
    errors: str


def run(
    command: Sequence[str],
    stop: threading.Event,
    glance: Callable[[], None] = lambda: None,
    within: float = math.inf,
    *,
    listens: bool = True,
) -> Ended:
    """Run a program; ``glance`` is called now and then meanwhile.

    With ``listens``, it has ended when whatever it has begun says nothing more: ssh may have
    something to say that rsync does not wait for. Raises `TargetDownError` where it cannot be run,
    and `DeliveryError` where mroute is asked to stop or ``within`` seconds are over: it is ended.
    """
    if stop.is_set():
        raise DeliveryError(_STOPPED)
    own = {key: value for key, value in os.environ.items() if not key.startswith("RSYNC_")}
    outputs = subprocess.PIPE if listens else subprocess.DEVNULL
    end = time.monotonic() + within
    try:
        process = subprocess.Popen(
            command,
            env={**own, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=outputs,
            stderr=outputs,
        )
    except (FileNotFoundError, PermissionError) as error:
        raise TargetDownError(f"'{command[0]}' cannot be run here: {error.strerror}") from error
    with process:
        try:
            while (said := _said(process)) is None:
                if stop.is_set():
                    raise DeliveryError(_STOPPED)
                if time.monotonic() > end:
                    raise DeliveryError(f"'{command[0]}' took longer than {within:g} s")
                glance()
        finally:
            _end(process)
    output, errors = said
    return Ended(process.returncode, _text(output), _text(errors))


def failure(ended: Ended, place: str) -> DeliveryError:
    """What a failure of rsync means."""
    code = _UNKNOWN_OPTION if ": unknown option" in ended.errors else ended.code
    system = _SYSTEM.search(ended.errors)
    reason = f": {os.strerror(int(system[1]))}" if system else ""
    if code in _OF_TARGET:
        return TargetDownError(f"{place}: {_OF_TARGET[code]}{reason}")
    if _NOTHING_RECEIVED in ended.errors:
        return TargetDownError(
            f"{place}: {_words_of_others(ended) or 'the other end said nothing'}"
        )
    if code == _FILE and "] mkdir " in ended.errors:
        return TargetDownError(f"{place}: the folder cannot be made{reason}")
    if code in _OF_FILES:
        return DeliveryError(f"{place}: {_OF_FILES[code]}{reason}")
    said = "no answer in time" if code in _TIMEOUTS else "the connection broke"
    return DeliveryError(f"{place}: {said}")


def _words_of_others(ended: Ended) -> str:
    """The last that somebody else than rsync said: ssh, or the shell at the other end."""
    said = [line.strip() for line in ended.errors.splitlines() if not line.startswith("rsync")]
    return next((line for line in reversed(said) if line), "")


def _said(process: subprocess.Popen[bytes]) -> tuple[bytes | None, bytes | None] | None:
    """What a program wrote, once it has ended."""
    try:
        return process.communicate(timeout=_GLANCE)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()


def _text(output: bytes | None) -> str:
    return (output or b"").decode("utf-8", "surrogateescape")
