"""``mroute targets``: the targets of a rule file, how they are, and what is wrong with them.

Knows how they are shown to a person and to a program. Does not know how a target is checked: its
type does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mroute.errors import ExitCode

if TYPE_CHECKING:
    from mroute.models import TargetBase
    from mroute.site import Site

_PATH = click.Path(path_type=Path, readable=False)


@click.group("targets")
def command() -> None:
    """See the targets of a rule file, and find out whether images would get there.

    \b
    Examples:
      mroute targets list -c site/mroute.yaml
      mroute targets check -c site/mroute.yaml pacs
    """


@command.command("list")
@click.option("-c", "--config", "file", required=True, type=_PATH, help="The rule file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def list_targets(file: Path, as_json: bool) -> None:
    """List the targets: type, state, and how many tasks wait for each.

    \b
    Example:
      mroute targets list -c site/mroute.yaml
    """
    from mroute.cli.screen import Screen

    site = _site(file)
    waiting = _waiting(site)
    rows = [
        {
            "name": name,
            "type": target.type,
            **_state(site, name, target),
            "waiting": len({image.parent for image in waiting.get(name, ())}),
        }
        for name, target in site.configuration.targets.items()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    screen = Screen.of_stdout()
    for row in rows:
        because = f": {row['because']}" if row["because"] else ""
        waits = f"{row['waiting']} tasks wait"
        text = f"{row['name']}  {row['type']}  {row['state']}{because}  {waits}"
        screen.line(screen.text(text))


@command.command("check")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("-c", "--config", "file", required=True, type=_PATH, help="The rule file.")
@click.option(
    "--files",
    "given",
    multiple=True,
    metavar="PATH",
    type=_PATH,
    help="An image, or a folder of them, that the targets are to take; may be given again. Without "
    "it, the images that wait for each target.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def check(names: tuple[str, ...], file: Path, given: tuple[Path, ...], as_json: bool) -> None:
    """Find out whether images would get to targets, without sending one.

    A DICOM target is connected to and asked by C-ECHO, and whether it takes the SOP classes and
    transfer syntaxes of what waits for it; its certificates are looked at. Exits 1 where something
    is wrong.

    \b
    Examples:
      mroute targets check -c site/mroute.yaml
      mroute targets check -c site/mroute.yaml pacs --files image.dcm
    """
    from mroute.cli.screen import Screen
    from mroute.doctor.targets import check_targets, target_checks

    site = _site(file)
    targets = site.configuration.targets
    for name in names:
        if name not in targets:
            raise click.UsageError(f"there is no target '{name}'; there is {_listed(targets)}")
    waiting = {} if given else _waiting(site)
    files = list(_images(given))
    asked = {name: targets[name] for name in names or targets}
    checks = target_checks(site.registry, asked, lambda name: files or waiting.get(name, ()))
    found = check_targets(checks)
    if as_json:
        rows = [{"name": name, "complaints": complaints} for name, complaints in found.items()]
        click.echo(json.dumps(rows, indent=2))
    else:
        screen = Screen.of_stdout()
        for name, complaints in found.items():
            for complaint in complaints or ["fine"]:
                screen.line(screen.text(f"{name}: {complaint}"))
    if any(found.values()):
        sys.exit(ExitCode.PROBLEMS)


def _site(file: Path) -> Site:
    from mroute import config
    from mroute.cli.installed import installed
    from mroute.site import Site
    from mroute.spool.layout import Spool

    plugins = installed()
    plugins.registry.raise_conflicts()
    configuration = config.load(file, plugins.registry)
    return Site(Spool(configuration.spool), plugins.hooks, plugins.registry, configuration)


def _state(site: Site, name: str, target: TargetBase) -> dict[str, str]:
    from mroute.spool.targets import Targets, is_target_halted

    if is_target_halted(site.spool, name):
        return {"state": "halted", "because": "an administrator wants it"}
    health = Targets(site.spool, site.files).health(name, target)
    if health.down_since is None:
        return {"state": "up", "because": ""}
    since = health.down_since.isoformat(timespec="seconds")
    return {"state": "down", "because": f"since {since}: {health.because}"}


def _waiting(site: Site) -> dict[str, list[Path]]:
    """The images that wait for each target."""
    from mroute.settlement import Task
    from mroute.spool.upkeep.item import State
    from mroute.spool.upkeep.listing import Look

    sections = {name: queue.section for name, queue in site.registry.queues.items()}
    found: dict[str, list[Path]] = {}
    for item in Look(site.spool, site.clock(), sections).items():
        if item.queue in sections and item.state is not State.DAMAGED:
            images = Task(item.id, item.path, {}).images()
            for name in item.targets:
                found.setdefault(name, []).extend(images)
    return found


def _images(given: Iterable[Path]) -> Iterable[Path]:
    """The files that are given, and those in the folders that are."""
    for path in given:
        if not path.exists():
            raise click.UsageError(f"'{path}' is not there")
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if _is_image(each))
        else:
            yield path


def _is_image(path: Path) -> bool:
    """Whether a file in a folder may be an image: none of mroute's own, and not hidden."""
    others = path.name in ("task.json", "reason.json") or path.suffix == ".tags"
    return path.is_file() and not others and not path.name.startswith(".")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
