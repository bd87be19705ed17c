"""``mroute demo``: real images through every action, and proof that none is missing.

Knows how the demonstration is shown. Does not know its images, rules or accounting (mroute.demo).
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from mroute.errors import ExitCode
from mroute.events import (
    DeliverySettled,
    Event,
    StudyCompleted,
    SubjectCommitted,
    SubjectPlanned,
    TaskSettled,
)

if TYPE_CHECKING:
    from mroute.demo import DemoSeries, Performance


@click.command("demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Make the site in this folder and leave it there, to look around in.",
)
@click.pass_context
def command(ctx: click.Context, keep: Path | None) -> None:
    """Route real DICOM files through every action and account for each image.

    Takes the files that come with pydicom. Uses no network beyond this machine, and leaves nothing
    behind without --keep. Exits 1 if an image is not where it must be.

    \b
    Examples:
      mroute demo
      mroute demo --keep demo-site
    """
    from mroute import demo
    from mroute.cli.installed import installed
    from mroute.logs import configure_logs

    signal.signal(signal.SIGTERM, _end)
    configure_logs(log_phi=False, as_json=False, quiet=True)
    plugins = installed()
    console = Console()
    try:
        with _folder(keep) as root, _Show(console) as show:
            performance = demo.play(root, plugins.hooks, plugins.registry, show.event)
    except _AskedToEnd:
        sys.exit(128 + signal.SIGTERM)
    _report(console, performance, show)
    if keep is not None:
        console.print(f"The site is in {keep}; look around, and see {keep}/mroute.yaml.")
    if performance.account.faults:
        ctx.exit(ExitCode.PROBLEMS)


class _AskedToEnd(BaseException):
    """SIGTERM came: everything is cleared up on its way, and no handler of errors stops it."""


def _end(*_: object) -> None:
    raise _AskedToEnd


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        # Not `TemporaryDirectory`: asked to end while it makes the folder, it leaves it behind.
        folder = Path(tempfile.gettempdir(), f"mroute-demo-{uuid.uuid4()}")
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    if keep.exists() and any(keep.iterdir()):
        raise click.UsageError(f"'{keep}' is not empty; name a folder that is, or a new one")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()


class _Show:
    """Shows the progress, and remembers what was planned for each series."""

    def __init__(self, console: Console) -> None:
        self.plans: dict[str, SubjectPlanned] = {}
        self.studies: list[StudyCompleted] = []
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=console, transient=True)
        self._line = self._progress.add_task("reading the images that pydicom ships")
        self._counts = {"routed": 0, "tasks worked on": 0, "notifications": 0}

    def __enter__(self) -> _Show:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        self._console.print(self._shown())

    def event(self, event: Event) -> None:
        """Show that something happened."""
        match event:
            case SubjectPlanned():
                self.plans[event.uid] = event
            case StudyCompleted():
                self.studies.append(event)
            case SubjectCommitted():
                self._counts["routed"] += 1
            case TaskSettled():
                self._counts["tasks worked on"] += 1
            case DeliverySettled():
                self._counts["notifications"] += 1
        self._progress.update(self._line, description=self._shown())

    def _shown(self) -> str:
        return ", ".join(f"{number} {what}" for what, number in self._counts.items())


def _report(console: Console, performance: Performance, show: _Show) -> None:
    table = Table(title="What became of each series", show_lines=True)
    for heading in ("series", "images", "triggered rules, and why", "planned", "now in"):
        table.add_column(heading, overflow="fold")
    for series in performance.series:
        places = performance.account.places[series.uid]
        table.add_row(
            _name(series),
            str(len(series.images)),
            _why(performance, series),
            _planned(show.plans.get(series.uid)),
            "\n".join(f"{place}: {number}" for place, number in places.items()),
        )
    console.print(table)
    console.print(_studies(show.studies))
    for message in performance.messages:
        console.print(f"webhook received: {escape(json.dumps(message))}", soft_wrap=True)
    for fault in performance.account.faults:
        console.print(f"[red]fault:[/red] {escape(fault)}", soft_wrap=True)
    account = performance.account
    verdict = f"{len(account.faults)} faults" if account.faults else "every one accounted for"
    console.print(f"{len(performance.series)} series, {account.images} images: {verdict}.")


def _studies(completed: Sequence[StudyCompleted]) -> Table:
    table = Table(title="Why each study went on", show_lines=True)
    for heading in ("rule", "series", "images", "complete by", "because"):
        table.add_column(heading, overflow="fold")
    for each in completed:
        table.add_row(
            escape(each.rule),
            str(each.series),
            str(each.images),
            each.condition,
            escape(each.clause),
        )
    return table


def _name(series: DemoSeries) -> str:
    tags = series.tags
    words = (tags.get("Modality", "?"), tags.get("SeriesDescription") or f"...{series.uid[-12:]}")
    return escape(" ".join(words))


def _why(performance: Performance, series: DemoSeries) -> str:
    decision = performance.decisions[series.uid]
    lines = [
        f"[bold]{escape(each.name)}[/bold] ({each.rule.action}): "
        f"{escape(decision.outcomes[each.name].because)}"
        for each in decision.rules
    ]
    if decision.fallback:
        lines.append("(fallback: no other rule triggered)")
    return "\n".join(lines) or escape(decision.reason)


def _planned(plan: SubjectPlanned | None) -> str:
    if plan is None:
        return "nothing"
    lines = [f"task in {queue}" for queue in plan.queues]
    if plan.studies:
        lines.append("join the study")
    if plan.deliveries:
        lines.append(f"{plan.deliveries} notifications")
    return "\n".join(lines)
