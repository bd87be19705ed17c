"""JSON Schemas for a person in an editor: a description and examples at every key.

Knows which of them follow from the rest of a schema, and writes those that do. Does not know any
file or model; what follows from nothing is written beside the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = Mapping[str, Any]

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_SUBSCHEMAS = ("items", "additionalProperties")
_LISTS = ("anyOf", "oneOf")
_MAPPINGS = ("$defs", "properties")


class EditorSchema(GenerateJsonSchema):
    """Generates what `for_editors` completes: defaults as in the file, no titles of fields."""

    def encode_default(self, dft: Any) -> Any:
        """A default as it is written in the file."""
        return _duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles for fields: the key itself says as much."""
        return False


def for_editors(schema: Schema) -> dict[str, Any]:
    """The schema with what follows from it at every key: description, and ``examples``.

    A key without a description has that of what it refers to. A key without examples has those of
    what it refers to; its only value, or all of them where they are few; or an object made of the
    first examples of the keys that are needed, of all keys where none is.
    """
    completed: dict[str, Any] = _Completion(schema.get("$defs", {})).complete(schema)
    return completed


class _Completion:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def complete(self, schema: Any) -> Any:
        """The schema, in which everything that is a property is described and has examples."""
        if not isinstance(schema, dict):
            return schema
        # A path is a text: the format is pydantic's own.
        done = {key: each for key, each in schema.items() if (key, each) != ("format", "path")}
        if "description" in done:
            done["description"] = _markdown(done["description"])
        for key in _MAPPINGS:
            if key in done:
                done[key] = {name: self.complete(each) for name, each in done[key].items()}
        for key in _LISTS:
            if key in done:
                done[key] = [self.complete(each) for each in done[key]]
        for key in _SUBSCHEMAS:
            if key in done:
                done[key] = self.complete(done[key])
        if "properties" in done:
            done["properties"] = {
                name: self._explained(each) for name, each in done["properties"].items()
            }
        return done

    def _explained(self, schema: dict[str, Any]) -> dict[str, Any]:
        found = {"description": self._description(schema), "examples": self._examples(schema)}
        return {**schema, **{key: each for key, each in found.items() if each}}

    def _description(self, schema: Schema) -> str:
        """Its own, or that of the first thing it may be that has one."""
        if "description" in schema:
            return _markdown(schema["description"])
        members = (self._description(each) for each in self._members(schema))
        return next((each for each in members if each), "")

    def _examples(self, schema: Schema, within: tuple[str, ...] = ()) -> list[Any]:
        """Examples of what the schema takes; none where that is not known.

        ``within`` are the definitions that are being looked at: one may hold itself.
        """
        if "examples" in schema:
            return list(schema["examples"])
        if "const" in schema:
            return [schema["const"]]
        if "enum" in schema:
            return list(schema["enum"])
        if schema.get("type") == "boolean":
            return [not schema.get("default", False)]
        if "properties" in schema:
            return self._entry(schema, within)
        if "items" in schema:
            return [[each] for each in self._examples(schema["items"], within)]
        if "propertyNames" in schema:
            names = schema["propertyNames"].get("examples", ())
            values = self._examples(schema["additionalProperties"], within)
            return [{name: each} for name in names for each in values]
        if "$ref" in schema:
            if schema["$ref"] in within:
                return []
            within = (*within, schema["$ref"])
        members = self._members(schema)
        return [example for each in members for example in self._examples(each, within)]

    def _entry(self, schema: Schema, within: tuple[str, ...]) -> list[Any]:
        """An object of the keys that are needed, or else of all that an example is known of."""
        needed = schema.get("required", ())
        found = {
            key: examples[0]
            for key, each in schema["properties"].items()
            if (key in needed or not needed) and (examples := self._examples(each, within))
        }
        return [found] if found and all(key in found for key in needed) else []

    def _members(self, schema: Schema) -> Iterable[Schema]:
        """What the schema refers to, or the alternatives that it consists of."""
        if "$ref" in schema:
            return [self._definitions.get(schema["$ref"].rpartition("/")[2], {})]
        return [each for key in _LISTS for each in schema.get(key, ())]


def _markdown(text: str) -> str:
    """A docstring as Markdown, whose lines an editor breaks."""
    paragraphs = (" ".join(each.split()) for each in text.split("\n\n"))
    return "\n\n".join(paragraphs).replace("``", "`")


def _duration(value: timedelta) -> str:
    seconds, text = int(value.total_seconds()), ""
    for unit, size in _UNITS:
        if seconds >= size:
            text += f"{seconds // size}{unit}"
            seconds %= size
    return text or "0s"
