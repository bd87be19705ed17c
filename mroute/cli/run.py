"""``mroute run``: routes, until it is stopped or until nothing is left to do.

Knows signals, exit codes and the closing line. Does not know what runs.
"""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import click

from mroute.errors import ExitCode
from mroute.events import Event, SubjectCommitted, TaskSettled


class Tally:
    """Counts what happened, for the closing line and the exit code."""

    _FAILURES = frozenset({"subject_rejected", "series_deferred"})

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, SubjectCommitted):
            self.counts["routed"] += 1
        elif isinstance(event, TaskSettled):
            self.counts[f"task {event.settlement}"] += 1
        elif event.name in self._FAILURES:
            self.counts["kept back"] += 1

    @property
    def failed(self) -> bool:
        """Whether anything could not be done."""
        return any(self.counts[key] for key in ("kept back", "task failed", "task retry"))

    def line(self) -> str:
        """One line for a person."""
        counts = self.counts
        return (
            f"{counts['routed']} routed, {counts['task done']} tasks done, "
            f"{counts['task retry']} to be tried again, {counts['task failed']} failed, "
            f"{counts['kept back']} kept back"
        )


@click.command("run")
@click.option(
    "-c",
    "--config",
    "file",
    required=True,
    type=click.Path(path_type=Path),
    help="The rule file.",
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
def command(ctx: click.Context, file: Path, once: bool, log_format: str) -> None:
    """Route series, work the queues, deliver notifications.

    Runs until SIGTERM or SIGINT, finishes the series in hand, and exits 0. With --once it stops
    when nothing is due; then it exits 1 if anything could not be done.

    \b
    Examples:
      mroute run -c site/mroute.yaml
      mroute run -c site/mroute.yaml --once
    """
    from mroute.cli.installed import installed
    from mroute.logs import configure_logs
    from mroute.service import Service, open_site

    plugins = installed()
    with open_site(file, plugins.hooks, plugins.registry) as site:
        configure_logs(site.configuration.core.log_phi, as_json=log_format == "json")
        tally = Tally()
        site.hooks.listen(tally.note)
        service = Service(site)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: service.stop())
        if once:
            service.run_once()
            click.echo(tally.line())
        else:
            service.run()
    if once and tally.failed:
        ctx.exit(ExitCode.PROBLEMS)
