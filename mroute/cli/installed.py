"""The plugins of this process: loaded once, when a command first needs them.

Knows how the hooks and the registry come about. Does not know any plugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mroute.hooks import Hooks
from mroute.registry import Registry


@dataclass(frozen=True, slots=True)
class Installed:
    """The hooks of the installed plugins and what they contribute."""

    hooks: Hooks
    registry: Registry


@cache
def installed() -> Installed:
    """Load the installed plugins, once in a process."""
    hooks = Hooks.load()
    return Installed(hooks, Registry.collect(hooks))
