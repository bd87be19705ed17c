"""The command line as it is called, with the installed plugins or with made-up ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from mroute.cli import main
from mroute.cli.installed import Installed, installed
from mroute.errors import PluginError
from mroute.plugins import LoadedPlugin

Mroute = Callable[..., Result]


@pytest.fixture
def mroute() -> Mroute:
    """Call a command: ``mroute("init", folder)``; ``stdin`` is what it is given to read."""

    def call(*arguments: object, stdin: str | bytes = "") -> Result:
        return CliRunner().invoke(main, [str(each) for each in arguments], input=stdin)

    return call


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that plugins are broken or quarrel."""

    def install(
        *, errors: tuple[PluginError, ...] = (), plugins: tuple[LoadedPlugin, ...] = ()
    ) -> None:
        real = installed()
        registry = replace(real.registry, errors=errors, plugins=real.registry.plugins + plugins)
        pretended = Installed(real.hooks, registry)
        monkeypatch.setattr("mroute.cli.installed.installed", lambda: pretended)

    return install
