"""``mroute plugins``: which plugins are installed, what they contribute, and which are broken.

Knows how a plugin is shown to a person and to a program. Does not know any plugin.
"""

from __future__ import annotations

import json
from typing import Any

import click

from mroute.cli.installed import Installed, installed
from mroute.errors import ExitCode
from mroute.plugins import LoadedPlugin


def describe(plugin: LoadedPlugin, plugins: Installed) -> dict[str, Any]:
    """A plugin as a program reads it (blueprint section 9)."""
    errors = [str(error) for error in plugins.registry.errors if error.plugin == plugin.name]
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "hooks": [] if plugin.error else list(plugins.hooks.implemented_by(plugin.name)),
        "contributions": [
            {"kind": kind, "name": name}
            for kind, name in plugins.registry.contributions_of(plugin.name)
        ],
        "error": plugin.error or "; ".join(errors) or None,
    }


@click.group("plugins")
def command() -> None:
    """Show the installed plugins.

    \b
    Examples:
      mroute plugins list
      mroute plugins show dispatch --json
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def list_plugins(as_json: bool) -> None:
    """List the plugins with what they contribute; a broken one with its error.

    \b
    Examples:
      mroute plugins list
      mroute plugins list --json
    """
    plugins = installed()
    described = [describe(plugin, plugins) for plugin in plugins.hooks.plugins]
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    for plugin in described:
        click.echo(f"{plugin['name']} ({plugin['distribution']} {plugin['version']})")
        if plugin["contributions"]:
            click.echo(f"  {_summary(plugin['contributions'])}")
        if plugin["error"]:
            click.echo(click.style(f"  error: {plugin['error']}", fg="red"))


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.pass_context
def show_plugin(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show one plugin; exits 3 where it cannot be loaded.

    \b
    Example:
      mroute plugins show dispatch
    """
    plugins = installed()
    for plugin in plugins.hooks.plugins:
        if plugin.name == name:
            break
    else:
        known = ", ".join(f"'{plugin.name}'" for plugin in plugins.hooks.plugins)
        raise click.UsageError(f"no plugin '{name}' is installed; there are {known}")
    described = describe(plugin, plugins)
    if as_json:
        click.echo(json.dumps(described, indent=2))
    else:
        click.echo(f"{name} ({plugin.distribution} {plugin.version})")
        for heading in ("hooks", "contributions"):
            if described[heading]:
                click.echo(f"{heading}:")
            for each in described[heading]:
                text = each if heading == "hooks" else f"{each['kind']} '{each['name']}'"
                click.echo(f"  {text}")
        if described["error"]:
            click.echo(click.style(f"error: {described['error']}", fg="red"))
    if described["error"]:
        ctx.exit(ExitCode.CONFIGURATION)


def _summary(contributions: list[dict[str, str]]) -> str:
    return ", ".join(f"{each['kind']} '{each['name']}'" for each in contributions)
