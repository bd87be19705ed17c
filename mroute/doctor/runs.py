"""Who works on the spool, and whether all of them may.

Knows that the runs of a spool are on one host and should have one rule file. Does not know what
they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mroute.doctor.finding import Finding, command, ok, problem, remark
from mroute.errors import ExitCode
from mroute.spool.layout import Spool
from mroute.spool.runs import living_runs, this_run
from mroute.types import Clock


def check_runs(spool: Spool, file: Path, clock: Clock) -> Iterator[Finding]:
    """The runs that live; ``file`` is the rule file by which they should work."""
    here, runs = this_run(file, clock()), living_runs(spool)
    if not runs:
        yield remark(
            "no 'mroute run' works on the spool",
            f"{command('mroute', 'run', '-c', file)} begins one",
        )
    for run in runs:
        said = f"process {run.pid} on host '{run.host}' works on the spool since {run.started_at}"
        if run.boot_id != here.boot_id:
            yield problem(
                f"{said}: that is another host, and the runs of a spool have to be on one",
                "stop it, or give this host a spool of its own",
                ExitCode.SPOOL,
            )
        elif run.rule_file != here.rule_file:
            yield remark(
                f"{said} by another rule file, '{run.rule_file}': who is first with a series "
                "decides by which rules it goes",
                "begin all runs with one rule file",
            )
        else:
            yield ok(said)


def processes_here(spool: Spool, file: Path, clock: Clock) -> tuple[int, ...]:
    """The processes of this host that are a run on the spool."""
    here = this_run(file, clock())
    return tuple(run.pid for run in living_runs(spool) if run.boot_id == here.boot_id)
