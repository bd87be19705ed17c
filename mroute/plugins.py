"""Finds and loads plugins through the entry points of the group ``mroute``.

Knows which plugins exist, where each comes from and why one could not be loaded. Does not know
what plugins contribute (registry) or how their hooks are called (hooks).

Environment variables, for plugin authors:

- ``MROUTE_DISABLE_PLUGINS``: names of plugins that are not loaded, separated by commas.
- ``MROUTE_LOAD_PLUGINS``: the only plugins that are loaded; empty for none at all.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from mroute import hookspecs
from mroute.errors import PluginError, RejectedError

GROUP = "mroute"


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """One plugin: the distribution it came with, and its error where it could not be loaded."""

    name: str
    distribution: str
    version: str
    error: str = ""


def load_plugins(
    entry_points: Iterable[EntryPoint] | None = None, environ: Mapping[str, str] | None = None
) -> tuple[pluggy.PluginManager, tuple[LoadedPlugin, ...]]:
    """Load every plugin into a new plugin manager, in the order of their names.

    ``entry_points`` are those of the installed distributions unless given; ``environ`` is the
    environment of the process unless given. A plugin that cannot be loaded is listed with its
    error and stops nothing else.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    found = importlib.metadata.entry_points(group=GROUP) if entry_points is None else entry_points
    environ = os.environ if environ is None else environ
    plugins = tuple(
        _load(manager, entry_point)
        for entry_point in sorted(found, key=lambda each: each.name)
        if _wanted(entry_point.name, environ)
    )
    return manager, plugins


def _wanted(name: str, environ: Mapping[str, str]) -> bool:
    only = environ.get("MROUTE_LOAD_PLUGINS")
    if only is not None and name not in _names(only):
        return False
    return name not in _names(environ.get("MROUTE_DISABLE_PLUGINS", ""))


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _load(manager: pluggy.PluginManager, entry_point: EntryPoint) -> LoadedPlugin:
    distribution = entry_point.dist.name if entry_point.dist else ""
    version = entry_point.dist.version if entry_point.dist else ""
    error = ""
    try:
        manager.register(_attributed(entry_point.name, entry_point.load()), name=entry_point.name)
        manager.check_pending()
    # A plugin is foreign code: whatever it raises on import must not stop the others, and an
    # import may even end in SystemExit.
    except (Exception, SystemExit) as exception:  # noqa: BLE001
        if manager.has_plugin(entry_point.name):
            manager.unregister(name=entry_point.name)
        error = f"{type(exception).__name__}: {exception}"
    return LoadedPlugin(entry_point.name, distribution, version, error)


class _Attributed:
    """Stands for a plugin in the plugin manager, with its hook implementations made accountable."""


def _attributed(name: str, plugin: object) -> _Attributed:
    """Wrap the hook implementations of a plugin so that an error says whose it is.

    The result of an iterable is made a list inside the call: the body of a generator would
    otherwise run, and fail, where nobody knows which plugin it belongs to.
    """
    attributed = _Attributed()
    for attribute in dir(plugin):
        function = getattr(plugin, attribute, None)
        options = getattr(function, f"{GROUP}_impl", None)
        if isinstance(options, dict) and callable(function):
            wraps_others = options["wrapper"] or options["hookwrapper"]
            setattr(
                attributed, attribute, function if wraps_others else _accountable(name, function)
            )
    return attributed


def _accountable(plugin: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = function(*args, **kwargs)
            return list(result) if isinstance(result, Iterator) else result
        except RejectedError:
            raise
        # The edge of a plugin call: any error becomes one that names the plugin and the hook.
        except (Exception, SystemExit) as error:
            raise PluginError(
                plugin, f"hook '{function.__name__}' raised {type(error).__name__}: {error}"
            ) from error

    return call
