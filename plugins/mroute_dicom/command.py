"""``mroute tags``: the tags of DICOM files, as rules see them.

Knows how tags are shown to a person and to a program. Does not know how they are read.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mroute.api import TagsError
from mroute_dicom.reader import read_tags


@click.command("tags")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, a line each.")
@click.pass_context
def tags_command(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Show the tags of DICOM files, as rules see them.

    Exits 1 if a file has no tags; the others are shown all the same.

    \b
    Examples:
      mroute tags image.dcm
      mroute tags --json image.dcm | jq .Modality
    """
    failed = False
    for number, path in enumerate(files):
        try:
            tags = read_tags(path)
        except TagsError as error:
            click.echo(f"mroute: {error}", err=True)
            failed = True
            continue
        if as_json:
            click.echo(json.dumps(tags))
            continue
        if len(files) > 1:
            click.echo(("\n" if number else "") + click.style(f"{path}:", bold=True))
        for keyword, text in tags.items():
            click.echo(f"{keyword}: {_printable(text)}")
    ctx.exit(1 if failed else 0)


def _printable(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
