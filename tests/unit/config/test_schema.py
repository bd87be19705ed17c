"""The composed schemas: they take what mroute takes, and refuse what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mroute.config import rules_schema, settings_schema
from mroute.config.absent import CONTRIBUTIONS
from mroute.config.schema import PLUGIN
from mroute.registry import Registry
from tests.unit.config.conftest import BLUEPRINT, Site

Content = dict[str, Any]


@pytest.fixture(scope="module")
def schema(registry: Registry) -> Draft202012Validator:
    content = rules_schema(registry)
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


@pytest.fixture
def content() -> Content:
    read: Content = yaml.safe_load(BLUEPRINT.replace("    on: study", "    'on': study"))
    return read


def test_the_example_of_the_blueprint_is_valid(
    schema: Draft202012Validator, content: Content
) -> None:
    assert list(schema.iter_errors(content)) == []
    assert list(schema.iter_errors({"version": 1, "$schema": "x"})) == []


def change(*path: str, to: Any) -> Callable[[Content], None]:
    def apply(content: Content) -> None:
        below: Any = content
        for step in path[:-1]:
            below = below[step]
        below[path[-1]] = to

    return apply


def remove(*path: str) -> Callable[[Content], None]:
    def apply(content: Content) -> None:
        below: Any = content
        for step in path[:-1]:
            below = below[step]
        del below[path[-1]]

    return apply


CINE, SPINE = ("rules", "cine-to-pacs"), ("rules", "spine-study")
BROKEN = [
    remove("version"),
    change("version", to=2),
    change("version", to="1"),
    change("spol", to="x"),
    change("spool", to=3),
    change("timing", to={"retry_max": -1}),
    change("timing", to={"retry_max": "x"}),
    change("timing", to={"retry_after": "soon"}),
    change("timing", to={"retry_after": 5}),
    change("timing", to={"retry": "5s"}),
    change("targets", to=[]),
    change("targets", "pacs", to=3),
    change("targets", "pacs", "type", to="dicm"),
    remove("targets", "pacs", "type"),
    remove("targets", "pacs", "host"),
    change("targets", "pacs", "port", to=99999),
    change("targets", "archive", "path", to=3),
    change("targets", "a/b", to={"type": "folder", "path": "x"}),
    change("targets", ".hidden", to={"type": "folder", "path": "x"}),
    change("targets", "a\nb", to={"type": "folder", "path": "x"}),
    change("targets", "", to={"type": "folder", "path": "x"}),
    change("targets", "x" * 121, to={"type": "folder", "path": "x"}),
    change("modules", "segmentation", "runner", to="docker"),
    change("modules", "segmentation", "command", to="segment"),
    change("modules", "segmentation", "comand", to=["segment"]),
    remove(*CINE, "when"),
    change(*CINE, "when", to=True),
    remove(*CINE, "action"),
    change(*CINE, "action", to="rout"),
    change(*CINE, "action", to=["route"]),
    remove(*CINE, "targets"),
    change(*CINE, "targets", to=[]),
    change(*CINE, "targets", to="pacs"),
    change(*CINE, "targets", to=[3]),
    change(*CINE, "targts", to=["pacs"]),
    change(*CINE, "priority", to="high"),
    change(*CINE, "fallback", to="maybe"),
    change(*CINE, "study", to={"complete": "timeout"}),
    remove(*SPINE, "study"),
    remove(*SPINE, "on"),
    change(*SPINE, "on", to="studdy"),
    remove(*SPINE, "study", "complete"),
    remove(*SPINE, "study", "series"),
    change(*SPINE, "study", "complete", to="timeout"),
    change(*SPINE, "study", "after", to="soon"),
    change(*SPINE, "study", "else", to="drop"),
    change(*SPINE, "notify", to={"channel": "webhook"}),
    change(*SPINE, "notify", to=[{"channel": "webhook"}]),
    change(*SPINE, "notify", to=[{"channel": "fax", "to": "x"}]),
    change(*SPINE, "notify", to=[{"channel": "webhook", "url": "ftp://x"}]),
    change(*SPINE, "notify", to=[{"channel": "mail", "to": "x", "events": ["complted"]}]),
    change("settings", to={"durability": "disk"}),
    change("settings", to={"receiver": {"prot": 3}}),
    change("settings", to={"reciever": {}}),
]


@pytest.mark.parametrize("breaks", BROKEN)
def test_what_is_broken_is_refused_by_the_schema_and_by_mroute(
    schema: Draft202012Validator, content: Content, site: Site, breaks: Callable[[Content], None]
) -> None:
    breaks(content)
    assert list(schema.iter_errors(content)) != []
    severities = {each.severity for each in site.problems(json.dumps(content), "m.json")}
    assert "error" in severities


def test_what_plugins_contribute_is_marked(registry: Registry) -> None:
    definitions = rules_schema(registry)["$defs"]
    archive = [
        each
        for each in definitions.values()
        if each.get("properties", {}).get("action", {}).get("const") == "archive"
    ]
    assert [each[PLUGIN] for each in archive] == [
        {"name": "archive", "distribution": "mroute-example"}
    ]
    marked = {name for name, each in definitions.items() if PLUGIN in each}
    assert marked == {
        "ArchiveRule",
        "BothRule",
        "CommandModule",
        "DicomTarget",
        "DiscardRule",
        "FolderTarget",
        "Mail",
        "ReceiverSettings",
        "RouteRule",
        "SeriesCondition",
        "TimeoutCondition",
        "Webhook",
    }


def test_contributions_are_found_by_kind_and_name(registry: Registry) -> None:
    contributions = rules_schema(registry)[CONTRIBUTIONS]
    core = {"name": "core", "distribution": "mroute"}
    assert contributions == {
        "action": {
            "archive": {"name": "archive", "distribution": "mroute-example"},
            "both": core,
            "discard": core,
            "route": core,
        },
        "target type": {"dicom": core, "folder": core},
        "channel": {"mail": core, "webhook": core},
        "condition": {"received_series": core, "timeout": core},
        "runner": {"command": core},
        "function": {"age_years": core},
        "settings": {"receiver": {"name": "receiver", "distribution": ""}},
    }


def test_an_editor_is_told_what_things_are(registry: Registry) -> None:
    schema = rules_schema(registry)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "mroute rule file"
    assert schema["description"] == "A rule file of mroute."
    assert schema["required"] == ["version"]
    route = schema["$defs"]["RouteRule"]
    assert route["description"] == "Send the images."
    assert sorted(route["required"]) == ["action", "targets", "when"]
    assert route["properties"]["when"]["type"] == "string"
    assert schema["$defs"]["FolderTarget"]["properties"]["path"] == {"type": "string"}
    undescribed = [key for key, each in schema["properties"].items() if "description" not in each]
    assert undescribed == []


def test_defaults_are_written_as_in_the_file(registry: Registry) -> None:
    schema = rules_schema(registry)
    timing = schema["$defs"]["Timing"]["properties"]
    assert {key: each["default"] for key, each in timing.items() if "default" in each} == {
        "series_complete_after": "1m",
        "study_complete_after": "15m",
        "latecomers_within": "7d",
        "retry_after": "15m",
        "probe_after": "15s",
        "offpeak": None,
        "retry_max": 5,
        "give_up_notices_after": "1d",
    }
    assert schema["$defs"]["CommandModule"]["properties"]["timeout"]["default"] == "1h"
    assert schema["properties"]["spool"]["default"] == "spool"


def test_the_settings_have_a_schema_of_their_own(registry: Registry) -> None:
    schema = settings_schema(registry)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert schema["title"] == "mroute settings"
    assert validator.is_valid({"durability": "process", "receiver": {"port": 104}})
    assert not validator.is_valid({"receiver": {"prot": 104}})
    assert not validator.is_valid({"durability": "disk"})


def test_making_a_schema_changes_nothing(registry: Registry) -> None:
    first = json.dumps(rules_schema(registry), sort_keys=True)
    assert json.dumps(rules_schema(registry), sort_keys=True) == first
