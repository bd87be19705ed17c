"""Everything that the plugins contribute, by kind and name.

Knows that a name is contributed once and by whom. Does not know what a contribution is used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol, TypeVar

from pydantic import BaseModel

from mroute.contributions import (
    ActionType,
    ChannelType,
    ConditionType,
    HealthCheck,
    QueueType,
    RunnerType,
    ServiceType,
    TagReader,
    TargetType,
)
from mroute.errors import DuplicateContributionError, PluginError
from mroute.expr import BUILTINS, RuleFunction
from mroute.hooks import Hooks
from mroute.plugins import LoadedPlugin
from mroute.types import Finish


class _Named(Protocol):
    @property
    def name(self) -> str: ...


C = TypeVar("C", bound=_Named)

MEMORY_FILE = ".contributions.json"
"""In a spool: what the plugins contributed when it was last used; see `Registry.origins`."""

RESERVED_QUEUES = frozenset({*Finish, "incoming", "studies", "outbox"})
"""Folders of the spool that are no queue's (blueprint section 7)."""


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """The contributions of all plugins; each mapping is from the name of the contribution.

    A registry is itself only, however alike: what is made of it can be kept by it.

    ``settings`` maps the name of a plugin to the model of its section. ``contributed_by`` maps
    the kind (``action``, ``target type``, ...) and name of a contribution to its plugin, and
    ``plugins`` are those that were looked for, the broken ones among them.
    ``errors`` are those of plugins that raised or contributed something unusable.
    """

    actions: Mapping[str, ActionType]
    target_types: Mapping[str, TargetType]
    channels: Mapping[str, ChannelType]
    conditions: Mapping[str, ConditionType]
    functions: Mapping[str, RuleFunction]
    queues: Mapping[str, QueueType]
    runners: Mapping[str, RunnerType]
    services: Mapping[str, ServiceType]
    tag_readers: Mapping[str, TagReader]
    health_checks: Mapping[str, HealthCheck]
    settings: Mapping[str, type[BaseModel]]
    contributed_by: Mapping[tuple[str, str], str]
    plugins: tuple[LoadedPlugin, ...] = ()
    errors: tuple[PluginError, ...] = ()

    @classmethod
    def collect(cls, hooks: Hooks) -> Registry:
        """Ask every plugin for its contributions; what is wrong is collected in ``errors``."""
        return _Collection(hooks).registry()

    def origins(self) -> dict[str, dict[str, dict[str, str]]]:
        """Kind, then name of every contribution, to ``name`` and ``distribution`` of its plugin.

        This is kept where it outlives the plugin, so that one that is missing can be named.
        """
        found: dict[str, dict[str, dict[str, str]]] = {}
        for (kind, name), plugin in sorted(self.contributed_by.items()):
            found.setdefault(kind, {})[name] = self.origin_of(plugin)
        return found

    def origin_of(self, plugin: str) -> dict[str, str]:
        """``name`` and ``distribution`` of a plugin."""
        found = (each.distribution for each in self.plugins if each.name == plugin)
        return {"name": plugin, "distribution": next(found, "")}

    def raise_conflicts(self) -> None:
        """Raise the first `DuplicateContributionError`: no one knows which of the two is meant."""
        for error in self.errors:
            if isinstance(error, DuplicateContributionError):
                raise error

    def raise_broken(self) -> None:
        """Raise `PluginError` for the first plugin that cannot be loaded.

        It may be one that keeps images from going somewhere.
        """
        for plugin in self.plugins:
            if plugin.error:
                raise PluginError(
                    plugin.name,
                    f"cannot be loaded: {plugin.error}; repair it, or run without it by "
                    f"MROUTE_DISABLE_PLUGINS={plugin.name}",
                )

    def contributions_of(self, plugin: str) -> tuple[tuple[str, str], ...]:
        """Kind and name of everything that a plugin contributes."""
        return tuple(key for key, owner in self.contributed_by.items() if owner == plugin)


@dataclass(slots=True)
class _Collection:
    hooks: Hooks
    contributed_by: dict[tuple[str, str], str] = field(default_factory=dict)
    errors: list[PluginError] = field(default_factory=list)

    def registry(self) -> Registry:
        functions = self._named("mroute_rule_functions", "function", RuleFunction)
        return Registry(
            actions=self._named("mroute_actions", "action", ActionType),
            target_types=self._named("mroute_target_types", "target type", TargetType),
            channels=self._named("mroute_notification_channels", "channel", ChannelType),
            conditions=self._named("mroute_completion_conditions", "condition", ConditionType),
            functions=MappingProxyType({**BUILTINS, **self._attributed(functions)}),
            queues=self._named("mroute_queues", "queue", QueueType),
            runners=self._named("mroute_runners", "runner", RunnerType),
            services=self._named("mroute_services", "service", ServiceType),
            tag_readers=self._named("mroute_tag_readers", "tag reader", TagReader),
            health_checks=self._named("mroute_health_checks", "health check", HealthCheck),
            settings=self._settings(),
            contributed_by=MappingProxyType(self.contributed_by),
            plugins=self.hooks.plugins,
            errors=tuple(self.errors),
        )

    def _named(self, hook: str, kind: str, descriptor: type[C]) -> Mapping[str, C]:
        found: dict[str, C] = {}
        for plugin, item in self.hooks.contributions(hook, descriptor, self.errors.append):
            if self._claim(kind, item.name, plugin):
                found[item.name] = item
        return MappingProxyType(found)

    def _attributed(self, functions: Mapping[str, RuleFunction]) -> dict[str, RuleFunction]:
        """The functions with their plugin, which reasons name when one fails."""
        return {
            name: replace(function, plugin=self.contributed_by["function", name])
            for name, function in functions.items()
        }

    def _claim(self, kind: str, name: str, plugin: str) -> bool:
        other = self.contributed_by.get((kind, name)) or _reserved(kind, name)
        if other is None:
            self.contributed_by[kind, name] = plugin
            return True
        self.errors.append(
            DuplicateContributionError(
                plugin,
                f"contributes the {kind} '{name}', which plugin '{other}' contributes already; "
                "disable one of them with MROUTE_DISABLE_PLUGINS",
            )
        )
        return False

    def _settings(self) -> Mapping[str, type[BaseModel]]:
        found: dict[str, type[BaseModel]] = {}
        for plugin, model in self.hooks.contributions("mroute_settings", type, self.errors.append):
            if issubclass(model, BaseModel):
                found[plugin] = model
                self.contributed_by["settings", plugin] = plugin
            else:
                self.errors.append(
                    PluginError(plugin, f"the settings {model!r} are no subclass of BaseModel")
                )
        return MappingProxyType(found)


def _reserved(kind: str, name: str) -> str | None:
    taken = (kind == "queue" and name in RESERVED_QUEUES) or (
        kind == "function" and name in BUILTINS
    )
    return "mroute itself" if taken else None
