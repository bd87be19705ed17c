"""``mroute import-mercure``: a rule file from the configuration of a mercure server.

Knows where rule file and report are written, and how the report is shown. Does not know what is
converted into what.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mroute.errors import ExitCode, MrouteError, Severity

if TYPE_CHECKING:
    from mroute.mercure import Finding


@click.command("import-mercure")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rule file here; it must not exist. Otherwise to standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON array; needs -o.")
@click.pass_context
def command(ctx: click.Context, file: Path, output: Path | None, as_json: bool) -> None:
    """Make a rule file of FILE, mercure's 'mercure.json', and report what has to be looked at.

    Rules, targets, modules and timings are converted. The report lists every setting that has no
    counterpart and every expression that means something else here, with what to check. Nothing of
    mercure is changed. Exits 0 where the report is empty, 1 where it is not, 3 where FILE is no
    configuration of mercure.

    \b
    Examples:
      mroute import-mercure mercure.json
      mroute import-mercure /opt/mercure/config/mercure.json -o mroute.yaml
      mroute import-mercure mercure.json -o mroute.yaml --json
    """
    if as_json and output is None:
        raise click.UsageError("--json needs -o FILE: standard output is for the report then")
    if output is not None and os.path.lexists(output):
        raise MrouteError(f"'{output}' is there already; name another file")
    from mroute.cli.installed import installed
    from mroute.mercure import import_configuration, read_configuration

    registry = installed().registry
    registry.raise_conflicts()
    imported = import_configuration(read_configuration(file), registry)
    if output is None:
        click.echo(imported.text, nl=False)
    else:
        _write(imported.text, output, file)
    if as_json:
        click.echo(json.dumps([_described(each) for each in imported.findings], indent=2))
    else:
        for line in _lines(imported.findings, output):
            click.echo(_visible(line), err=True)
    if imported.findings:
        ctx.exit(ExitCode.PROBLEMS)


def _write(text: str, output: Path, like: Path) -> None:
    """Write a new file as a whole or not at all, to be read by those who may read ``like``.

    For it may have passwords of modules in it. Raises `MrouteError` where it exists or cannot be
    written.
    """
    partial = None
    try:
        mode = stat.S_IMODE(like.stat().st_mode) & 0o666
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=output.parent, prefix=f".{output.name}.", delete=False
        ) as file:
            partial = file.name
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.link(partial, output)  # which, unlike a rename, takes the place of no other file
    except FileExistsError as error:
        raise MrouteError(f"'{output}' is there already; name another file") from error
    except OSError as error:
        raise MrouteError(f"'{output}' cannot be written: {error.strerror}") from error
    finally:
        if partial is not None:
            Path(partial).unlink()


def _described(finding: Finding) -> dict[str, Any]:
    """A finding as a program reads it: either ``rule`` or ``section`` says what it is about."""
    is_rule = finding.section == "rules" and finding.name
    section = ".".join(part for part in (finding.section, finding.name) if part)
    return {
        "rule": finding.name if is_rule else None,
        "section": None if is_rule else section,
        "key": finding.key,
        "severity": finding.severity,
        "code": finding.code,
        "message": finding.message,
        "hint": finding.hint,
    }


def _lines(findings: Iterable[Finding], output: Path | None) -> Iterator[str]:
    """The report for a person: by entry, and one sentence for all keys that share it."""
    findings = list(findings)
    for (section, name), group in groupby(findings, key=lambda each: (each.section, each.name)):
        yield f"{section.removesuffix('s')} '{name}'" if name else section
        for (code, message, hint), same in groupby(group, key=_sentence):
            keys = ", ".join(each.key for each in same if each.key)
            yield f"  {keys}: {message} [{code}]" if keys else f"  {message} [{code}]"
            if hint:
                yield f"    hint: {hint}"
        yield ""
    errors = sum(each.severity is Severity.ERROR for each in findings)
    count = f"{len(findings)} thing{'' if len(findings) == 1 else 's'} to look at"
    yield f"{count}, {errors} of them keep the rule file from being used" if errors else count
    if output is not None:
        yield f"next: 'mroute validate-rules {output}'"


def _visible(line: str) -> str:
    """Nothing in a name or key may do something to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _sentence(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.message, finding.hint
