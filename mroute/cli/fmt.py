"""``mroute fmt``: one spelling for rule files and expressions.

Knows what is written where, and what is told. Does not know what the spelling is.
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from mroute.errors import ExitCode, MrouteError, describe

STDIN = "-"


@click.command("fmt")
@click.argument("files", nargs=-1, metavar="FILES...")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
@click.option("-e", "--expression", metavar="TEXT", help="Format one expression instead of files.")
@click.pass_context
def command(
    ctx: click.Context, files: tuple[str, ...], check: bool, diff: bool, expression: str | None
) -> None:
    """Rewrite rule files in their canonical form; comments and the order of rules are kept.

    What a file says is the same afterwards, or the file is left as it is. FILE may be - for
    YAML from standard input to standard output.

    \b
    Examples:
      mroute fmt mroute.yaml
      mroute fmt --check site/*.yaml
      mroute fmt -e "@Modality@=='MR'"
    """
    if expression is not None:
        if files or check or diff:
            raise click.UsageError("'--expression' stands alone")
        from mroute.formatting import format_condition

        click.echo(format_condition(expression))
        return
    if not files:
        raise click.UsageError("name a FILE, or an expression with '--expression'")
    outcomes = [_format(file, check, diff) for file in files]
    changed, problems = outcomes.count("changed"), outcomes.count("problems")
    if files != (STDIN,):
        would = "would be " if check or diff else ""
        told = (
            f"{_count(changed)} {would}formatted, {_count(outcomes.count('same'))} left as it was"
        )
        if len(files) - changed - problems != 1:
            told = told.replace("as it was", "as they were")
        told += f", {_count(problems)} with problems" if problems else ""
        click.echo(told)
    if problems or (check and changed):
        ctx.exit(ExitCode.PROBLEMS)


def _format(file: str, check: bool, diff: bool) -> str:
    """Format one file; what became of it: changed, same or problems."""
    from mroute.cli.installed import installed
    from mroute.formatting import Formatted, format_file, format_text, replace_file

    registry = installed().registry
    try:
        if file == STDIN:
            from mroute.config.source import decode

            before = sys.stdin.buffer.read()
            after = format_text("<stdin>", decode("<stdin>", before), registry)
            formatted = Formatted(Path(file), before, after)
        else:
            formatted = format_file(Path(file), registry)
        if diff:
            _show(formatted.path, formatted.before.decode("utf-8-sig"), formatted.after)
        elif file == STDIN and not check:
            click.echo(formatted.after, nl=False)
        elif formatted.changed:
            if not check:
                replace_file(formatted)
            click.echo(_encodable(f"{'would format' if check else 'formatted'} {file}"))
    except MrouteError as error:
        click.echo(_encodable(str(error)), err=True)
        return "problems"
    except OSError as error:
        click.echo(_encodable(f"mroute: '{file}' is left as it is: {describe(error)}"), err=True)
        return "problems"
    return "changed" if formatted.changed else "same"


def _show(path: Path, before: str, after: str) -> None:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for line in difflib.unified_diff(old, new, str(path), str(path)):
        click.echo(_encodable(line if line.endswith("\n") else f"{line}\n"), nl=False)


def _count(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"


def _encodable(text: str) -> str:
    """The name of a file may be no text at all."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
