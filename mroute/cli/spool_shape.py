"""``mroute spool shape``: how much of what is how old, as a table of ages.

Knows which rows a spool has and how ages are counted. Does not know how things are found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mroute.cli.spool import on_a_spool, open_spool

if TYPE_CHECKING:
    from mroute.spool.upkeep.item import Item

BUCKETS = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
"""Upper ends of the ages that are counted together, in minutes; older is in a column of its own."""

_OLDER = f"{BUCKETS[-1]}+"


@click.command("shape")
@on_a_spool
@click.option("--json", "as_json", is_flag=True, help="A JSON object a row, for programs.")
def command(file: Path | None, folder: Path | None, as_json: bool) -> None:
    """Count what waits by age, for each queue and what is below it.

    Below a queue are its targets, below error/ the stages, below studies/ the rules. What waits for
    two targets is counted below both, and once in the queue. Ages are in minutes.

    \b
    Example:
      mroute spool shape -c site/mroute.yaml
    """
    from mroute.cli.screen import Screen
    from mroute.cli.spool_ls import columns
    from mroute.site import utc_now

    shape = shaped(open_spool(file, folder).items(), utc_now())
    heads = [*map(str, BUCKETS), _OLDER]
    if as_json:
        for (queue, below), counted in shape.items():
            ages = {head: counted[head] for head in heads}
            row = {"queue": queue, "below": below or None, "total": counted.total(), "ages": ages}
            click.echo(json.dumps(row))
        return
    rows = [("", "TOTAL", *heads)]
    for (queue, below), counted in shape.items():
        numbers = (str(counted[head]) for head in heads)
        rows.append((f"  {below}" if below else queue, str(counted.total()), *numbers))
    screen = Screen.of_stdout()
    for line in columns(rows, right=len(heads) + 1):
        screen.line(screen.text(line))


def shaped(items: Iterable[Item], now: datetime) -> Mapping[tuple[str, str], Counter[str]]:
    """How many things are how old: by queue, and by queue and what is below it; sorted."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for item in items:
        minutes = (now - item.since).total_seconds() / 60
        head = next((str(end) for end in BUCKETS if minutes < end), _OLDER)
        for below in ("", *_below(item)):
            found.setdefault((item.queue, below), Counter())[head] += 1
    return dict(sorted(found.items()))


def _below(item: Item) -> Iterator[str]:
    if item.stage:
        yield item.stage
    elif item.queue == "studies":
        yield from item.rules
    else:
        yield from item.targets
