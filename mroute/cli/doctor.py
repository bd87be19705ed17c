"""``mroute doctor``: what is wrong with an installation, and what to do about it.

Knows how findings are shown to a person and to a program. Does not know any check.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mroute.doctor import Finding


@click.command("doctor")
@click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path, readable=False),
    help="The rule file. Without it, only the plugins and the clock are looked at.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
@click.pass_context
def command(ctx: click.Context, file: Path | None, as_json: bool) -> None:
    """Look for whatever is wrong with an installation, and say what to do about it.

    Plugins, rule file, spool, disk, clock, permissions, other runs, what waits, targets, and what
    plugins check of themselves. Changes nothing, and may be run beside 'mroute run'. Exits 1 where
    there is a problem, 3 where the rule file or a plugin cannot be loaded, 4 where the spool cannot
    be used; remarks do not count.

    \b
    Examples:
      mroute doctor
      mroute doctor -c site/mroute.yaml
      mroute doctor -c site/mroute.yaml --json
    """
    from mroute.cli.installed import installed
    from mroute.cli.progress import progress_on_stderr
    from mroute.doctor import examine, exit_code, open_installation

    site = open_installation(installed().registry, file, progress=progress_on_stderr())
    found = list(examine(site))
    if as_json:
        click.echo(json.dumps([_described(check, each) for check, each in found], indent=2))
    else:
        _show(found)
    ctx.exit(exit_code(each for _, each in found))


def _described(check: str, finding: Finding) -> dict[str, str]:
    return {
        "check": check,
        "state": finding.state.value,
        "said": finding.said,
        "advice": finding.advice,
    }


def _show(found: Sequence[tuple[str, Finding]]) -> None:
    from mroute.cli.screen import Screen
    from mroute.doctor import State, counted

    screen = Screen.of_stdout()
    marks = {State.OK: True, State.REMARK: None, State.PROBLEM: False}
    width = max(len(check) for check, _ in found)
    for check, each in found:
        mark, name = screen.mark(marks[each.state]), screen.text(check.ljust(width), bold=True)
        screen.line(f"{mark} {name}  {screen.text(each.said)}")
        if each.advice:
            screen.line(f"  {' ' * width}  {screen.text(f'-> {each.advice}', dim=True)}")
    counts = Counter(each.state for _, each in found)
    told = (counted(counts[each], each.value) for each in (State.PROBLEM, State.REMARK))
    screen.line(screen.text(", ".join(told)))
