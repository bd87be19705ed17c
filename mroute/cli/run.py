"""``mroute run``: routes, until it is stopped or until nothing is left to do.

Knows signals, exit codes and the closing line. Does not know what runs.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from pathlib import Path

import click

from mroute.errors import ExitCode
from mroute.events import (
    ArrivalIgnored,
    DeliverySettled,
    Event,
    SeriesDeferred,
    SubjectCommitted,
    TaskSettled,
)
from mroute.types import Finish


class Tally:
    """Counts what happened, for the closing line and the exit code."""

    def __init__(self) -> None:
        self._routed: set[str] = set()
        self._kept_back: set[str] = set()
        self._tasks: Counter[str] = Counter()

    def note(self, event: Event) -> None:
        """Count an event."""
        match event:
            case SubjectCommitted():
                dead = sum(task.startswith(f"{Finish.ERROR}/") for task in event.tasks)
                self._tasks["to error"] += dead
                self._kept_back.discard(event.claim_id)
                if event.studies or len(event.tasks) > dead:
                    self._routed.add(event.claim_id)
            case SeriesDeferred():
                self._kept_back.add(event.claim_id or event.uid)
            case ArrivalIgnored():
                self._kept_back.add(event.where)
            case TaskSettled(settlement="failed") | DeliverySettled(settlement="failed"):
                self._tasks["to error"] += 1
            case TaskSettled() | DeliverySettled():
                self._tasks[event.settlement] += 1

    @property
    def failed(self) -> bool:
        """Whether anything could not be done."""
        return bool(self._kept_back or self._tasks["to error"] or self._tasks["retry"])

    def line(self) -> str:
        """One line for a person: series and studies, tasks and notifications, and what is left."""
        return (
            f"routed {len(self._routed)}, done {self._tasks['done']}, "
            f"to be tried again {self._tasks['retry']}, to error/ {self._tasks['to error']}, "
            f"kept back {len(self._kept_back)}"
        )


@click.command("run")
@click.option(
    "-c",
    "--config",
    "file",
    required=True,
    type=click.Path(path_type=Path, readable=False),
    help="The rule file.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="PART",
    help="Run this part and no other; may be given again. Parts are 'router', 'notices' (the "
    "outbox), and the queues and services of the plugins: 'outgoing', 'receiver' and so on.",
)
@click.option("--once", is_flag=True, help="Route what is complete, work every queue, and stop.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How log lines are written to standard error.",
)
@click.pass_context
def command(
    ctx: click.Context, file: Path, only: tuple[str, ...], once: bool, log_format: str
) -> None:
    """Route series, work the queues, deliver notifications.

    Runs until SIGTERM or SIGINT, finishes the series in hand, and exits 0. With --once it stops
    when nothing is due; then it exits 1 if anything could not be done.

    \b
    Examples:
      mroute run -c site/mroute.yaml
      mroute run -c site/mroute.yaml --once
      mroute run -c site/mroute.yaml --only receiver
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    from mroute.cli.installed import installed
    from mroute.cli.progress import progress_on_stderr
    from mroute.logs import configure_logs
    from mroute.reload import loading_events
    from mroute.service import Service, open_site

    plugins = installed()
    as_json = log_format == "json"
    configure_logs(log_phi=False, as_json=as_json)  # until the rule file says otherwise
    tell = loading_events(plugins.hooks, file) if as_json else progress_on_stderr()

    def progress(step: str, done: int, total: int) -> None:
        if stop.is_set():
            raise click.exceptions.Exit(0)
        tell(step, done, total)

    with open_site(file, plugins.hooks, plugins.registry, progress=progress) as site:
        configure_logs(site.configuration.core.log_phi, as_json)
        tally = Tally()
        site.hooks.listen(tally.note)
        service = Service(site, stop, only=only)
        for name in only:
            if name not in service.parts.names():
                parts = ", ".join(f"'{each}'" for each in service.parts.names())
                raise click.UsageError(f"there is no part '{name}'; there is {parts}")
        if once:
            service.run_once()
            click.echo(tally.line())
        else:
            service.run()
    if once and tally.failed:
        ctx.exit(ExitCode.PROBLEMS)
