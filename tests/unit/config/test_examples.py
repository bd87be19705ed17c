"""The examples in the schema are what a rule file takes, those of a third party's plugin too.

Knows in which place of a file an example stands. Does not know which keys there are.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mroute.config import rules_schema, validate
from mroute.config.choice import KINDS
from mroute.config.compose import compose
from mroute.registry import Registry
from mroute.spool.taskfile import task_schema
from mroute.testing import registry_of
from tests.conftest import ROOT
from tests.unit import gates

Content = dict[str, Any]
DISCARD = {"when": "tags.Modality == 'OT'", "action": "discard"}
FOLDER = {"type": "folder", "path": "x"}


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """The default plugins and the one in ``tests/example_plugin``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tests/example_plugin"))
        packages = [*gates.plugin_packages(ROOT / "plugins"), "mroute_example"]
        yield registry_of(*(importlib.import_module(each) for each in packages))


@pytest.fixture(scope="module")
def schema(registry: Registry) -> Content:
    return rules_schema(registry)


def file_of(**sections: Any) -> Content:
    """A rule file with everything that examples refer to."""
    return {
        "version": 1,
        "targets": {"archive": FOLDER, "research": FOLDER},
        "modules": {"segmentation": {"runner": "command", "command": ["x"]}},
        "rules": {"r": DISCARD},
        "settings": {"notification": {"smtp": {"host": "h", "sender": "a@b.example"}}},
        **sections,
    }


def rule_file(rule: Content) -> Content:
    """A file with one rule; what belongs to `on: study` comes with it."""
    if "study" in rule:
        rule = {"on": "study", **rule}
    elif rule.get("on") == "study":
        rule = {**rule, "study": {"complete": "timeout"}}
    return file_of(rules={"r": rule})


def target_file(entry: Content) -> Content:
    """A file with one target; what an example cannot do without comes with it."""
    company: Content = {}
    secret = {"env": "SECRET"}
    match entry["type"]:
        case "sftp" if not entry.keys() & {"key", "password"}:
            company = {"key": "mroute"} if "key_password" in entry else {"password": secret}
        case "rsync":
            company = {"host": "files.example"}
        case "s3" if entry.keys() & {"access_key", "secret_key", "session_token"}:
            company = {"access_key": secret, "secret_key": secret}
        case "dicomweb" if "token" in entry.get("authentication", {}):
            entry = {**entry, "authentication": {"token": secret}}
    return file_of(targets={"archive": {**company, **entry}})


PLACES: dict[str, Callable[[Content], Content]] = {
    "action": rule_file,
    "target type": target_file,
    "runner": lambda entry: file_of(modules={"segmentation": entry}),
    "channel": lambda entry: rule_file({**DISCARD, "notify": [entry]}),
    "condition": lambda entry: rule_file({**DISCARD, "study": entry}),
}


def files(schema: Content, registry: Registry) -> Iterator[Content]:
    """A file for each example of each key."""
    for key, each in schema["properties"].items():
        yield from (file_of(**{key: example}) for example in each["examples"])
    for kind in KINDS:
        for model in compose(registry).choices[kind].models.values():
            definition = schema["$defs"][model.__name__]
            keys = definition["properties"]
            entry = {key: keys[key]["examples"][0] for key in definition["required"]}
            for key, each in keys.items():
                for example in each["examples"]:
                    yield PLACES[kind.name]({**entry, key: example})


def test_every_example_is_taken_by_mroute_itself(
    schema: Content, registry: Registry, tmp_path: Path
) -> None:
    path = tmp_path / "mroute.json"
    wrong = []
    for content in files(schema, registry):
        path.write_text(json.dumps(content), "utf-8")
        wrong += [(content, each.render()) for each in validate(path, registry)]
    assert wrong == []
    assert len(list(files(schema, registry))) > 100


def test_an_expression_that_is_wrong_would_be_found(
    schema: Content, registry: Registry, tmp_path: Path
) -> None:
    path = tmp_path / "mroute.json"
    path.write_text(json.dumps(rule_file({**DISCARD, "when": "tags.Modality = 'MR'"})), "utf-8")
    assert [each.code for each in validate(path, registry)] == ["MR106"]


def test_a_plugin_of_somebody_else_is_described_as_well(
    schema: Content, registry: Registry
) -> None:
    described = [path for path, _ in gates.keys_of(schema)]
    assert {"AnonymizeRule.archive", "AnnouncedSeriesCondition.tag"} <= set(described)
    for each in (schema, task_schema(registry)):
        assert gates.unexplained_keys(each) == []
        assert gates.misfit_examples(each) == []
    action = schema["$defs"]["AnonymizeRule"]["properties"]["action"]
    assert action["description"] == (
        "`anonymize-and-archive`: Remove elements from the images, then hand them to a target."
    )
