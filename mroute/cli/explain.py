"""``mroute explain``: what every rule says about a series, why, and what would be done with it.

Knows how an explanation is shown to a person and to a program. Does not know how it comes about
(explanation), or how subjects are read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mroute.cli.screen import Screen, tell
from mroute.errors import ExitCode

if TYPE_CHECKING:
    from mroute.cli.explanation import Answer, Explanation
    from mroute.cli.planned import Entry
    from mroute.cli.subjects import Given
    from mroute.config import Configuration

_SHOWN = 50
"""Rules of a file that are all shown to a person unless there are more."""

_WIDEST = 32
"""Characters of a rule's name up to which the reasons are aligned."""


@click.command("explain")
@click.argument("subjects", metavar="SUBJECT...", nargs=-1, required=True)
@click.option(
    "-c",
    "--config",
    "file",
    required=True,
    type=click.Path(path_type=Path, readable=False),
    help="The rule file.",
)
@click.option("--rule", "only", multiple=True, help="Show this rule only; may be given repeatedly.")
@click.option("--force-rule", help="Explain what would happen if this rule were forced.")
@click.option("--all", "everything", is_flag=True, help="Show false rules too, however many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a subject, a line each.")
@click.pass_context
def command(
    ctx: click.Context,
    subjects: tuple[str, ...],
    file: Path,
    only: tuple[str, ...],
    force_rule: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Say for each SUBJECT what every rule comes to and why, and what would be done.

    A SUBJECT is a DICOM file, a folder of them, a '.tags' file, or '-' for JSON objects of tags on
    standard input. Of a study in 'studies/' it is said what it waits for, of a task that was a
    study why it went on. Exits 0 whatever is decided, 1 where a subject cannot be read, 3 where
    the rule file or a plugin cannot be loaded. Nothing on disk changes; the spool is not needed.

    \b
    Examples:
      mroute explain -c site/mroute.yaml image.dcm
      mroute explain -c site/mroute.yaml site/spool/discard
      mroute explain -c site/mroute.yaml 'site/spool/studies/1.2.840.1#spine'
      mroute explain -c site/mroute.yaml --rule thin-slices --json image.dcm
    """
    from mroute import config
    from mroute.cli.explained_study import in_order, show_study
    from mroute.cli.explanation import explain, site_of
    from mroute.cli.installed import installed
    from mroute.cli.planned import entries
    from mroute.cli.progress import progress_on_stderr
    from mroute.cli.subjects import Subjects

    plugins = installed()
    plugins.registry.raise_conflicts()
    plugins.registry.raise_broken()
    plugins.hooks.on_observer_error = lambda error: tell(str(error))
    configuration = config.load(file, plugins.registry, progress_on_stderr())
    _refuse_unknown(only, configuration)
    site = site_of(configuration, plugins.hooks, plugins.registry)
    reader = Subjects(plugins.registry, tell)
    screen = Screen.of_stdout()
    for number, found in enumerate(in_order(reader, subjects, site, tell)):
        if number and not as_json:
            screen.line("")
        if isinstance(found, dict):
            click.echo(json.dumps(found)) if as_json else show_study(screen, found)
            continue
        series = found.series
        if force_rule is not None:
            series = replace(series, force_rule=force_rule)
        explanation = explain(series, site)
        planned = entries(explanation.plan, configuration)
        answers = {k: v for k, v in explanation.answers.items() if not only or k in only}
        if as_json:
            click.echo(json.dumps(_described(found, explanation, answers, planned)))
            continue
        short = len(answers) > _SHOWN and not everything
        _show(screen, found, explanation, answers, planned, short)
    if reader.failed:
        ctx.exit(ExitCode.PROBLEMS)


def _refuse_unknown(names: Collection[str], configuration: Configuration) -> None:
    from mroute.expr.errors import nearest

    for name in names:
        if name not in configuration.rules:
            meant = nearest(name, list(configuration.rules))
            hint = f"; did you mean '{meant}'?" if meant else ""
            raise click.UsageError(
                f"there is no rule '{name}' in '{configuration.file.name}'{hint}"
            )


def _described(
    given: Given, explanation: Explanation, answers: Mapping[str, Answer], planned: list[Entry]
) -> dict[str, object]:
    decision = explanation.decision
    return {
        "subject": given.name,
        "triggered": list(decision.triggered),
        "discarded_by": decision.discarded_by,
        "fallback": decision.fallback,
        "rules": {
            name: {
                "value": answer.outcome.value,
                "because": answer.because,
                "state": answer.state.value,
            }
            for name, answer in answers.items()
        },
        "plan": planned,
    }


def _show(
    screen: Screen,
    given: Given,
    explanation: Explanation,
    answers: Mapping[str, Answer],
    planned: list[Entry],
    short: bool,
) -> None:
    from mroute.cli.explanation import State
    from mroute.cli.planned import lines

    note = screen.text(f"  ({given.note})", dim=True) if given.note else ""
    screen.line(screen.text(given.name, bold=True) + note)
    shown = {
        name: answer
        for name, answer in answers.items()
        if not short or (answer.outcome.value is not False and answer.state is State.CONSIDERED)
    }
    width = max((len(name) for name in shown if len(name) <= _WIDEST), default=0)
    for name, answer in shown.items():
        considered = answer.state is State.CONSIDERED
        mark = screen.mark(answer.outcome.value) if considered else screen.text("-", dim=True)
        because = screen.text(answer.because, **({} if considered else {"dim": True}))
        screen.line(f"  {mark} {screen.text(name).ljust(width)}  {because}")
    if len(shown) < len(answers):
        hidden = [answer for name, answer in answers.items() if name not in shown]
        false = sum(answer.state is State.CONSIDERED for answer in hidden)
        rest = f"{false} false, {len(hidden) - false} not considered: --all shows them"
        screen.line(f"  {screen.text(rest, dim=True)}")
    screen.line(f"  decision: {screen.text(_decision(explanation))}")
    for number, line in enumerate(lines(planned)):
        screen.line(f"  {'plan:    ' if number == 0 else '         '} {screen.text(line)}")


def _decision(explanation: Explanation) -> str:
    """What was decided, in words."""
    from mroute.cli.explanation import State
    from mroute.cli.planned import quoted

    decision = explanation.decision
    if explanation.rejected:
        return "none, for the series cannot be planned"
    kind = "fallback rule" if decision.fallback else "rule"
    names = quoted(decision.triggered)
    if decision.discarded_by is not None:
        over = [
            name
            for name, answer in explanation.answers.items()
            if answer.state is State.CONSIDERED
            and answer.outcome.value is True
            and name not in decision.triggered
        ]
        return f"discarded by {kind} {names}{f', over {quoted(over)}' if over else ''}"
    if not decision.rules:
        return "discarded, for no rule triggered"
    several = len(decision.rules) > 1
    sentence = f"{kind}{'s' if several else ''} {names} {'apply' if several else 'applies'}"
    return f"{sentence}, for no other triggered" if decision.fallback else sentence
