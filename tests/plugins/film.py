"""A plugin that prints images on film, as small as it can be: docs/how-to/test-a-plugin.md.

Knows what a print rule says and how a task is printed. Does not know any printer but a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydicom import dcmread

from mroute.api import (
    ActionType,
    Done,
    FilePath,
    Model,
    Phase,
    QueueType,
    Retry,
    RuleBase,
    Settlement,
    Task,
    TaskPlan,
    TriggeredRule,
    WorkContext,
    hookimpl,
)


class PrintRule(RuleBase):
    """Print the images."""

    action: Literal["print"]
    copies: int = 1


class FilmSettings(Model):
    """Where films are printed."""

    printer: FilePath


def print_images(task: Task, context: WorkContext) -> Settlement:
    """Print every copy that is not printed yet; a printer that is not there is waited for."""
    settings = context.settings["film"]
    assert isinstance(settings, FilmSettings)
    section: Any = task.content["print"]
    page = " ".join(str(dcmread(image).PatientName) for image in task.images())
    for number in range(section["printed"], section["copies"]):
        try:
            with settings.printer.open("a") as printer:
                printer.write(f"{page}\n")
        except OSError as error:
            return Retry(f"the printer does not answer: {error.strerror}")
        context.save("print", {**section, "printed": number + 1})
    return Done(f"{section['copies']} printed")


@hookimpl
def mroute_actions() -> list[ActionType]:
    """The action, whose rules the hook ``mroute_dispatch`` claims."""
    return [ActionType("print", Phase.DISPATCH, PrintRule)]


@hookimpl
def mroute_queues() -> list[QueueType]:
    """The queue in which tasks wait to be printed."""
    return [QueueType("printer", print_images, section="print")]


@hookimpl
def mroute_settings() -> type[FilmSettings]:
    """The section ``film`` of the settings."""
    return FilmSettings


@hookimpl
def mroute_dispatch(rules: Sequence[TriggeredRule]) -> Iterator[TaskPlan]:
    """Plan a task for each print rule."""
    for triggered in rules:
        if isinstance(triggered.rule, PrintRule):
            yield TaskPlan(
                queue="printer",
                rules=(triggered.name,),
                action="print",
                applied_rule=triggered.name,
                sections={"print": {"copies": triggered.rule.copies, "printed": 0}},
            )
