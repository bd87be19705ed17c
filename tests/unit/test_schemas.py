"""What follows from a schema is written at its keys: descriptions, examples, defaults."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from mroute.schemas import EditorSchema, for_editors

FREE = {"type": "string", "description": "Free text.", "examples": ["a", "b"]}


def key(schema: dict[str, Any], definitions: dict[str, Any] | None = None) -> dict[str, Any]:
    """What becomes of a schema where it is that of a key."""
    whole = {"$defs": definitions or {}, "properties": {"key": schema}}
    completed: dict[str, Any] = for_editors(whole)["properties"]["key"]
    return completed


@pytest.mark.parametrize(
    ("schema", "examples"),
    [
        ({"const": "route"}, ["route"]),
        ({"enum": ["a", "b"]}, ["a", "b"]),
        ({"enum": ["a", "b"], "examples": ["b"]}, ["b"]),
        ({"type": "boolean"}, [True]),
        ({"type": "boolean", "default": False}, [True]),
        ({"type": "boolean", "default": True}, [False]),
        ({"anyOf": [{"const": 1}, {"type": "null"}, {"enum": [2, 3]}]}, [1, 2, 3]),
        ({"items": FREE}, [["a"], ["b"]]),
        ({"$ref": "#/$defs/Pair"}, [{"x": "a", "y": 1}]),
        (
            {"oneOf": [{"$ref": "#/$defs/Pair"}, {"$ref": "#/$defs/Loose"}]},
            [{"x": "a", "y": 1}, {"x": "a"}],
        ),
        ({"items": {"$ref": "#/$defs/Loose"}}, [[{"x": "a"}]]),
        (
            {
                "propertyNames": {"examples": ["n"]},
                "additionalProperties": {"$ref": "#/$defs/Pair"},
            },
            [{"n": {"x": "a", "y": 1}}],
        ),
        ({"$ref": "#/$defs/Tree"}, [{"leaf": "a"}]),
    ],
)
def test_examples_follow_from_the_rest(schema: dict[str, Any], examples: list[Any]) -> None:
    pair = {"properties": {"x": FREE, "y": {"const": 1}, "z": FREE}, "required": ["x", "y"]}
    loose = {"properties": {"x": FREE, "unknown": {"type": "string"}}}
    tree = {"properties": {"leaf": FREE, "more": {"items": {"$ref": "#/$defs/Tree"}}}}
    assert key(schema, {"Pair": pair, "Loose": loose, "Tree": tree})["examples"] == examples


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "array", "items": {}},
        {"additionalProperties": FREE},
        {"propertyNames": {"pattern": "x"}, "additionalProperties": FREE},
        {"properties": {"x": FREE, "y": {}}, "required": ["x", "y"]},
        {"properties": {}},
        {"$ref": "#/$defs/Loop"},
        {"$ref": "#/$defs/Nowhere"},
    ],
)
def test_nothing_is_made_up(schema: dict[str, Any]) -> None:
    loop = {"properties": {"again": {"$ref": "#/$defs/Loop"}}, "required": ["again"]}
    found = key(schema, {"Loop": loop})
    assert "examples" not in found
    assert "description" not in found


def test_a_key_is_described_by_what_it_refers_to_unless_it_says_more() -> None:
    definitions = {"Order": {"enum": ["a"], "description": "What\ncomes ``first``.\n\nAlways."}}
    reference = {"$ref": "#/$defs/Order"}
    assert key(reference, definitions)["description"] == "What comes `first`.\n\nAlways."
    either = {"anyOf": [{"type": "null"}, reference]}
    assert key(either, definitions)["description"] == "What comes `first`.\n\nAlways."
    assert key({**reference, "description": "Own."}, definitions)["description"] == "Own."


def test_the_given_schema_and_the_values_in_it_stay_as_they_are() -> None:
    value = {"description": "two\nlines", "format": "path"}
    given = {"properties": {"key": {"default": value, "examples": [value], "description": "It."}}}
    assert for_editors(given) == given
    assert for_editors(given) is not given


class Order(StrEnum):
    """What comes first."""

    A = "a"


class Inner(BaseModel):
    """The inner
    one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "whole"}]})

    kind: Literal["inner"]


class Outer(BaseModel):
    order: Order = Order.A
    wait: timedelta = timedelta(hours=1, seconds=30)
    folder: Path = Field(Path("x"), description="Where it is.")
    inner: Inner | None = None


def test_a_model_as_an_editor_sees_it() -> None:
    properties = for_editors(Outer.model_json_schema(schema_generator=EditorSchema))["properties"]
    assert properties["order"] == {
        "$ref": "#/$defs/Order",
        "default": "a",
        "description": "What comes first.",
        "examples": ["a"],
    }
    assert properties["wait"]["default"] == "1h30s"
    assert properties["folder"] == {
        "default": "x",
        "description": "Where it is.",
        "type": "string",
    }
    assert properties["inner"]["description"] == "The inner one."
    assert properties["inner"]["examples"] == [{"kind": "whole"}]
