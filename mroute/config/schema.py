"""JSON Schemas of the rule file and its settings, for the installed plugins.

Knows how a schema says which plugin contributes what. Does not know `task.json` (spool/taskfile).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from mroute.config.absent import CONTRIBUTIONS
from mroute.config.choice import KINDS
from mroute.config.compose import compose
from mroute.models import RuleBase, Trigger
from mroute.registry import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLUGIN = "x-mroute-plugin"
"""Key of a definition that a plugin contributes: the plugin and its distribution."""

_ON_STUDY = {
    "if": {"properties": {"on": {"const": Trigger.STUDY.value}}, "required": ["on"]},
    "then": {"required": ["study"]},
    "else": {"not": {"required": ["study"], "properties": {"study": {"type": "object"}}}},
}
"""`on: study` and a `study` section belong together, where an action has no say of its own."""

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


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
    plugins = _plugins_of_models(registry)
    generator = type("_Attributing", (_Generator,), {"plugins": plugins, "registry": registry})
    schema = model.model_json_schema(schema_generator=generator)
    _without_path_format(schema)
    return {"$schema": DIALECT, **schema}


def _plugins_of_models(registry: Registry) -> Mapping[type[BaseModel], str]:
    """The models that are contributed, as they are composed, with their plugin."""
    composition = compose(registry)
    models = {
        model: registry.contributed_by.get((kind.name, name), "")
        for kind in KINDS
        for name, model in composition.choices[kind].models.items()
    }
    return {**models, **{model: plugin for plugin, model in registry.settings.items()}}


class _Generator(GenerateJsonSchema):
    """Marks what plugins contribute, and writes defaults as a person writes them in the file."""

    plugins: Mapping[type[BaseModel], str] = {}
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
        if plugin := self.plugins.get(schema["cls"]):
            generated[PLUGIN] = self.registry.origin_of(plugin)
        return generated

    def encode_default(self, dft: Any) -> Any:
        """A default as it is written in the file."""
        return _duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles for fields: the key itself says as much."""
        return False


def _duration(value: timedelta) -> str:
    seconds, text = int(value.total_seconds()), ""
    for unit, size in _UNITS:
        if seconds >= size:
            text += f"{seconds // size}{unit}"
            seconds %= size
    return text or "0s"


def _without_path_format(schema: Any) -> None:
    """A path is a text for a schema: the format is pydantic's own."""
    if isinstance(schema, dict):
        if schema.get("type") == "string" and schema.get("format") == "path":
            del schema["format"]
        for each in schema.values():
            _without_path_format(each)
    elif isinstance(schema, list):
        for each in schema:
            _without_path_format(each)
