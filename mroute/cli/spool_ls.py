"""``mroute spool ls``: everything that waits in the spool, a line each.

Knows how a list is narrowed and shown. Does not know how it is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mroute.cli.spool import on_a_spool, open_spool

if TYPE_CHECKING:
    from mroute.spool.upkeep.item import Item

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@click.command("ls")
@on_a_spool
@click.option("--queue", "queues", multiple=True, help="Only what is in this folder of the spool.")
@click.option("--state", "states", multiple=True, help="Only what is in this state.")
@click.option("--uid", help="Only what is about this series or study.")
@click.option("--target", help="Only what is still to be sent to this target.")
@click.option("--all", "finished", is_flag=True, help="What is in success/ and discard/ as well.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, for programs.")
def command(
    file: Path | None,
    folder: Path | None,
    queues: tuple[str, ...],
    states: tuple[str, ...],
    uid: str | None,
    target: str | None,
    finished: bool,
    as_json: bool,
) -> None:
    """List what waits in the spool, the oldest first, and why.

    \b
    Examples:
      mroute spool ls -c site/mroute.yaml
      mroute spool ls -c site/mroute.yaml --state dead --json
    """
    from mroute.cli.screen import Screen
    from mroute.site import utc_now
    from mroute.spool.upkeep.item import State

    known = [state.value for state in State]
    for state in states:
        if state not in known:
            raise click.UsageError(f"no state is called '{state}'; there are {', '.join(known)}")
    opened = open_spool(file, folder)
    folders = {path.name for path in opened.spool.root.iterdir() if path.is_dir()}
    for queue in queues:
        if queue not in folders:
            there = ", ".join(sorted(folders))
            raise click.UsageError(f"the spool has no folder '{queue}'; there are {there}")
    items = [
        item
        for item in opened.items(finished or bool({"success", "discard"} & set(queues)))
        if (not queues or item.queue in queues)
        and (not states or item.state in states)
        and (uid is None or item.uid == uid)
        and (target is None or target in item.targets)
    ]
    if as_json:
        for item in items:
            click.echo(json.dumps(item.to_json()))
        return
    if not items:
        click.echo("nothing waits", err=True)
        return
    screen = Screen.of_stdout()
    for line in columns(_rows(items, utc_now())):
        screen.line(screen.text(line))


def age(since: datetime, now: datetime) -> str:
    """How long ago that was, in its two largest units: ``3h 5m``."""
    seconds, parts = max(0, int((now - since).total_seconds())), list[str]()
    for size, unit in _UNITS:
        if seconds >= size:
            parts.append(f"{seconds // size}{unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0s"


def columns(rows: Iterable[Sequence[str]], right: int = 0) -> Iterator[str]:
    """The rows with their columns below each other; the last ``right`` are flush right."""
    lines = [list(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = [
            text.rjust(width) if place >= len(line) - right else text.ljust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(padded).rstrip()


def _rows(items: Sequence[Item], now: datetime) -> Iterator[tuple[str, ...]]:
    yield ("STATE", "AGE", "QUEUE", "ID", "IMAGES", "RULES", "BECAUSE")
    for item in items:
        yield (
            item.state,
            age(item.since, now),
            item.queue,
            item.id,
            str(item.images),
            ",".join(item.rules) or "-",
            item.because,
        )
