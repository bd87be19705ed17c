"""``mroute spool``: what waits in the spool and why, and what to do about it.

Knows how a spool is found, with a rule file or without, and which command is in which module. Does
not know what any of them does.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mroute.config import Outline
    from mroute.registry import Registry
    from mroute.spool.layout import Spool
    from mroute.spool.upkeep.item import Item

_COMMANDS = {
    "complete": "mroute.cli.spool_settle:complete",
    "discard": "mroute.cli.spool_settle:discard",
    "halt": "mroute.cli.spool_halt:halt",
    "ls": "mroute.cli.spool_ls:command",
    "resume": "mroute.cli.spool_halt:resume",
    "retry": "mroute.cli.spool_settle:retry",
    "shape": "mroute.cli.spool_shape:command",
    "show": "mroute.cli.spool_show:command",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A spool with what is known of it; ``file`` is the rule file, where one was named."""

    spool: Spool
    outline: Outline
    registry: Registry
    file: Path | None

    @property
    def sections(self) -> dict[str, str]:
        """Each queue with its section of the task file."""
        return {name: queue.section for name, queue in self.registry.queues.items()}

    def items(self, finished: bool = False) -> list[Item]:
        """What is in the spool now, the oldest first."""
        from mroute.site import utc_now
        from mroute.spool.upkeep.listing import Look

        timing = self.outline.timing
        return Look(
            self.spool,
            utc_now(),
            self.sections,
            timing.series_complete_after,
            timing.series_complete_after_by_sender,
            timing.retry_max if self.file else None,
        ).items(finished)


def on_a_spool(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``file`` and ``folder`` that name a spool."""
    path = click.Path(path_type=Path, readable=False)
    named = click.option("-c", "--config", "file", type=path, help="The rule file.")
    folder = click.option(
        "--spool", "folder", type=path, help="The spool itself; needs no rule file."
    )
    return named(folder(command))


def open_spool(file: Path | None, folder: Path | None) -> Opened:
    """The spool that the options name; rules may be broken, and are not looked at.

    Raises `ConfigurationError` where the rule file cannot be read at all, and `SpoolError` where
    there is no spool.
    """
    from mroute.cli.installed import installed
    from mroute.config import Outline, Timing, outline
    from mroute.errors import ConfigurationError, SpoolError, describe
    from mroute.spool.layout import Spool

    if file is None and folder is None:
        raise click.UsageError("name the rule file with --config, or the spool with --spool")
    try:
        found = outline(file) if file else Outline(Path(), Timing())
    except ConfigurationError:
        if folder is None:
            raise
        file, found = None, Outline(Path(), Timing())
    spool = Spool((folder or found.spool).absolute())
    try:
        names = {path.name for path in spool.root.iterdir()}
    except OSError as error:
        raise SpoolError(
            f"there is no spool that can be read: {describe(error)}; 'mroute run' makes it, "
            "or name it with --spool"
        ) from error
    if not {"incoming", ".staging"} & names:
        raise SpoolError(f"'{spool.root}' is no spool: there is no 'incoming' in it")
    return Opened(spool, found, installed().registry, file)


class _Commands(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, sorted."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group("spool", cls=_Commands)
def command() -> None:
    """See what waits in the spool and why; try it again, or discard it.

    All of this works while 'mroute run' is running, and with rules that are broken.

    \b
    Examples:
      mroute spool ls -c site/mroute.yaml
      mroute spool show -c site/mroute.yaml 3f2a
      mroute spool retry -c site/mroute.yaml --all-dead
    """
