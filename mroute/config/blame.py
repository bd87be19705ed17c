"""Finds the plugin whose validator failed instead of saying what is wrong with a value.

Knows that a model of a plugin is foreign code: anything may come out of it. Does not know what it
checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from mroute.config.codes import Code
from mroute.config.compose import Composition
from mroute.config.nodes import Node
from mroute.config.shapes import Shape, walk
from mroute.config.source import Source
from mroute.errors import Problem
from mroute.registry import Registry


def plugin_failures(
    source: Source,
    composition: Composition,
    registry: Registry,
    context: Mapping[str, object],
    error: Exception,
) -> list[Problem]:
    """A problem at every value at which a plugin's model raises; ``error`` was the first.

    Where one raises within another, as a channel does within a rule, the inner one is to blame.
    """
    found: list[tuple[Node, str, str]] = []
    for model, node, plugin in reversed(list(_contributed(source, composition, registry))):
        if any(node.start <= inner.start and inner.end <= node.end for inner, _, _ in found):
            continue
        try:
            model.model_validate(node.value, context=dict(context))
        except ValidationError:
            continue
        # The edge of a plugin: this is the call that is looked for.
        except Exception as raised:  # noqa: BLE001
            found.append((node, plugin, _said(raised)))
    blamed = [(node, f"plugin '{plugin}'", said) for node, plugin, said in found]
    return [
        source.at_node(
            node,
            Code.PLUGIN_FAILED,
            f"{who} failed to check this: {said}",
            "tell the author of the plugin",
        )
        for node, who, said in blamed or [(source.root, "a plugin", _said(error))]
    ]


def _contributed(
    source: Source, composition: Composition, registry: Registry
) -> Iterator[tuple[type[BaseModel], Node, str]]:
    """Everything in the file that a plugin's model checks, outer before inner."""
    sections = {model: plugin for plugin, model in registry.settings.items()}
    for shape, node in walk(Shape(composition.file), source.root):
        if shape.choice:
            chosen, kind = shape.chosen(node).model, shape.choice.kind
            key = node.child(kind.key)
            plugin = registry.contributed_by.get((kind.name, str(key.value))) if key else None
            if chosen and plugin:
                yield chosen, node, plugin
        elif shape.model in sections:
            yield shape.model, node, sections[shape.model]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
