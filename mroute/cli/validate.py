"""``mroute validate-rules``: what is wrong with rule files, for a person, a program or GitHub.

Knows how problems are written in each format. Does not know how they are found.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from mroute.errors import ExitCode, Problem, Severity


@click.command("validate-rules")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For a person, a program, or the log of a GitHub workflow.",
)
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], form: str) -> None:
    """Check rule files and show every problem with its place and what to do.

    Exits 0 where there is no error (warnings are none), 1 where there is one, 3 where two plugins
    contribute the same name.

    \b
    Examples:
      mroute validate-rules mroute.yaml
      mroute validate-rules --format json site/*.yaml
      mroute validate-rules --format github mroute.yaml
    """
    from mroute import config
    from mroute.cli.installed import installed
    from mroute.cli.progress import progress_on_stderr

    registry = installed().registry
    registry.raise_conflicts()
    for plugin in registry.plugins:
        if plugin.error:
            message = f"mroute: plugin '{plugin.name}' cannot be loaded: {plugin.error}"
            click.echo(message, err=True)
    found = {file: config.validate(file, registry, progress_on_stderr()) for file in files}
    _FORMATS[form](found)
    if any(each.severity is Severity.ERROR for problems in found.values() for each in problems):
        ctx.exit(ExitCode.PROBLEMS)


Found = dict[Path, tuple[Problem, ...]]


def _text(found: Found) -> None:
    for file, problems in found.items():
        for problem in problems:
            click.echo(_encodable(problem.render()))
        errors = sum(problem.severity is Severity.ERROR for problem in problems)
        counts = f"{_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')}"
        verdict = counts if problems else "fine"
        click.echo(_encodable(f"{file}: {verdict}"))


def _encodable(text: str) -> str:
    """The name of a file may be no text at all."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _json(found: Found) -> None:
    keys = ("file", "line", "column", "severity", "code", "message", "hint")
    problems = [{key: getattr(problem, key) for key in keys} for problem in _all(found)]
    click.echo(json.dumps(problems, indent=2))


def _github(found: Found) -> None:
    for problem in _all(found):
        title, file = _property(problem.code), _property(str(problem.file))
        text = "\n".join(part for part in (problem.message, problem.hint) if part)
        place = f"file={file},line={problem.line},col={problem.column}"
        click.echo(_encodable(f"::{problem.severity} {place},title={title}::{_escape(text)}"))


def _all(found: Found) -> list[Problem]:
    return [problem for problems in found.values() for problem in problems]


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


_FORMATS: dict[str, Callable[[Found], None]] = {"text": _text, "json": _json, "github": _github}
