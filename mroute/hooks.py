"""The one typed door to the hooks: nobody else touches pluggy's untyped ``hook``.

Knows how each kind of hook is called: contributions and observers one by one, so that none starves
the others; planning through pluggy, so that wrappers may veto or rewrite. Does not know what is
done with the results.

``MROUTE_TRACE_HOOKS=1`` in the environment writes every hook call to standard error.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click
import pluggy

from mroute.contributions import PlanContext
from mroute.errors import PluginError, RejectedError
from mroute.events import Event
from mroute.plugins import LoadedPlugin, load_plugins
from mroute.types import Delivery, Notice, Series, StudyPlan, Subject, TaskPlan, TriggeredRule

T = TypeVar("T")

_NOTIFICATION = "mroute_notification"


def _ignore(error: PluginError) -> None:
    """Leave an observer's error to the counter."""


class Hooks:
    """Calls the hooks of the plugins in ``manager``.

    ``on_observer_error`` is told when a plugin raises while it observes an event or makes a
    notification; ``failures`` counts these per plugin.
    """

    def __init__(
        self,
        manager: pluggy.PluginManager,
        plugins: Sequence[LoadedPlugin] = (),
        on_observer_error: Callable[[PluginError], None] = _ignore,
    ) -> None:
        self._manager = manager
        self.plugins = tuple(plugins)
        self.on_observer_error = on_observer_error
        self.failures: Counter[str] = Counter()
        self._listeners: list[Callable[[Event], None]] = []

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Hooks:
        """The hooks of all installed plugins; ``environ`` is that of the process unless given."""
        environ = os.environ if environ is None else environ
        hooks = cls(*load_plugins(environ=environ))
        if environ.get("MROUTE_TRACE_HOOKS") == "1":
            hooks._manager.trace.root.setwriter(sys.stderr.write)
            hooks._manager.enable_tracing()
        return hooks

    def implemented_by(self, plugin: str) -> tuple[str, ...]:
        """The names of the hooks that a plugin implements, sorted."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(plugin)) or ()
        return tuple(sorted(caller.name for caller in callers))

    # Contributions

    def contributions(
        self, hook: str, kind: type[T], on_error: Callable[[PluginError], None]
    ) -> Iterator[tuple[str, T]]:
        """Each descriptor that a plugin contributes through ``hook``, with the plugin's name.

        ``on_error`` is told of a plugin that raises or returns something that is no ``kind``.
        """
        for plugin, result in self._one_by_one(hook, on_error):
            for item in result if isinstance(result, (list, tuple)) else [result]:
                if isinstance(item, kind):
                    yield plugin, item
                elif item is not None:
                    on_error(
                        PluginError(
                            plugin,
                            f"hook '{hook}' returned {item!r}, expected a {kind.__name__}",
                        )
                    )

    def commands(self, cli: click.Group, on_error: Callable[[PluginError], None]) -> None:
        """Let every plugin add its commands to ``cli``."""
        for _ in self._one_by_one("mroute_commands", on_error, cli=cli):
            pass

    # Planning

    def study_collection(
        self, series: Series, rules: Sequence[TriggeredRule], context: PlanContext
    ) -> tuple[StudyPlan, ...]:
        """Plans of all plugins for the collecting studies that a series joins."""
        return self._plan(
            "mroute_study_collection", StudyPlan, series=series, rules=rules, context=context
        )

    def dispatch(
        self, subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
    ) -> tuple[TaskPlan, ...]:
        """Plans of all plugins for the rules with the phase *dispatch*."""
        return self._plan(
            "mroute_dispatch", TaskPlan, subject=subject, rules=rules, context=context
        )

    def processing(
        self, subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
    ) -> tuple[TaskPlan, ...]:
        """Plans of all plugins for the rules with the phase *processing*."""
        return self._plan(
            "mroute_processing", TaskPlan, subject=subject, rules=rules, context=context
        )

    def notification(self, notice: Notice, context: PlanContext) -> tuple[Delivery, ...]:
        """Deliveries of all plugins for one notice.

        A plugin that fails here is counted like an observer: a notification that cannot be made
        must hold up neither images nor those of other plugins. Where a wrapper fails there are
        none, for what it would have held back must not be told.
        """
        arguments: dict[str, Any] = {"notice": notice, "context": context}
        try:
            return self._plan(_NOTIFICATION, Delivery, **arguments)
        except (PluginError, RejectedError):
            broken = self._broken(_NOTIFICATION, Delivery, **arguments)
        try:
            return self._plan(_NOTIFICATION, Delivery, broken, **arguments)
        except (PluginError, RejectedError) as error:
            self._observer_failed(_accused(self._wrappers(_NOTIFICATION), _NOTIFICATION, error))
            return ()

    # Observation

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Tell ``listener`` of every event too: this is how the program itself observes."""
        self._listeners.append(listener)

    def event(self, event: Event) -> None:
        """Tell every observer; one that raises is counted and starves no other."""
        for listener in self._listeners:
            listener(event)
        for _ in self._one_by_one("mroute_event", self._observer_failed, event=event):
            pass

    def _observer_failed(self, error: PluginError) -> None:
        self.failures[error.plugin] += 1
        self.on_observer_error(error)

    def _one_by_one(
        self, hook: str, on_error: Callable[[PluginError], None], **arguments: Any
    ) -> Iterator[tuple[str, Any]]:
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                result = implementation.function(
                    *(arguments[name] for name in implementation.argnames)
                )
            except PluginError as error:
                on_error(error)
            else:
                yield implementation.plugin_name, result

    def _broken(self, hook: str, kind: type[object], **arguments: Any) -> list[str]:
        """The plugins that fail by themselves, each of which is counted like an observer."""
        broken = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            if implementation.wrapper or implementation.hookwrapper:
                continue
            name = implementation.plugin_name
            try:
                _refuse_others(
                    name,
                    hook,
                    kind,
                    implementation.function(*(arguments[key] for key in implementation.argnames))
                    or (),
                )
            # The edge of a plugin call: what it returns may be anything too.
            except Exception as error:  # noqa: BLE001
                broken.append(name)
                self._observer_failed(_accused(name, hook, error))
        return broken

    def _plan(
        self, hook: str, kind: type[T], without: Sequence[str] = (), **arguments: Any
    ) -> tuple[T, ...]:
        """Raises `PluginError` for the first plugin that raises or plans something else.

        The plugins ``without`` are not asked.
        """
        left_out = [self._manager.get_plugin(name) for name in without]
        try:
            results = self._manager.subset_hook_caller(hook, left_out)(**arguments)
            plans = [plan for result in results for plan in result or ()]
        except (PluginError, RejectedError):
            raise
        # A wrapper is not accountable by itself: it runs around the others.
        except Exception as error:
            raise _accused(self._wrappers(hook) or self._implementers(hook), hook, error) from error
        _refuse_others(self._implementers(hook), hook, kind, plans)
        return tuple(plans)

    def _wrappers(self, hook: str) -> str:
        found = getattr(self._manager.hook, hook).get_hookimpls()
        return ", ".join(each.plugin_name for each in found if each.wrapper or each.hookwrapper)

    def _implementers(self, hook: str) -> str:
        return ", ".join(
            each.plugin_name for each in getattr(self._manager.hook, hook).get_hookimpls()
        )


def _accused(plugin: str, hook: str, error: Exception) -> PluginError:
    """The error of a plugin as one that names it."""
    if isinstance(error, PluginError):
        return error
    return PluginError(plugin, f"hook '{hook}' raised {type(error).__name__}: {error}")


def _refuse_others(plugin: str, hook: str, kind: type[object], plans: Iterable[object]) -> None:
    """Raise `PluginError` for the first plan that is no ``kind``."""
    for plan in plans:
        if not isinstance(plan, kind):
            raise PluginError(
                plugin, f"hook '{hook}' returned {type(plan).__name__}, expected {kind.__name__}"
            )
