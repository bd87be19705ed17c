"""Plugins are found, loaded, chosen by the environment, and blamed by their names.

Knows entry points and small plugins made here. Does not know the default plugins.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mroute.api import ActionType, Phase, QueueType, RuleBase, hookimpl
from mroute.errors import DuplicateContributionError, PluginError
from mroute.events import Event, TroubleNoticed
from mroute.plugins import load_plugins
from mroute.registry import Registry
from mroute.testing import hooks_of

SOURCE = {
    "good": """
from mroute.api import ActionType, Phase, RuleBase, hookimpl
@hookimpl
def mroute_actions():
    yield ActionType("good", Phase.DISPATCH, RuleBase)
""",
    "raises": "raise RuntimeError('no licence')",
    "exits": "raise SystemExit(1)",
    "syntax": "def",
    "typo": """
from mroute.api import hookimpl
@hookimpl
def mroute_acitons():
    return []
""",
    "wrong_argument": """
from mroute.api import hookimpl
@hookimpl
def mroute_event(evnt):
    pass
""",
}


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, source in SOURCE.items():
        (tmp_path / f"planted_{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in SOURCE:
        sys.modules.pop(f"planted_{name}", None)


def entry(name: str) -> EntryPoint:
    return EntryPoint(name, f"planted_{name}", "mroute")


def load(*names: str, **environ: str) -> dict[str, str]:
    _, plugins = load_plugins([entry(name) for name in names], environ)
    return {plugin.name: plugin.error for plugin in plugins}


def test_a_broken_plugin_is_listed_with_its_error_and_stops_no_other() -> None:
    errors = load(*SOURCE)
    assert errors.pop("good") == ""
    assert errors["raises"] == "RuntimeError: no licence"
    assert errors["exits"] == "SystemExit: 1"
    assert errors["syntax"].startswith("SyntaxError")
    assert "unknown hook 'mroute_acitons'" in errors["typo"]
    assert "evnt" in errors["wrong_argument"]


def test_a_missing_module_is_told() -> None:
    _, (plugin,) = load_plugins([EntryPoint("gone", "planted_gone", "mroute")], {})
    assert plugin.error == "ModuleNotFoundError: No module named 'planted_gone'"


def test_the_environment_chooses_plugins() -> None:
    assert list(load("good", "raises", MROUTE_DISABLE_PLUGINS="raises, other")) == ["good"]
    assert list(load("good", "raises", MROUTE_LOAD_PLUGINS="good")) == ["good"]
    assert load("good", "raises", MROUTE_LOAD_PLUGINS="") == {}


class Contributor:
    """A plugin that contributes what it is given."""

    def __init__(self, *items: object) -> None:
        self.items = items

    @hookimpl
    def mroute_actions(self) -> Iterator[object]:
        yield from self.items


def action(name: str) -> ActionType:
    return ActionType(name, Phase.DISPATCH, RuleBase)


def test_two_plugins_with_one_name_are_both_named() -> None:
    registry = Registry.collect(
        hooks_of(first=Contributor(action("route")), second=Contributor(action("route")))
    )
    with pytest.raises(DuplicateContributionError) as caught:
        registry.raise_conflicts()
    assert "plugin 'second'" in str(caught.value)
    assert "which plugin 'first' contributes already" in str(caught.value)


def test_a_plugin_that_fails_late_is_named_and_starves_no_other() -> None:
    class Late:
        @hookimpl
        def mroute_actions(self) -> Iterator[ActionType]:
            yield action("early")
            raise ValueError("late")

    registry = Registry.collect(hooks_of(a=Late(), b=Contributor(action("kept"))))
    assert set(registry.actions) == {"kept"}
    (error,) = registry.errors
    assert str(error) == "plugin 'a': hook 'mroute_actions' raised ValueError: late"


def test_what_is_no_descriptor_is_refused() -> None:
    registry = Registry.collect(hooks_of(a=Contributor("route", action("kept"))))
    assert set(registry.actions) == {"kept"}
    assert "returned 'route', expected a ActionType" in str(registry.errors[0])


def test_a_queue_must_not_have_the_name_of_a_folder_of_the_spool() -> None:
    class Queue:
        @hookimpl
        def mroute_queues(self) -> list[QueueType]:
            return [QueueType("incoming", lambda task, context: None, "x")]  # type: ignore[arg-type,return-value]

    registry = Registry.collect(hooks_of(a=Queue()))
    assert registry.queues == {}
    assert "contributes the queue 'incoming', which plugin 'mroute itself'" in str(
        registry.errors[0]
    )


def test_an_observer_that_raises_is_counted_and_starves_no_other() -> None:
    seen: list[str] = []

    class Broken:
        @hookimpl
        def mroute_event(self, event: Event) -> None:
            raise ValueError("no")

    class Good:
        @hookimpl
        def mroute_event(self, event: Event) -> None:
            seen.append(event.name)

    told: list[PluginError] = []
    hooks = hooks_of(broken=Broken(), good=Good())
    hooks.on_observer_error = told.append
    hooks.event(TroubleNoticed("here", "that"))
    hooks.event(TroubleNoticed("here", "that"))
    assert seen == ["trouble_noticed"] * 2
    assert hooks.failures == {"broken": 2}
    assert [error.plugin for error in told] == ["broken", "broken"]
