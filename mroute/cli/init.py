"""``mroute init``: a site to start from.

Knows what a new site consists of. Does not know what its rules mean.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from mroute.errors import ExitCode

RULE_FILE = "mroute.yaml"
SCHEMA_FILE = "rules.schema.json"


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """Make a site in DIR: a starter rule file, its schema for editors, and an empty spool.

    Refuses a directory that already holds one.

    \b
    Examples:
      mroute init site
      mroute validate-rules site/mroute.yaml
      mroute run -c site/mroute.yaml --once
    """
    from mroute.cli.installed import installed
    from mroute.cli.schema import schema_text
    from mroute.spool.layout import Spool

    for taken in (folder / RULE_FILE, folder / "spool"):
        if taken.exists():
            click.echo(f"mroute: '{taken}' is there already; name another directory", err=True)
            ctx.exit(ExitCode.PROBLEMS)
    registry = installed().registry
    registry.raise_conflicts()
    folder.mkdir(parents=True, exist_ok=True)
    Spool(folder / "spool").prepare(registry.queues)
    (folder / SCHEMA_FILE).write_text(schema_text("rules", registry), "utf-8")
    starter = (files("mroute.cli") / "starter.yaml").read_text("utf-8")
    (folder / RULE_FILE).write_text(starter, "utf-8")
    click.echo(f"made {folder / RULE_FILE}, {folder / SCHEMA_FILE} and {folder / 'spool'}/")
    click.echo(f"next: edit the rules, then 'mroute validate-rules {folder / RULE_FILE}'")
