"""JSON Schemas of the rule file and its settings, for the installed plugins.

Knows how a schema says which plugin contributes what. Does not know `task.json` (spool/taskfile).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from mroute.config.absent import CONTRIBUTIONS
from mroute.config.choice import KINDS
from mroute.config.compose import compose
from mroute.models import RuleBase, Trigger
from mroute.registry import Registry
from mroute.schemas import DIALECT, EditorSchema, for_editors

PLUGIN = "x-mroute-plugin"
"""Key of a definition that a plugin contributes: the plugin and its distribution."""

_ON_STUDY = {
    "if": {"properties": {"on": {"const": Trigger.STUDY.value}}, "required": ["on"]},
    "then": {"required": ["study"]},
    "else": {"not": {"required": ["study"], "properties": {"study": {"type": "object"}}}},
}
"""`on: study` and a `study` section belong together, where an action has no say of its own."""


def rules_schema(registry: Registry) -> dict[str, Any]:
    """JSON Schema (2020-12) of the rule file."""
    schema = _schema_of(compose(registry).file, registry)
    schema["title"] = "mroute rule file"
    kinds = [*(kind.name for kind in KINDS), "function", "settings"]
    origins = registry.origins()
    schema[CONTRIBUTIONS] = {kind: origins.get(kind, {}) for kind in kinds}
    return schema


def settings_schema(registry: Registry) -> dict[str, Any]:
    """JSON Schema (2020-12) of the settings: those of mroute itself, and a section a plugin."""
    schema = _schema_of(compose(registry).settings, registry)
    schema["title"] = "mroute settings"
    return schema


def _schema_of(model: type[BaseModel], registry: Registry) -> dict[str, Any]:
    contributed = {"origins": _origins_of_models(registry), "registry": registry}
    generator = type("_Attributing", (_Generator,), contributed)
    schema = model.model_json_schema(schema_generator=generator)
    return {"$schema": DIALECT, **for_editors(schema)}


@dataclass(frozen=True, slots=True)
class _Origin:
    """Which plugin a model comes from, and by which value of which key it is chosen."""

    plugin: str
    key: str = ""
    value: str = ""


def _origins_of_models(registry: Registry) -> Mapping[type[BaseModel], _Origin]:
    """The models that are contributed, as they are composed, with where they come from."""
    composition = compose(registry)
    models = {
        model: _Origin(registry.contributed_by.get((kind.name, name), ""), kind.key, name)
        for kind in KINDS
        for name, model in composition.choices[kind].models.items()
    }
    return {**models, **{model: _Origin(plugin) for plugin, model in registry.settings.items()}}


class _Generator(EditorSchema):
    """Marks what plugins contribute, and says what it is where it is chosen."""

    origins: Mapping[type[BaseModel], _Origin] = {}
    registry: Registry

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        """The schema of a model, with the plugin that contributes it."""
        generated = super().model_schema(schema)
        fields = schema["cls"].model_fields
        if (
            issubclass(schema["cls"], RuleBase)
            and fields["on"].default is Trigger.SERIES
            and fields["study"].default is None
        ):
            generated |= _ON_STUDY
        origin = self.origins.get(schema["cls"])
        if origin and origin.plugin:
            generated[PLUGIN] = self.registry.origin_of(origin.plugin)
        if origin and origin.key in generated.get("properties", {}):
            chosen = generated["properties"][origin.key]
            meaning = generated.get("description", "")
            chosen.setdefault("description", f"`{origin.value}`: {meaning}".removesuffix(": "))
        return generated
