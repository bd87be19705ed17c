"""Unknown names: what there is instead, and which plugin it once came from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mroute.config import validate
from mroute.errors import PluginError
from mroute.plugins import LoadedPlugin
from mroute.registry import Registry
from tests.unit.config.conftest import CORE, Site, make_registry

RULES = """\
# yaml-language-server: $schema=rules.schema.json
version: 1
targets: {attic: {type: folder, path: x}}
rules:
  old:
    when: tags.Modality == 'MR'
    action: archive
"""


def said(
    site: Site, registry: Registry, text: str = RULES, name: str = "m.yaml"
) -> tuple[str, str]:
    """Message and hint of the one problem, for the plugins in ``registry``."""
    [problem] = validate(site.write(text, name), registry)
    return problem.message, problem.hint


def without_archive(*plugins: LoadedPlugin, **more: Any) -> Registry:
    return make_registry(*(plugins or (CORE,)), without=("archive",), **more)


def test_the_schema_that_the_file_names_tells_the_plugin(site: Site) -> None:
    site.export_schema(site.registry)
    [problem] = validate(site.write(RULES), without_archive())
    assert (problem.code, problem.line, problem.column) == ("MR215", 7, 13)
    assert problem.message == (
        "unknown action 'archive': it came from plugin 'archive' (distribution mroute-example), "
        "which is not installed"
    )
    assert problem.hint == "pip install mroute-example"


def test_a_plugin_that_cannot_be_loaded_is_named_with_its_error(site: Site) -> None:
    site.export_schema(site.registry)
    broken = LoadedPlugin("archive", "mroute-example", "1.0", "ImportError: no module 'x'")
    message, hint = said(site, without_archive(CORE, broken))
    assert message == (
        "unknown action 'archive': it came from plugin 'archive' (distribution mroute-example), "
        "which cannot be used: ImportError: no module 'x'"
    )
    assert hint == "see 'mroute plugins show archive'"


def test_a_plugin_that_raises_is_named_with_its_error(site: Site) -> None:
    site.export_schema(site.registry)
    loaded = LoadedPlugin("archive", "mroute-example", "1.0")
    error = PluginError("archive", "hook 'mroute_actions' raised KeyError: 'x'")
    message, _ = said(site, without_archive(CORE, loaded, errors=(error,)))
    assert message.endswith("which cannot be used: hook 'mroute_actions' raised KeyError: 'x'")


def test_a_plugin_that_does_not_contribute_it_any_more(site: Site) -> None:
    site.export_schema(site.registry)
    newer = LoadedPlugin("archive", "mroute-example", "2.0")
    message, hint = said(site, without_archive(CORE, newer))
    assert message.endswith("(distribution mroute-example), which does not contribute it any more")
    assert hint == "see 'mroute plugins show archive'"


def test_a_plugin_that_is_disabled(site: Site) -> None:
    # pytest stands for a distribution that is installed.
    site.export_schema(make_registry(LoadedPlugin("archive", "pytest", "1.0"), CORE))
    message, hint = said(site, without_archive())
    assert message.endswith("plugin 'archive' (distribution pytest), which is not loaded")
    assert hint == "see MROUTE_DISABLE_PLUGINS and MROUTE_LOAD_PLUGINS in the environment"


def test_a_plugin_without_a_distribution(site: Site) -> None:
    site.export_schema(make_registry(CORE))
    message, hint = said(site, without_archive())
    assert message.endswith("plugin 'archive' (distribution unknown), which is not installed")
    assert hint == "pip install archive"


def test_without_a_schema_the_known_names_are_told(site: Site) -> None:
    assert said(site, without_archive()) == (
        "unknown action 'archive', expected one of 'both', 'discard', 'route'",
        "is the plugin installed that contributes this action?",
    )


def test_without_a_schema_a_broken_plugin_may_be_the_one(site: Site) -> None:
    broken = LoadedPlugin("archive", "mroute-example", "1.0", "ImportError: no module 'x'")
    _, hint = said(site, without_archive(broken))
    assert (
        hint == "plugin 'archive' may contribute it, but cannot be used: ImportError: no module 'x'"
    )
    _, hint = said(site, without_archive(broken), RULES.replace("action: archive", "action: rout"))
    assert hint.startswith("did you mean 'route'?; plugin 'archive' may contribute it")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        '{"x-mroute-contributions": 3}',
        '{"x-mroute-contributions": {"action": {"archive": {"name": 1, "distribution": "x"}}}}',
        "[" * 100_000,
        "\x80",
    ],
)
def test_a_schema_that_is_none_is_of_no_use_and_no_harm(site: Site, content: str) -> None:
    site.write(content.encode("latin-1"), "rules.schema.json")
    message, _ = said(site, without_archive())
    assert message.startswith("unknown action 'archive', expected one of")


@pytest.mark.parametrize("named", ["nowhere.json", "https://example.org/s.json", ".", "a\0b"])
def test_a_schema_that_cannot_be_read_is_of_no_use_and_no_harm(site: Site, named: str) -> None:
    site.export_schema(site.registry)
    text = json.dumps(
        {"$schema": named, "version": 1, "rules": {"a": {"when": "True", "action": "archive"}}}
    )
    message, _ = said(site, without_archive(), text, "m.json")
    assert message.startswith("unknown action 'archive', expected one of")


def test_json_and_toml_name_their_schema_in_their_own_way(site: Site) -> None:
    site.export_schema(site.registry)
    rules = {"a": {"when": "True", "action": "archive"}}
    text = json.dumps({"$schema": "rules.schema.json", "version": 1, "rules": rules})
    assert said(site, without_archive(), text, "m.json")[1] == "pip install mroute-example"
    text = (
        "#:schema ./rules.schema.json\nversion = 1\n[rules.a]\nwhen = 'True'\naction = 'archive'\n"
    )
    assert said(site, without_archive(), text, "m.toml")[1] == "pip install mroute-example"


@pytest.mark.parametrize(
    ("missing", "text", "line", "column", "kind"),
    [
        ("folder", "targets: {a: {type: folder, path: x}}", 3, 21, "target type 'folder'"),
        ("command", "modules: {a: {runner: command, command: [x]}}", 3, 23, "runner 'command'"),
        (
            "mail",
            "rules: {a: {when: 'True', action: discard, notify: [{channel: mail}]}}",
            3,
            63,
            "channel 'mail'",
        ),
        (
            "timeout",
            "rules: {a: {when: 'True', action: discard, on: study, study: {complete: timeout}}}",
            3,
            73,
            "condition 'timeout'",
        ),
        (
            "age_years",
            "rules: {a: {when: age_years(tags.PatientAge) > 3, action: discard}}",
            3,
            19,
            "function 'age_years'",
        ),
    ],
)
def test_every_kind_is_traced(
    site: Site, missing: str, text: str, line: int, column: int, kind: str
) -> None:
    gone = LoadedPlugin("core", "mroute-gone", "1.0")
    site.export_schema(make_registry(gone))
    text = f"# yaml-language-server: $schema=rules.schema.json\nversion: 1\n{text}\n"
    if "rules" not in text:
        text += "rules: {z: {when: 'True', action: discard}}\n"
    registry = make_registry(LoadedPlugin("other", "other", "1"), without=(missing,))
    [problem] = [each for each in validate(site.write(text), registry) if each.severity == "error"]
    assert (problem.line, problem.column) == (line, column)
    assert problem.message.startswith(f"unknown {kind}")
    assert problem.message.endswith(
        ": it came from plugin 'core' (distribution mroute-gone), which is not installed"
    )


def test_a_section_of_a_plugin_that_is_gone(site: Site) -> None:
    site.export_schema(make_registry(LoadedPlugin("receiver", "mroute-receiver", "1")))
    text = RULES.replace("archive", "discard") + "settings: {receiver: {port: 3}}\n"
    [problem] = validate(site.write(text), make_registry(CORE, settings={}))
    assert (problem.code, problem.line, problem.column) == ("MR210", 8, 12)
    assert problem.message == (
        "unknown key 'receiver' in 'settings': it came from plugin 'receiver' "
        "(distribution mroute-receiver), which is not installed"
    )
    assert problem.hint == "pip install mroute-receiver"
