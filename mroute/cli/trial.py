"""``mroute try``: what an expression comes to for some series, and what each clause of it saw.

Knows how an answer is shown to a person and to a program. Does not know the language, or how
subjects are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mroute.cli.screen import Screen, tell
from mroute.errors import ExitCode, ExpressionError

if TYPE_CHECKING:
    from mroute.cli.subjects import Given
    from mroute.expr import Checked, Clause, Functions, Language, Program

_WIDEST = 48
"""Characters of a clause up to which what it saw is aligned."""


@click.command("try")
@click.argument("expression")
@click.argument("subjects", metavar="SUBJECT...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a subject, a line each.")
@click.option(
    "--completion",
    is_flag=True,
    help="Take the expression for one that completes a study of which the subjects are the series.",
)
@click.pass_context
def command(
    ctx: click.Context, expression: str, subjects: tuple[str, ...], as_json: bool, completion: bool
) -> None:
    """Evaluate EXPRESSION for each SUBJECT and show what every clause saw.

    A SUBJECT is a DICOM file, a folder of them, a '.tags' file, or '-' for JSON objects of tags on
    standard input. Exits 0 whatever the value is, 1 where the expression has errors or a subject
    cannot be read. Nothing on disk changes.

    \b
    Examples:
      mroute try "tags.Modality == 'CT' and tags.SliceThickness < 2" image.dcm
      mroute try "has(SliceThickness)" site/spool/incoming
      echo '{"Modality": "CT"}' | mroute try "tags.Modality == 'CT'" -
      mroute try --completion "'T1' and 'T2'" study/
    """
    from mroute.cli.installed import installed
    from mroute.cli.subjects import Subjects
    from mroute.expr import Language, compile_completion, compile_condition, print_tree

    registry = installed().registry
    registry.raise_conflicts()
    for plugin in registry.plugins:
        if plugin.error:
            tell(f"plugin '{plugin.name}' cannot be loaded: {plugin.error}")
    language = Language.COMPLETION if completion else Language.CONDITION
    try:
        checked = _checked(expression, language, registry.functions)
    except ExpressionError as error:
        click.echo("\n".join(problem.render() for problem in error.problems), err=True)
        ctx.exit(ExitCode.PROBLEMS)
    reader = Subjects(registry, tell)
    given = (each for each in reader.read(subjects) if each.series.images)
    if completion:
        series = list(given)
        if series:
            program = compile_completion(expression)
            outcome = program.evaluate([_description(each) for each in series])
            text = print_tree(program.tree)
            _show_study(series, text, outcome.value, outcome.because, as_json)
    else:
        _show_all(compile_condition(checked), given, as_json)
    if reader.failed:
        ctx.exit(ExitCode.PROBLEMS)


def _checked(text: str, language: Language, functions: Functions) -> Checked:
    """The expression, checked; its warnings are shown. Raises `ExpressionError`."""
    from mroute.expr import check, parse

    checked = check(parse(text, language), functions)
    if checked.errors:
        raise ExpressionError(checked.problems)
    for problem in checked.problems:
        click.echo(problem.render(), err=True)
    return checked


def _show_all(program: Program, given: Iterable[Given], as_json: bool) -> None:
    screen = Screen.of_stdout()
    for each in given:
        value, clauses = program.value(each.series.tags), program.clauses(each.series.tags)
        if as_json:
            described = [_described(clause) for clause in clauses]
            click.echo(json.dumps({"subject": each.name, "value": value, "clauses": described}))
        else:
            _show(screen, each, value, clauses)


def _described(clause: Clause) -> dict[str, Any]:
    return {
        "clause": clause.text,
        "value": clause.value,
        "seen": dict(clause.seen),
        "because": clause.sentence,
    }


def _show(screen: Screen, given: Given, value: bool | None, clauses: Sequence[Clause]) -> None:
    note = screen.text(f"  ({given.note})", dim=True) if given.note else ""
    screen.line(f"{screen.text(given.name, bold=True)}: {screen.word(value)}{note}")
    texts = [screen.text(clause.text) for clause in clauses]
    width = max((len(text) for text in texts if len(text) <= _WIDEST), default=0)
    for clause, text in zip(clauses, texts, strict=True):
        seen = screen.text(_seen(clause))
        screen.line(f"  {screen.mark(clause.value)} {text.ljust(width)}  {seen}")


def _seen(clause: Clause) -> str:
    """What the clause saw, and why it is unknown where that does not say it."""
    missing = any(value is None for _, value in clause.seen)
    if clause.value is not None or (missing and clause.reason.endswith("is missing")):
        return clause.sight
    return "; ".join(part for part in (clause.sight, clause.reason) if part)


def _description(given: Given) -> str:
    return given.series.tags.get("SeriesDescription", "")


def _show_study(
    series: Sequence[Given], text: str, value: bool | None, because: str, as_json: bool
) -> None:
    """The one answer for all series; a program finds the descriptions where tags are else."""
    names = [each.name for each in series]
    if as_json:
        seen = {each.name: _description(each) for each in series}
        clause = {"clause": text, "value": value, "seen": seen, "because": because}
        click.echo(json.dumps({"subject": names, "value": value, "clauses": [clause]}))
        return
    screen = Screen.of_stdout()
    count = f"{len(names)} series"
    screen.line(f"{screen.text(count, bold=True)}: {screen.word(value)}  {screen.text(because)}")
