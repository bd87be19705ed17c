from __future__ import annotations

from collections.abc import Iterator

import click
from click.testing import CliRunner

import mroute_dicom
from mroute.errors import PluginError
from mroute.hooks import Hooks
from mroute.testing import hooks_of
from tests.hooks.fakes import plugin, raising

HOOK = "mroute_commands"


@click.command("hello")
def hello() -> None:
    click.echo("hello")


def add_hello(cli: click.Group) -> None:
    cli.add_command(hello)


def commands_of(hooks: Hooks) -> tuple[click.Group, list[str]]:
    """A group with the commands of plugins, and what was said about broken ones."""
    cli, errors = click.Group("mroute"), list[PluginError]()
    hooks.commands(cli, errors.append)
    return cli, [str(error) for error in errors]


def test_the_default_command() -> None:
    cli, errors = commands_of(hooks_of(mroute_dicom))
    assert (sorted(cli.commands), errors) == (["tags"], [])


def test_a_plugin_adds_one() -> None:
    cli, _ = commands_of(hooks_of(mroute_dicom, plugin(HOOK, add_hello)))
    assert sorted(cli.commands) == ["hello", "tags"]
    assert CliRunner().invoke(cli, ["hello"]).output == "hello\n"


def test_a_plugin_that_raises_is_named_and_keeps_no_other_from_its_commands() -> None:
    cli, errors = commands_of(hooks_of(mroute_dicom, broken=raising(HOOK)))
    assert sorted(cli.commands) == ["tags"]
    assert errors == ["plugin 'broken': hook 'mroute_commands' raised RuntimeError: broken"]


def test_a_generator_that_raises_late_is_run_to_its_error() -> None:
    def late(cli: click.Group) -> Iterator[None]:
        cli.add_command(hello)
        yield
        raise RuntimeError("broken")

    cli, errors = commands_of(hooks_of(mroute_dicom, broken=plugin(HOOK, late)))
    assert sorted(cli.commands) == ["hello", "tags"]
    assert errors == ["plugin 'broken': hook 'mroute_commands' raised RuntimeError: broken"]
