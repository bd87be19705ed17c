"""Says where something came from that no installed plugin contributes.

Knows that the schema which a rule file names for editors was exported with the plugins of that
time, and that a spool remembers those that it was last used with. Does not know what the thing is
for.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mroute.config.source import MAX_BYTES, Source
from mroute.config.words import one_of
from mroute.expr.errors import nearest
from mroute.registry import MEMORY_FILE, Registry

CONTRIBUTIONS = "x-mroute-contributions"
"""Key of an exported schema: kind, then name, then plugin and distribution."""

_MODELINE = re.compile(
    r"^#[ \t]*(?:yaml-language-server:[ \t]*\$schema=|:schema[ \t]+)(\S+)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Origin:
    """The plugin that contributed something when the schema was exported."""

    plugin: str
    distribution: str


class Absent:
    """Explains unknown names of one file."""

    def __init__(
        self, source: Source, registry: Registry, unusable: Mapping[tuple[str, str], str]
    ) -> None:
        self._source = source
        self._registry = registry
        self._unusable = unusable

    def explain(self, kind: str, name: str, known: Iterable[str]) -> tuple[str, str]:
        """Message and hint about an unknown ``name`` where ``known`` are those of its kind."""
        unknown = f"unknown {kind} '{name}'"
        if reason := self._unusable.get((kind, name)):
            plugin = self._registry.contributed_by.get((kind, name), "")
            message = f"the {kind} '{name}' of plugin '{plugin}' cannot be used: {reason}"
            return message, f"see 'mroute plugins show {plugin}'"
        if told := self.origin(kind, name):
            return f"{unknown}: {told[0]}", told[1]
        names = sorted(known)
        meant = nearest(name, names)
        hints = [f"did you mean '{meant}'?"] if meant else []
        hints += [
            f"plugin '{plugin}' may contribute it, but cannot be used: {reason}"
            for plugin, reason in self._broken.items()
        ]
        hint = "; ".join(hints) or f"is the plugin installed that contributes this {kind}?"
        return f"{unknown}, expected {one_of(names)}", hint

    def origin(self, kind: str, name: str) -> tuple[str, str] | None:
        """Which plugin contributed it and why it does not now, and what to do; if it is known."""
        origin = self._exported(kind, name)
        if origin is None:
            return None
        plugin, distribution = origin.plugin, origin.distribution
        by = f"it came from plugin '{plugin}' (distribution {distribution or 'unknown'}), which"
        if plugin in self._broken:
            hint = f"see 'mroute plugins show {plugin}'"
            return f"{by} cannot be used: {self._broken[plugin]}", hint
        if any(each.name == plugin for each in self._registry.plugins):
            return f"{by} does not contribute it any more", f"see 'mroute plugins show {plugin}'"
        if _is_installed(distribution):
            hint = "see MROUTE_DISABLE_PLUGINS and MROUTE_LOAD_PLUGINS in the environment"
            return f"{by} is not loaded", hint
        return f"{by} is not installed", f"pip install {distribution or plugin}"

    @cached_property
    def _broken(self) -> Mapping[str, str]:
        """The plugins that could not be loaded or failed in a hook, with the reason."""
        failed = {
            error.plugin: str(error).removeprefix(f"plugin '{error.plugin}': ")
            for error in self._registry.errors
        }
        return failed | {each.name: each.error for each in self._registry.plugins if each.error}

    def _exported(self, kind: str, name: str) -> Origin | None:
        for remembered in (_below(self._schema, CONTRIBUTIONS), self._memory):
            found = _below(remembered, kind, name)
            plugin, distribution = _below(found, "name"), _below(found, "distribution")
            if isinstance(plugin, str) and isinstance(distribution, str):
                return Origin(plugin, distribution)
        return None

    @cached_property
    def _schema(self) -> Any:
        """The schema that the file names, where it is a file that can be read."""
        modeline = _MODELINE.search(self._source.text)
        named = modeline.group(1) if modeline else _below(self._source.root.value, "$schema")
        if not isinstance(named, str) or "://" in named:
            return None
        return _content(Path(self._source.file).parent / named)

    @cached_property
    def _memory(self) -> Any:
        """What the spool of the file remembers of the plugins that it was last used with."""
        spool = _below(self._source.root.value, "spool")
        folder = spool if isinstance(spool, str) else "spool"
        return _content(Path(self._source.file).parent / folder / MEMORY_FILE)


def _content(path: Path) -> Any:
    """A JSON file where it can be read: it is only asked for a better message."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _below(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _is_installed(distribution: str) -> bool:
    try:
        return bool(distribution and importlib.metadata.distribution(distribution))
    except importlib.metadata.PackageNotFoundError:
        return False
