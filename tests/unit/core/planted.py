"""Plugins made of objects, loaded through entry points like any other.

Knows how an object becomes an installed plugin. Does not know what it contributes.
"""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

from mroute.hooks import Hooks
from mroute.plugins import load_plugins


def hooks_of(**plugins: object) -> Hooks:
    """The hooks of objects, each a plugin of the name that it is given under."""
    points = []
    for name, plugin in plugins.items():
        module = types.ModuleType(f"planted_object_{name}")
        module.plugin = plugin  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
        points.append(EntryPoint(name, f"{module.__name__}:plugin", "mroute"))
    return Hooks(*load_plugins(points, {}))
