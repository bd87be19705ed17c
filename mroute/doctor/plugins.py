"""Whether the plugins can be used: none is broken, and no two contribute one name.

Knows what `mroute run` refuses to begin with. Does not know any plugin.
"""

from __future__ import annotations

from collections.abc import Iterator

from mroute.doctor.finding import Finding, complaint, ok, problem
from mroute.errors import DuplicateContributionError, ExitCode
from mroute.registry import Registry

_ADVICE = "'mroute plugins list' shows all of them; update it, or tell its author"


def check_plugins(registry: Registry) -> Iterator[Finding]:
    """What is wrong with the plugins."""
    broken = [plugin for plugin in registry.plugins if plugin.error]
    for plugin in broken:
        yield problem(
            f"plugin '{plugin.name}' cannot be loaded: {plugin.error}",
            f"repair it, or run without it by MROUTE_DISABLE_PLUGINS={plugin.name}",
            ExitCode.CONFIGURATION,
        )
    for error in registry.errors:
        refused = isinstance(error, DuplicateContributionError)
        code = ExitCode.CONFIGURATION if refused else ExitCode.PROBLEMS
        yield complaint(str(error), _ADVICE, code)
    if not broken and not registry.errors:
        names = ", ".join(plugin.name for plugin in registry.plugins)
        yield ok(f"{len(registry.plugins)} are loaded: {names}" if names else "there are none")
