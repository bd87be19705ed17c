"""The progress of a command on standard error, for whoever waits for it.

Knows how it is worded. Does not know what is being done.
"""

from __future__ import annotations

import click

from mroute.progress import paced
from mroute.types import Progress


def progress_on_stderr() -> Progress:
    """A progress that writes lines such as ``building the index: 4,000 of 10,000 rules``."""
    return paced(_write)


def _write(step: str, done: int, total: int) -> None:
    click.echo(f"{step}: {done:,} of {total:,} rules", err=True)
