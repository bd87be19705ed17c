"""What the channels of rules need of the settings.

Knows that a message which can never be sent is found out before it is needed. Does not know what
any channel needs: its plugin says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from mroute.config.codes import Code
from mroute.config.nodes import Node
from mroute.config.source import Source
from mroute.errors import Problem
from mroute.registry import Registry


def channel_problems(
    source: Source, rules: Mapping[str, Any], settings: Mapping[str, BaseModel], registry: Registry
) -> Iterator[Problem]:
    """A problem for each channel of a rule whose settings are missing."""
    written = source.root.child("rules")
    for name, rule in rules.items():
        notify = _child(_child(written, name), "notify")
        for number, channel in enumerate(rule.notify):
            node = _child(notify, number)
            for missing in _missing(registry, channel.channel, settings) if node else ():
                assert node is not None
                yield source.at_node(node, Code.CHANNEL_LACKS, missing)


def _child(node: Node | None, step: str | int) -> Node | None:
    return None if node is None else node.child(step)


def _missing(registry: Registry, name: str, settings: Mapping[str, BaseModel]) -> list[str]:
    """What a channel lacks; where its plugin fails over that, it says so itself."""
    try:
        return [str(each) for each in registry.channels[name].lacks(settings)]
    # The edge of a plugin call.
    except Exception as error:  # noqa: BLE001
        plugin = registry.contributed_by.get(("channel", name), "unknown")
        return [f"plugin '{plugin}' failed to check this: {type(error).__name__}: {error}"]
