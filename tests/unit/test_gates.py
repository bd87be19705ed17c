"""The gates: what a reviewer would otherwise have to remember (blueprint section 10).

Each gate is applied to the repository, where it must find nothing, and to a planted fault, which it
must name: a gate that cannot fail guards nothing.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pluggy
import pytest

from mroute import hookspecs
from mroute.cli import main
from tests.unit import gates

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PLUGINS = gates.plugin_packages(ROOT / "plugins")
MODULES = sorted([*(ROOT / "mroute").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
QUOTING = [page for page in PAGES if page != ROOT / "README.md"]
"""The files of the README are written and used by ``tests/e2e/test_readme.py``."""
ONLY_DEFAULT_PLUGINS = {"MROUTE_LOAD_PLUGINS": gates.default_plugins(ROOT / "plugins")}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture
def specs() -> ModuleType:
    """A module with one hook specification: ``mroute_thing(series, context)``."""
    module = ModuleType("specs")

    def mroute_thing(series: object, context: object) -> None:
        """Plan a thing."""

    pluggy.HookspecMarker("mroute")(mroute_thing)
    module.mroute_thing = mroute_thing  # type: ignore[attr-defined]
    return module


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of the given name and returns its path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write


# Hooks


def test_every_hook_is_documented_with_its_signature() -> None:
    page = (DOCS / "reference/hooks.md").read_text("utf-8")
    assert gates.undocumented_hooks(hookspecs, page) == []


def test_a_hook_documented_with_another_signature_is_found(specs: ModuleType) -> None:
    assert gates.undocumented_hooks(specs, "### `mroute_thing(series)`\n") == [
        "no heading '### `mroute_thing(series, context)`'",
        "no hook with the signature of the heading 'mroute_thing(series)'",
    ]
    assert gates.undocumented_hooks(specs, "### `mroute_thing(series, context)`\n") == []


def test_every_hook_has_a_test_file() -> None:
    assert gates.untested_hooks(hookspecs, ROOT / "tests/hooks") == []


def test_a_hook_without_a_test_file_is_found(
    specs: ModuleType, tmp_path: Path, written: Callable[[str, str], Path]
) -> None:
    assert gates.untested_hooks(specs, tmp_path) == [
        "hook 'mroute_thing' has no file 'test_mroute_thing.py'"
    ]
    written("test_mroute_thing.py", "")
    assert gates.untested_hooks(specs, tmp_path) == [
        "hook 'mroute_thing' has a file without a test"
    ]
    written("test_mroute_thing.py", "def test_it() -> None: ...\n")
    assert gates.untested_hooks(specs, tmp_path) == []


def test_every_hook_has_an_implementation_in_the_tree() -> None:
    modules = [importlib.import_module(each) for each in PLUGINS]
    assert gates.unimplemented_hooks(hookspecs, modules) == []


def test_a_hook_that_nobody_implements_is_found(specs: ModuleType) -> None:
    plugin = ModuleType("plugin")
    plugin.mroute_thing = lambda: None  # type: ignore[attr-defined]
    expected = ["hook 'mroute_thing' is implemented by no default plugin"]
    assert gates.unimplemented_hooks(specs, [plugin]) == expected
    pluggy.HookimplMarker("mroute")(plugin.mroute_thing)
    assert gates.unimplemented_hooks(specs, [plugin]) == []


# Packaging


def test_the_project_file_names_every_plugin_everywhere(project: dict[str, Any]) -> None:
    assert gates.plugins_not_declared(project, PLUGINS) == []
    assert len(PLUGINS) >= 8


def test_a_plugin_that_is_not_declared_is_found(project: dict[str, Any]) -> None:
    findings = gates.plugins_not_declared(project, [*PLUGINS, "mroute_forgotten"])
    assert findings == [
        "packages of the wheel: 'mroute_forgotten' is missing",
        "entry points: 'mroute_forgotten' is missing",
        "root packages of import-linter: 'mroute_forgotten' is missing",
        "contract 'core-knows-no-plugin': 'mroute_forgotten' is missing",
        "contract 'plugins-use-the-api': 'mroute_forgotten' is missing",
        "contract 'plugins-are-strangers': 'mroute_forgotten' is missing",
    ]


def test_an_entry_point_that_leads_elsewhere_is_found(project: dict[str, Any]) -> None:
    changed = copy.deepcopy(project)
    changed["project"]["entry-points"]["mroute"]["discard"] = "mroute_dispatch"
    assert gates.plugins_not_declared(changed, PLUGINS) == [
        "entry points: 'mroute_discard' is missing",
        "entry points: 'discard' should be the plugin of 'mroute_discard'",
    ]


def test_libraries_are_declared_and_used(project: dict[str, Any]) -> None:
    # The fixtures for plugin authors are imported by a pytest that is there.
    modules = [file for file in MODULES if file.name != "pytest_plugin.py"]
    assert gates.imports_and_dependencies(modules, project) == []


def test_a_library_that_is_not_declared_and_one_that_is_not_used_are_found(
    written: Callable[[str, str], Path],
) -> None:
    file = written(
        "code.py",
        "import json, yaml\nfrom mroute.api import hookimpl\nimport mroute_log\n"
        "def later():\n    from lark import Lark\n    import nowhere.at_all\n",
    )
    project = {
        "project": {
            "dependencies": ["PyYAML>=6", "httpx2[cli]>=2"],
            "optional-dependencies": {"regex": ["google-re2>=1"], "test": ["pytest>=8"]},
            "entry-points": {"mroute": {"log": "mroute_log"}},
        }
    }
    assert gates.imports_and_dependencies([file], project) == [
        "'lark' is imported, not declared",
        "'nowhere' is imported, not declared",
        "'google-re2' is declared, not imported",
        "'httpx2' is declared, not imported",
    ]


# Schemas


def schema(name: str) -> str:
    """What ``mroute schema`` prints where only the default plugins are installed."""
    command = [str(Path(sys.executable).with_name("mroute")), "schema", name]
    return subprocess.run(
        command,
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, **ONLY_DEFAULT_PLUGINS},
    ).stdout


@pytest.mark.parametrize("name", ["rules", "settings", "task"])
def test_the_schema_in_the_tree_is_the_one_that_is_generated(name: str) -> None:
    """After a change on purpose: ``mroute schema NAME -o schemas/NAME.schema.json``."""
    assert (ROOT / f"schemas/{name}.schema.json").read_text("utf-8") == schema(name)


def schema_in_the_tree(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / f"schemas/{name}.schema.json").read_text("utf-8"))
    return content


@pytest.mark.parametrize(("name", "keys"), [("rules", 80), ("settings", 7), ("task", 35)])
def test_every_key_of_a_schema_is_described_and_has_examples_that_fit(name: str, keys: int) -> None:
    content = schema_in_the_tree(name)
    assert len(list(gates.keys_of(content))) >= keys
    assert gates.unexplained_keys(content) == []
    assert gates.unexplained_members(content) == []
    assert gates.misfit_examples(content) == []


def test_a_key_without_a_word_about_it_is_found() -> None:
    good = {"type": "string", "description": "Who to ask.", "examples": ["me"]}
    content = {
        "$defs": {
            "Rule": {
                "properties": {
                    "contact": good,
                    "silent": {"type": "string"},
                    "terse": {**good, "description": "Terse"},
                    "empty": {**good, "examples": []},
                    "list": {**good, "items": {"anyOf": [{"properties": {"inner": {}}}]}},
                },
                "not": {"properties": {"silent": {}}},
            },
            "Order": {"enum": ["urgent", "normal"], "description": "`urgent`: at once."},
        },
        "properties": {"map": {**good, "additionalProperties": {"properties": {"below": good}}}},
    }
    assert gates.unexplained_keys(content) == [
        "'Rule.silent' has no sentence that describes it",
        "'Rule.silent' has no example",
        "'Rule.terse' has no sentence that describes it",
        "'Rule.empty' has no example",
        "'Rule.list.inner' has no sentence that describes it",
        "'Rule.list.inner' has no example",
    ]
    assert "map.below" in dict(gates.keys_of(content))
    assert gates.unexplained_members(content) == ["'Order' says nothing about 'normal'"]


def test_an_example_that_does_not_fit_is_found() -> None:
    wait = {"type": "string", "pattern": "^[0-9]+s$"}
    content = {
        "$defs": {"Wait": wait},
        "properties": {
            "first": {"$ref": "#/$defs/Wait", "examples": ["5s", "5"]},
            "all": {"type": "array", "items": {"$ref": "#/$defs/Wait"}, "examples": ["5s", ["5s"]]},
            "time": {"type": "string", "format": "date-time", "examples": ["2026-11-24T08:30:00Z"]},
        },
    }
    assert gates.misfit_examples(content) == [
        "'first' does not take its example '5': '5' does not match '^[0-9]+s$'",
        "'all' does not take its example '5s': '5s' is not of type 'array'",
    ]


@pytest.mark.parametrize("name", ["rules", "settings", "task"])
def test_every_key_of_a_schema_would_be_missed(name: str) -> None:
    content = schema_in_the_tree(name)
    for path, each in gates.keys_of(content):
        assert isinstance(each, dict)
        taken = {key: each.pop(key) for key in ("description", "examples")}
        assert gates.unexplained_keys(content) == [
            f"'{path}' has no sentence that describes it",
            f"'{path}' has no example",
        ]
        each.update(taken)


# Modules


def test_every_module_says_what_it_knows_and_what_it_does_not() -> None:
    assert gates.silent_docstrings(MODULES) == []


def test_a_docstring_that_says_too_little_is_found(written: Callable[[str, str], Path]) -> None:
    files = [
        written("empty.py", ""),
        written("boastful.py", '"""Routes.\n\nKnows everything."""\n'),
        written("modest.py", '"""Routes.\n\nDoes not do anything."""\n'),
        written("good.py", '"""Routes.\n\nKnows the way. Does not know why."""\n'),
    ]
    assert gates.silent_docstrings(files) == [
        "empty.py does not say what it knows",
        "empty.py does not say what it does not know",
        "boastful.py does not say what it does not know",
        "modest.py does not say what it knows",
    ]


def test_the_example_plugin_imports_the_api_only() -> None:
    files = list((ROOT / "tests/example_plugin").rglob("*.py"))
    assert len(files) > 2
    assert gates.foreign_imports(files, ["mroute.api"]) == []


def test_an_import_past_the_api_is_found(written: Callable[[str, str], Path]) -> None:
    file = written("sly.py", "import mroute.spool.files\nfrom mroute.api import hookimpl\n")
    assert gates.foreign_imports([file], ["mroute.api"]) == ["sly.py imports mroute.spool.files"]
    file = written("sly.py", "from mroute.types import Series\n")
    assert gates.foreign_imports([file], ["mroute.api"]) == ["sly.py imports mroute.types"]


def test_modules_are_small() -> None:
    assert gates.outsized_modules(MODULES) == []


def test_a_module_that_is_too_long_is_found(written: Callable[[str, str], Path]) -> None:
    files = [
        written("short.py", "x = 1\n" * 120),
        written("long.py", "x = 1\n" * 401),
        written("allowed.py", "x = 1\n" * 400),
    ]
    assert gates.outsized_modules(files) == [
        "long.py has 401 lines, more than 400",
        "the median module has 400 lines, more than 120",
    ]
    assert gates.outsized_modules(files[:1]) == []


# Tests


@pytest.mark.parametrize("file", TESTS, ids=lambda file: str(file.relative_to(ROOT / "tests")))
def test_every_test_asserts_something(file: Path) -> None:
    assert gates.idle_tests(file.read_text("utf-8")) == []


def test_a_test_that_asserts_nothing_is_found() -> None:
    source = """
def test_calls_only():
    print(len("text"))

def test_asserts_a_constant():
    assert True

def test_asserts_a_pair():
    assert (1, "never false")

class TestGroup:
    def test_in_a_class(self):
        pass

def test_asserts():
    assert len("text") == 4

def test_raises():
    with pytest.raises(ValueError):
        int("x")

def test_leaves_it_to_a_check():
    gates.check_all("text")

def not_a_test():
    pass
"""
    assert gates.idle_tests(source) == [
        "test_calls_only asserts nothing",
        "test_asserts_a_constant asserts nothing",
        "test_asserts_a_pair asserts nothing",
        "test_in_a_class asserts nothing",
    ]


# Documentation

DOCUMENTED = (
    *("compose_task", "add_info", "create_series_task"),
    *("add_dispatching", "add_processing"),
    *("add_study", "create_study_task", "update_study_task"),
    "get_triggered_rules",
    *("push_series_serieslevel", "push_serieslevel_routing", "push_serieslevel_processing"),
    *("push_serieslevel_notification", "push_serieslevel_outgoing"),
    *("trigger_serieslevel_notification", "push_series_studylevel"),
    *("push_files", "remove_series", "push_series_complete"),
    "route_error_files",
    *("route_studies", "is_study_locked", "is_study_complete", "check_study_timeout"),
    "check_study_series",
    *("push_studylevel_dispatch", "push_studylevel_processing", "push_studylevel_notification"),
    *("push_studylevel_error", "trigger_studylevel_notification", "move_study_folder"),
    "remove_study_folder",
)
"""The documented functions (blueprint section 8)."""


def test_every_documented_function_has_a_place_and_a_test() -> None:
    page = (DOCS / "reference/documented-functions.md").read_text("utf-8")
    assert gates.undocumented_functions(page, DOCUMENTED, ROOT) == []


def test_a_wrong_row_of_the_documented_functions_is_found() -> None:
    page = """
| `good` | `mroute.names.safe_name` | `tests/unit/test_gates.py::test_modules_are_small` |
| `later` | later: issue 7 | later: issue 7 |
| `lost` | `mroute.names.nowhere` | `tests/unit/test_gates.py::test_of_nothing` |
| `vague` | somewhere | `tests/unit/test_nothing.py::test_x` |
| `strange` | `nowhere.at_all` | later: issue 7 |
"""
    documented = ("good", "later", "lost", "vague", "missing")
    assert gates.undocumented_functions(page, documented, ROOT) == [
        "'missing' has no row",
        "'strange' is no documented function",
        "'lost' lives in 'mroute.names.nowhere', which does not exist",
        "'lost' is held by 'tests/unit/test_gates.py::test_of_nothing', which is no test",
        "'vague' lives in 'somewhere', which does not exist",
        "'vague' is held by 'tests/unit/test_nothing.py::test_x', which is no test",
        "'strange' lives in 'nowhere.at_all', which does not exist",
    ]


def test_every_command_and_option_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MROUTE_LOAD_PLUGINS", ONLY_DEFAULT_PLUGINS["MROUTE_LOAD_PLUGINS"])
    page = (DOCS / "reference/commands.md").read_text("utf-8")
    assert isinstance(main, click.Group)
    assert gates.unmentioned_commands(main, page) == []


def test_a_command_without_a_word_about_it_is_found() -> None:
    @click.group()
    def cli() -> None: ...

    @cli.command()
    @click.argument("file")
    @click.option("-o", "--output")
    def write(file: str, output: str) -> None: ...

    @cli.command()
    def forgotten() -> None: ...

    assert gates.unmentioned_commands(cli, "## `mroute write FILE`\n\nWrites.\n") == [
        "'mroute forgotten' has no heading",
        "'mroute write' says nothing about '--output'",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_the_documentation_leads_somewhere(page: Path) -> None:
    assert gates.dead_links([page]) == []


def test_a_dead_link_is_found(written: Callable[[str, str], Path]) -> None:
    written("other.md", "# What `it` is\n")
    page = written(
        "page.md",
        "[a](other.md) [b](other.md#what-it-is) [c](https://x.example) [d](gone.md) [e](#gone)\n"
        "```\n[f](not-a-link.md)\n```\n",
    )
    assert gates.dead_links([page]) == [
        "page.md: 'gone.md' leads nowhere",
        "page.md: '#gone' is no heading",
    ]


@pytest.mark.parametrize("page", QUOTING, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_that_is_quoted_from_a_file_is_what_the_file_says(page: Path) -> None:
    assert gates.stale_excerpts(page, ROOT) == []


def test_a_quotation_that_went_stale_is_found(
    tmp_path: Path, written: Callable[[str, str], Path]
) -> None:
    written("a/code.py", "a = 1\nb = 2\n")
    page = written(
        "page.md",
        "```python a/code.py\nb = 2\n```\n"
        "```python a/code.py\nb = 3\n```\n"
        "```python a/gone.py\nb = 2\n```\n"
        "```python\nb = 4\n```\n```python own.py\nb = 5\n```\n",
    )
    assert gates.stale_excerpts(page, tmp_path) == [
        "page.md: the block of 'a/code.py' is not what the file says",
        "page.md: there is no file 'a/gone.py'",
    ]


def test_the_index_lists_every_page() -> None:
    assert gates.unlisted_pages(DOCS / "README.md", sorted(DOCS.rglob("*.md"))) == []


def test_a_page_that_the_index_leaves_out_is_found(written: Callable[[str, str], Path]) -> None:
    pages = [written("listed.md", ""), written("forgotten.md", "")]
    index = written("README.md", "[listed](listed.md)\n")
    assert gates.unlisted_pages(index, [index, *pages]) == ["'forgotten.md' is not in the index"]
