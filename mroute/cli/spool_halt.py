"""``mroute spool halt`` and ``resume``: nothing more is begun in a queue, or sent to a target.

Knows what the two are called. Does not know who looks at the files that say so.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import click

from mroute.cli.spool import Opened, on_a_spool, open_spool

QUEUE, TARGET = "queue", "target"


@click.command("halt")
@click.argument("name", metavar="[QUEUE|TARGET]", required=False)
@on_a_spool
def halt(name: str | None, file: Path | None, folder: Path | None) -> None:
    """Begin no further task in a queue, or send nothing more to a target; all queues unless named.

    What is in hand is finished. It stays so until 'resume', also when mroute is started again. A
    name that a queue and a target have is written queue:NAME or target:NAME.

    \b
    Examples:
      mroute spool halt -c site/mroute.yaml
      mroute spool halt -c site/mroute.yaml pacs
    """
    _each(name, file, folder, _halt)


@click.command("resume")
@click.argument("name", metavar="[QUEUE|TARGET]", required=False)
@on_a_spool
def resume(name: str | None, file: Path | None, folder: Path | None) -> None:
    """Go on in a queue or with a target that was halted; with all queues and targets unless named.

    \b
    Examples:
      mroute spool resume -c site/mroute.yaml
      mroute spool resume -c site/mroute.yaml pacs
    """
    _each(name, file, folder, _resume)


def _halt(marker: Path, what: str) -> str:
    if marker.exists():
        return f"{what} is halted already"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    return f"{what} is halted; what is in hand is finished"


def _resume(marker: Path, what: str) -> str:
    if not marker.exists():
        return f"{what} was not halted"
    marker.unlink(missing_ok=True)
    return f"{what} goes on"


def _each(
    name: str | None, file: Path | None, folder: Path | None, settle: Callable[[Path, str], str]
) -> None:
    from mroute.cli.screen import Screen

    opened = open_spool(file, folder)
    screen = Screen.of_stdout()
    for kind, each in _meant(opened, name, resuming=settle is _resume):
        screen.line(screen.text(settle(_marker(opened, kind, each), f"{kind} '{each}'")))


def _marker(opened: Opened, kind: str, name: str) -> Path:
    from mroute.spool.layout import HALT_FILE, HALTED_SUFFIX

    if kind == QUEUE:
        return opened.spool.queue(name) / HALT_FILE
    return opened.spool.target_file(name, HALTED_SUFFIX)


def _meant(opened: Opened, name: str | None, *, resuming: bool) -> list[tuple[str, str]]:
    """The queues and targets that a name stands for."""
    queues, targets = list(opened.sections), list(_targets(opened))
    if name is None:
        halted = [
            (TARGET, each)
            for each in targets
            if resuming and _marker(opened, TARGET, each).exists()
        ]
        return [*((QUEUE, each) for each in queues), *halted]
    kind, _, rest = name.partition(":")
    known = [(QUEUE, each) for each in queues] + [(TARGET, each) for each in targets]
    if (kind, rest) in known:
        return [(kind, rest)]
    found = [(kind, each) for kind, each in known if each == name]
    if len(found) == 1:
        return found
    if found:
        raise click.UsageError(
            f"'{name}' is a queue and a target; say 'queue:{name}' or 'target:{name}'"
        )
    close = get_close_matches(name, [each for _, each in known], 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise click.UsageError(f"there is no queue and no target '{name}'{hint}")


def _targets(opened: Opened) -> set[str]:
    """The targets that are known: those of the rule file, of tasks that wait, and halted ones."""
    from urllib.parse import unquote

    from mroute.spool.layout import HALTED_SUFFIX

    halted = {
        unquote(path.name.removesuffix(HALTED_SUFFIX))
        for path in opened.spool.targets.glob(f"*{HALTED_SUFFIX}")
    }
    waited_for = {name for item in opened.items() for name in item.targets}
    return {*opened.outline.targets, *halted, *waited_for}
