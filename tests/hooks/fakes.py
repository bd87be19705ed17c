"""Plugins that are made for one test: one hook each, and broken in one way or another.

Knows how a plugin can break. Does not know what any hook is for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from types import ModuleType
from typing import Any, TypeAlias

import pytest

from mroute.api import hookimpl
from mroute.errors import PluginError
from mroute.hooks import Hooks
from mroute.registry import Registry
from mroute.testing import hooks_of

Wrapper: TypeAlias = Generator[None, list[Any], list[Any]]
"""What a wrapper is: it yields once, gets what the others returned, and returns that or other."""


def plugin(hook: str, implementation: Callable[..., Any], wrapper: bool = False) -> ModuleType:
    """A plugin that implements one hook."""
    implementation.__name__ = hook
    module = ModuleType("mroute_fake")
    setattr(module, hook, hookimpl(wrapper=wrapper)(implementation))
    return module


def raising(hook: str) -> ModuleType:
    """A plugin whose hook raises."""

    def implementation() -> None:
        raise RuntimeError("broken")

    return plugin(hook, implementation)


def late(hook: str, item: Any) -> ModuleType:
    """A plugin whose hook is a generator that yields ``item`` and raises then."""

    def implementation() -> Iterator[Any]:
        yield item
        raise RuntimeError("broken")

    return plugin(hook, implementation)


def check_broken_contributors(
    hook: str, in_tree: ModuleType, item: Any, read: Callable[[Registry], Mapping[str, Any]]
) -> None:
    """A plugin that raises, at once or late, contributes nothing; others do as if it were not."""
    alone = Registry.collect(hooks_of(in_tree))
    for broken in (raising(hook), late(hook, item)):
        registry = Registry.collect(hooks_of(in_tree, broken=broken))
        assert [str(error) for error in registry.errors] == [
            f"plugin 'broken': hook '{hook}' raised RuntimeError: broken"
        ]
        assert read(registry) == read(alone) != {}


def check_wrong_results(hook: str, expected: str) -> None:
    """What is no descriptor is refused with what was expected; None means nothing."""
    registry = Registry.collect(
        hooks_of(wrong=plugin(hook, lambda: [3]), nothing=plugin(hook, lambda: None))
    )
    assert [str(error) for error in registry.errors] == [
        f"plugin 'wrong': hook '{hook}' returned 3, expected a {expected}"
    ]


def check_broken_planners(
    hook: str, in_tree: ModuleType, item: Any, call: Callable[[Hooks], tuple[Any, ...]]
) -> None:
    """A plugin that raises, at once or late, spoils the whole plan: half of one would be wrong."""
    assert call(hooks_of(in_tree)) != ()
    for broken in (raising(hook), late(hook, item)):
        with pytest.raises(PluginError) as caught:
            call(hooks_of(in_tree, broken=broken))
        assert str(caught.value) == f"plugin 'broken': hook '{hook}' raised RuntimeError: broken"


def check_broken_wrapper(
    hook: str, in_tree: ModuleType, call: Callable[[Hooks], tuple[Any, ...]]
) -> None:
    """A wrapper that raises spoils the plan as well, and is named."""

    def implementation() -> Wrapper:
        yield
        raise RuntimeError("broken")

    wrapper = plugin(hook, implementation, wrapper=True)
    with pytest.raises(PluginError) as caught:
        call(hooks_of(in_tree, broken=wrapper))
    assert str(caught.value) == f"plugin 'broken': hook '{hook}' raised RuntimeError: broken"


def check_wrong_plans(hook: str, expected: str, call: Callable[[Hooks], tuple[Any, ...]]) -> None:
    """What is no plan is refused with what was expected; None means nothing."""
    assert call(hooks_of(nothing=plugin(hook, lambda: None))) == ()
    with pytest.raises(PluginError) as caught:
        call(hooks_of(wrong=plugin(hook, lambda: ["x"])))
    assert str(caught.value) == f"plugin 'wrong': hook '{hook}' returned str, expected {expected}"
