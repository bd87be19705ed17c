"""The runner ``command``: a module is a program of this machine.

Knows how the program is started, what it is told, and how it is stopped in time. Does not know
tasks, or what becomes of the files that the program makes.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mroute.api import Duration, JsonObject, ModuleBase, MrouteError
from mroute_processing.tail import Tail

LOG_FILE = "module.log"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_IN_NAMES = ("MROUTE_IN_DIR", "MERCURE_IN_DIR", "MONAI_INPUTPATH", "HOLOSCAN_INPUT_PATH")
_OUT_NAMES = ("MROUTE_OUT_DIR", "MERCURE_OUT_DIR", "MONAI_OUTPUTPATH", "HOLOSCAN_OUTPUT_PATH")
_GRACE = 10.0
"""Seconds between the request to end and the end, for a program that took too long."""
_SHOWN = 5
"""Last lines of output that the message of a failure quotes."""


class ModuleFailedError(MrouteError):
    """The program failed; the message ends with the last lines that it wrote."""


class CommandModule(ModuleBase):
    """A program that reads images from one folder and writes images into another."""

    runner: Literal["command"]
    command: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="The program and its arguments; there is no shell. It reads the images in "
        "the folder `$MROUTE_IN_DIR` and writes others into `$MROUTE_OUT_DIR`.",
        examples=[["segment", "--fast"]],
    )
    timeout: Duration = Field(
        timedelta(hours=1),
        description="The program is stopped after this time, and the task fails.",
        examples=["30m"],
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        exclude=True,  # from task.json, which travels with the images
        description="Further environment variables for the program, as texts. Of mroute's own it "
        "gets `PATH`, `HOME` and what says language and time zone.",
        examples=[{"OMP_NUM_THREADS": "4"}],
    )


def run_command(module: CommandModule, inbox: Path, outbox: Path, settings: JsonObject) -> None:
    """Run the program once; the end of its output is in ``module.log`` beside ``outbox`` then.

    It runs in the folder that holds ``outbox``, in a session of its own, and what it leaves running
    is ended with it. Its settings are in ``task.json`` in ``inbox``. Raises `ModuleFailedError`
    where it cannot be started, exits with anything but 0, or takes too long.
    """
    program = module.command[0]
    try:
        process = subprocess.Popen(
            module.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=outbox.parent,
            env=environment(module, inbox, outbox, os.environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ModuleFailedError(f"'{program}' cannot be started: {error}") from error
    assert process.stdout is not None
    with Tail(process.stdout) as tail:
        try:
            problem = _problem(process.wait(module.timeout.total_seconds()))
        except subprocess.TimeoutExpired:
            problem = f"did not end within {module.timeout}"
            _stop(process)
        finally:
            _signal_session(process, signal.SIGKILL)
            process.wait()
    (outbox.parent / LOG_FILE).write_bytes(tail.content)
    if problem:
        quoted = "".join(f"\n{line}" for line in tail.last_lines(_SHOWN))
        raise ModuleFailedError(f"'{program}' {problem}" + (f":{quoted}" if quoted else ""))


def environment(
    module: CommandModule, inbox: Path, outbox: Path, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The environment of the program: nothing of mroute's own but what every program needs.

    Passwords and tokens in mroute's environment are none of the program's business.
    """
    return {
        **{name: inherited[name] for name in _INHERITED if name in inherited},
        **module.environment,
        **dict.fromkeys(_IN_NAMES, str(inbox)),
        **dict.fromkeys(_OUT_NAMES, str(outbox)),
    }


def _problem(code: int) -> str:
    if code < 0:
        return f"was ended by signal {-code} ({signal.strsignal(-code)})"
    return f"ended with exit code {code}" if code else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let the program end by itself for a moment: one that runs a container has to stop that."""
    _signal_session(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)


def _signal_session(process: subprocess.Popen[bytes], which: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left
        os.killpg(process.pid, which)
