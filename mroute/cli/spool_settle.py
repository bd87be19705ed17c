"""``mroute spool retry``, ``discard``, ``complete``: an administrator decides about what waits.

Knows how the things are chosen, asked about and reported. Does not know how either is done.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mroute.cli.spool import on_a_spool, open_spool
from mroute.errors import ExitCode, MrouteError, RedriveError, describe

if TYPE_CHECKING:
    from mroute.spool.upkeep.item import Item

_NAMED = 5
"""Things that an ambiguous id is told to stand for."""


@click.command("retry")
@click.argument("ids", nargs=-1, metavar="ID...")
@on_a_spool
@click.option("--all-dead", is_flag=True, help="All dead letters.")
@click.option("--target", help="With --all-dead: only what is still to be sent to this target.")
def retry(
    ids: tuple[str, ...],
    file: Path | None,
    folder: Path | None,
    all_dead: bool,
    target: str | None,
) -> None:
    """Try again now: a task that rests, or a dead letter where it failed.

    A dead letter of a queue goes back to it, one of routing is routed anew, a notification goes
    back to the outbox. Exits 1 where one could not be.

    \b
    Examples:
      mroute spool retry -c site/mroute.yaml 3f2a 91bc
      mroute spool retry -c site/mroute.yaml --all-dead --target pacs
    """
    if bool(ids) == all_dead:
        wanted = "name what is to be tried again, or say --all-dead"
        raise click.UsageError(f"{wanted}, not both" if ids else wanted)
    if target is not None and not all_dead:
        raise click.UsageError("--target chooses among dead letters; say --all-dead as well")

    from mroute.cli.installed import installed
    from mroute.image_tags import read_image
    from mroute.site import utc_now
    from mroute.spool.files import Files
    from mroute.spool.upkeep.redrive import Redrive

    opened = open_spool(file, folder)
    redrive = Redrive(
        opened.spool,
        Files(opened.outline.durability),
        opened.sections,
        read_image(installed().registry),
        utc_now,
    )
    items = opened.items()
    if all_dead:
        dead = [
            item
            for item in items
            if item.queue == "error" and (target is None or target in item.targets)
        ]
        _each(dead, (), redrive.retry)
    else:
        _each(*_chosen(items, ids), redrive.retry)


@click.command("discard")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@on_a_spool
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(ids: tuple[str, ...], file: Path | None, folder: Path | None, yes: bool) -> None:
    """Move what waits, or is dead, to discard/; nothing is deleted.

    Asks first; without a terminal it needs --yes. Exits 1 where one could not be.

    \b
    Example:
      mroute spool discard -c site/mroute.yaml 3f2a
    """
    from mroute.cli.installed import installed
    from mroute.image_tags import read_image
    from mroute.site import utc_now
    from mroute.spool.files import Files
    from mroute.spool.upkeep.discarding import Discarding

    opened = open_spool(file, folder)
    registry = installed().registry
    discarding = Discarding(
        opened.spool,
        Files(opened.outline.durability),
        opened.sections,
        read_image(registry),
        utc_now,
        file or opened.spool.root,
        registry.origins(),
    )
    found, missing = _chosen(opened.items(), ids)
    if found and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked here; say --yes to discard without asking")
        for item in found:
            _say(f"{item.state} {item.queue}/{item.id}, {item.images} images: {item.because}")
        click.confirm(f"Discard {len(found)} of these?", abort=True)
    _each(found, missing, discarding.discard)


@click.command("complete")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@on_a_spool
def complete(ids: tuple[str, ...], file: Path | None, folder: Path | None) -> None:
    """Let collecting studies go on as they are, whatever their condition waits for.

    The router takes them when it looks next; their journal says who wanted that. Exits 1 where one
    could not be.

    \b
    Example:
      mroute spool complete -c site/mroute.yaml 1.2.840.1
    """
    from mroute.site import utc_now
    from mroute.spool.amending import force_study
    from mroute.spool.files import Files
    from mroute.spool.upkeep.item import State
    from mroute.spool.upkeep.redrive import ADMINISTRATOR

    opened = open_spool(file, folder)
    files = Files(opened.outline.durability)

    def force(item: Item) -> str:
        if item.state is not State.COLLECTING:
            raise RedriveError(
                f"'{item.id}' is {item.state} in '{item.queue}'; only a collecting study can be "
                "completed"
            )
        if force_study(opened.spool, files, item.id, utc_now(), ADMINISTRATOR):
            return f"'{item.id}' goes on as it is when the router looks next"
        return f"'{item.id}' was completed before, and goes on when the router looks next"

    _each(*_chosen(opened.items(), ids), force)


def find(items: Iterable[Item], id_: str) -> Item:
    """The item of that id, or the only one whose id begins so.

    Raises `RedriveError` where there is none, or several.
    """
    found = [item for item in items if item.id.startswith(id_)]
    exact = [item for item in found if item.id == id_]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise RedriveError(f"nothing in the spool has the id '{id_}'; see 'mroute spool ls'")
    named = ", ".join(f"'{item.id}' in '{item.queue}'" for item in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    raise RedriveError(f"'{id_}' is the beginning of {named}{more}; say more of it")


def _chosen(items: Sequence[Item], ids: Iterable[str]) -> tuple[list[Item], list[str]]:
    """The items that are meant, once each, and what is wrong with other ids."""
    found: dict[str, Item] = {}
    wrong = []
    for id_ in ids:
        try:
            item = find(items, id_)
        except RedriveError as error:
            wrong.append(str(error))
        else:
            found[item.id] = item
    return list(found.values()), wrong


def _each(items: Iterable[Item], wrong: Iterable[str], settle: Callable[[Item], str]) -> None:
    """Settle each, whatever becomes of the others; exits 1 where one could not be."""
    from mroute.cli.screen import tell

    failed = False
    for complaint in wrong:
        tell(complaint)
        failed = True
    for item in items:
        try:
            _say(settle(item))
        except (MrouteError, OSError) as error:
            tell(describe(error))
            failed = True
    if failed:
        sys.exit(ExitCode.PROBLEMS)


def _say(sentence: str) -> None:
    from mroute.cli.screen import Screen

    screen = Screen.of_stdout()
    screen.line(screen.text(sentence))
