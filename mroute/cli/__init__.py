"""The command line: one module a command group, imported when it is called.

Knows the names of the commands and how an error reaches the person at the keyboard. Does not know
what any command does.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

import click

from mroute.errors import ExitCode, MrouteError, describe

# Starting makes many objects that stay: looking for garbage among them takes an eighth of the time.
gc.set_threshold(100_000)

COMMANDS = {
    "demo": "mroute.cli.demo",
    "doctor": "mroute.cli.doctor",
    "explain": "mroute.cli.explain",
    "import-mercure": "mroute.cli.import_mercure",
    "fmt": "mroute.cli.fmt",
    "init": "mroute.cli.init",
    "plugins": "mroute.cli.plugins",
    "run": "mroute.cli.run",
    "schema": "mroute.cli.schema",
    "spool": "mroute.cli.spool",
    "targets": "mroute.cli.targets",
    "try": "mroute.cli.trial",
    "validate-rules": "mroute.cli.validate",
}
"""Each command to its module, in which it is called ``command``."""


class LazyGroup(click.Group):
    """A group that imports a command when it is needed, and plugins when it is not its own.

    An `MrouteError` becomes its message on standard error and its exit code; so does an error of
    the operating system, with the exit code 1.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Own commands and those of plugins, sorted."""
        self._add_plugin_commands()
        return sorted({*COMMANDS, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name in COMMANDS:
            command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
            return command
        self._add_plugin_commands()
        return self.commands.get(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors of mroute are told, not shown as a traceback."""
        try:
            return super().invoke(ctx)
        except MrouteError as error:
            click.echo(f"mroute: {error}", err=True)
            sys.exit(error.exit_code)
        except BrokenPipeError:  # whoever read the output has seen enough: click knows what to do
            raise
        except OSError as error:
            click.echo(f"mroute: {describe(error)}", err=True)
            sys.exit(ExitCode.PROBLEMS)

    def _add_plugin_commands(self) -> None:
        from mroute.cli.installed import installed

        def refuse(error: MrouteError) -> None:
            click.echo(f"mroute: {error}", err=True)

        installed().hooks.commands(self, refuse)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="mroute", prog_name="mroute")
def main() -> None:
    """Route DICOM series by rules: where they go, what is run on them, who is told.

    \b
    Examples:
      mroute demo                          see it work, on real images
      mroute init site                     start a site of your own
      mroute validate-rules site/mroute.yaml
      mroute explain -c site/mroute.yaml image.dcm
      mroute run -c site/mroute.yaml
    """
