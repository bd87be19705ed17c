"""The page on the rule file: its examples are valid, and it has every key.

Knows the page and the default plugins. Does not know what any key does.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from mroute.config import Timing, load, validate
from mroute.config.choice import KINDS, Kind
from mroute.config.compose import compose
from mroute.config.configuration import CoreSettings
from mroute.config.shapes import fields_of
from mroute.hooks import Hooks
from mroute.models import ChannelBase, ConditionBase, ModuleBase, RuleBase, TargetBase
from mroute.registry import Registry
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BASES: dict[str, type[BaseModel]] = {
    "action": RuleBase,
    "target type": TargetBase,
    "channel": ChannelBase,
    "condition": ConditionBase,
    "runner": ModuleBase,
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The default plugins, whatever else is installed."""
    defaults = "dicom,discard,dispatch,log,metrics,notification,processing,storage,studies"
    return Registry.collect(Hooks.load({"MROUTE_LOAD_PLUGINS": defaults}))


def section(heading: str) -> str:
    """What is below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no heading '{heading}'"
    return found.group(1)


def keys(heading: str) -> list[str]:
    """The keys of the table below a heading, with whether they are needed."""
    rows = re.findall(r"^\| `([^`]+)` \|.*\| (.*?) ?\|$", section(heading), re.MULTILINE)
    return [f"{key} needed" if default == "needed" else key for key, default in rows]


def fields(model: type[BaseModel], *without: str) -> list[str]:
    """The fields of a model in the same form."""
    return [
        f"{key} needed" if shape.field and shape.field.is_required() else key
        for key, shape in fields_of(model).items()
        if key not in without
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(example: str, registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text(example if "version: 1" in example else f"version: 1\n{example}")
    problems = [each.render() for each in validate(path, registry) if each.code != "MR223"]
    assert problems == []
    rules = load(path, registry).rules
    assert len(rules) == len(re.findall(r"^    when:", example, re.MULTILINE))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == PAGE.count("```") // 2 == 8


def test_every_key_of_the_file_is_there(registry: Registry) -> None:
    assert sorted(keys("Keys")) == sorted(fields(compose(registry).file))
    assert keys("`timing`") == fields(Timing)
    assert keys("`settings`") == fields(CoreSettings)
    assert keys("`rules`") == fields(RuleBase)
    assert keys("`study`") == fields(ConditionBase, "complete")
    assert keys("`notify`") == fields(ChannelBase, "channel")
    assert keys("`targets`") == fields(TargetBase, "type")
    assert keys("`modules`") == fields(ModuleBase, "runner")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_everything_that_the_default_plugins_contribute_is_there(
    registry: Registry, kind: Kind
) -> None:
    base = BASES[kind.name]
    headings = re.findall(rf"^### `{kind.key}: (\S+)`$", PAGE, re.MULTILINE)
    models = compose(registry).choices[kind].models
    assert sorted(headings) == sorted(models)
    for name, model in models.items():
        assert keys(f"`{kind.key}: {name}`") == fields(model, *fields_of(base))


def test_every_section_of_the_settings_is_there(registry: Registry) -> None:
    assert sorted(re.findall(r"^### `settings: (\S+)`$", PAGE, re.MULTILINE)) == sorted(
        registry.settings
    )
    for plugin, model in registry.settings.items():
        assert keys(f"`settings: {plugin}`") == fields(model)
