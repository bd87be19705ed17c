"""A place in the file where a word chooses the model: ``action``, ``type``, ``channel`` ...

Knows how pydantic is told of such a choice, for one model or many, or none. Does not know which
models there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of contribution that is chosen in the file: its name, and the key that chooses."""

    name: str
    key: str


ACTION = Kind("action", "action")
TARGET_TYPE = Kind("target type", "type")
CHANNEL = Kind("channel", "channel")
CONDITION = Kind("condition", "complete")
RUNNER = Kind("runner", "runner")

KINDS = (ACTION, TARGET_TYPE, CHANNEL, CONDITION, RUNNER)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Metadata of an annotation: one of ``models``, by the value of the key of ``kind``.

    A union that pydantic makes itself needs two members at least, and says otherwise where an error
    is; this one is the same for any number.
    """

    kind: Kind
    models: Mapping[str, type[BaseModel]]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """A union that is tagged by the key."""
        if not self.models:
            return core_schema.no_info_plain_validator_function(self._refuse)
        choices = {name: handler.generate_schema(each) for name, each in self.models.items()}
        return core_schema.tagged_union_schema(choices, self.kind.key)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Nothing is allowed where there is nothing to choose from."""
        return handler(schema) if self.models else {"not": {}}

    def _refuse(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise PydanticCustomError("model_attributes_type", "expected a mapping")
        if self.kind.key not in value:
            raise PydanticCustomError("union_tag_not_found", "no tag")
        raise PydanticCustomError("union_tag_invalid", "unknown tag")
