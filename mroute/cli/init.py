"""``mroute init``: a site to start from.

Knows what a new site consists of. Does not know what its rules mean.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from mroute.errors import MrouteError
from mroute.registry import Registry

RULE_FILE = "mroute.yaml"
SCHEMA_FILE = "rules.schema.json"


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Make a site in DIR: a starter rule file, its schema for editors, and an empty spool.

    Refuses a directory that already holds a rule file; nothing is overwritten.

    \b
    Examples:
      mroute init site
      mroute validate-rules site/mroute.yaml
      mroute run -c site/mroute.yaml --once
    """
    from mroute.cli.installed import installed

    rule_file = folder / RULE_FILE
    if rule_file.exists():
        raise MrouteError(f"'{rule_file}' is there already; name another directory")
    registry = installed().registry
    registry.raise_conflicts()
    try:
        _make(folder, rule_file, registry)
    except OSError as error:
        raise MrouteError(f"no site can be made in '{folder}': {error.strerror}") from error
    click.echo(f"made {rule_file}, {folder / SCHEMA_FILE} and {folder / 'spool'}/")
    click.echo(f"next: edit the rules, then 'mroute validate-rules {rule_file}'")


def _make(folder: Path, rule_file: Path, registry: Registry) -> None:
    """Make the site; the rule file comes last, so that what was interrupted can be done again."""
    from mroute.cli.schema import schema_text
    from mroute.spool.layout import Spool

    folder.mkdir(parents=True, exist_ok=True)
    Spool(folder / "spool").prepare(registry.queues)
    (folder / SCHEMA_FILE).write_text(schema_text("rules", registry), "utf-8")
    starter = (files("mroute.cli") / "starter.yaml").read_text("utf-8")
    with rule_file.open("x", encoding="utf-8") as file:
        file.write(starter)
