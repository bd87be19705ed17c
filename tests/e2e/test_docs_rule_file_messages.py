"""The page on the problems of the rule file: every code, and every file that it shows, is true.

Knows the page and the default plugins. Does not know how a problem is found.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mroute.config import rules_schema, validate
from mroute.config.codes import Code
from mroute.config.yaml_nodes import read_yaml
from mroute.hooks import Hooks
from mroute.registry import Registry
from tests.conftest import ROOT
from tests.unit import gates

REFERENCE = ROOT / "docs" / "reference"
PAGE = (REFERENCE / "rule-file-messages.md").read_text("utf-8")
SECTIONS = re.findall(r"^### (MR\d+)\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL)
SHOWN_ELSEWHERE = {
    Code.UNREADABLE: "tests/unit/config/test_files.py::test_a_folder",
    Code.ENCODING: "tests/unit/config/test_files.py::test_a_file_that_is_not_utf_8",
    Code.PLUGIN_NAME: "tests/unit/config/test_compose.py"
    "::test_a_plugin_must_not_be_named_like_a_core_setting",
    Code.PLUGIN_FAILED: "tests/unit/config/test_compose.py"
    "::test_a_plugin_that_fails_to_check_a_value_is_named",
    Code.SPOOL_MOVED: "tests/e2e/test_run.py::test_a_spool_is_not_exchanged_while_mroute_runs",
}
"""Codes that no content of a file gives, with the test that has each."""


def blocks(fence: str) -> list[tuple[str, str]]:
    """The blocks of one kind, each with the code of its section."""
    return [
        (code, block)
        for code, text in SECTIONS
        for block in re.findall(rf"^```{fence}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


WRONG, RIGHT = blocks("yaml-wrong"), blocks("yaml-right")
OTHERS = [
    *re.findall(
        r"^```yaml[^\n]*\n(.*?)^```$",
        "".join(
            path.read_text("utf-8")
            for path in (
                ROOT / "README.md",
                REFERENCE / "configuration.md",
                REFERENCE / "embedding.md",
            )
        ),
        re.MULTILINE | re.DOTALL,
    ),
    (ROOT / "mroute/cli/starter.yaml").read_text("utf-8"),
]
"""The rule files of the other pages, and the one that `mroute init` writes."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The default plugins, whatever else is installed."""
    defaults = "dicom,discard,dispatch,log,metrics,notification,processing,storage,studies"
    return Registry.collect(Hooks.load({"MROUTE_LOAD_PLUGINS": defaults}))


@pytest.fixture(scope="module")
def editor(registry: Registry) -> Draft202012Validator:
    """What an editor has: the exported schema."""
    return Draft202012Validator(json.loads(json.dumps(rules_schema(registry))))


def found(text: str, registry: Registry, folder: Path) -> dict[str, str]:
    """The codes of the problems of a file, with the severity of each."""
    path = folder / "mroute.yaml"
    path.write_text(text, "utf-8")
    return {each.code: each.severity.value for each in validate(path, registry)}


def test_every_code_has_its_section_in_order() -> None:
    assert [code for code, _ in SECTIONS] == [str(code) for code in Code]


def test_every_code_is_shown_by_files_or_by_a_test() -> None:
    shown = [code for code, _ in WRONG]
    assert shown == [code for code, _ in RIGHT]
    assert [code for code in Code if code not in shown] == list(SHOWN_ELSEWHERE)
    for test in SHOWN_ELSEWHERE.values():
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text("utf-8")
        assert name in [each.name for each in gates.tests_in(source)], test


@pytest.mark.parametrize(("code", "text"), WRONG)
def test_a_wrong_file_has_the_problem(
    code: str, text: str, registry: Registry, tmp_path: Path
) -> None:
    section = dict(SECTIONS)[code]
    severity = "warning" if section.strip().startswith("A warning:") else "error"
    assert found(text, registry, tmp_path)[code] == severity


@pytest.mark.parametrize(("code", "text"), RIGHT)
def test_a_right_file_has_none(
    code: str, text: str, registry: Registry, editor: Draft202012Validator, tmp_path: Path
) -> None:
    assert found(text, registry, tmp_path) == {}
    root = read_yaml(text).root
    assert root is not None
    assert list(editor.iter_errors(root.value)) == []


@pytest.mark.parametrize(
    ("code", "text"),
    [each for each in WRONG if "MR210" <= each[0] <= "MR222" and each[0] != "MR220"],
)
def test_an_editor_refuses_a_wrong_file(code: str, text: str, editor: Draft202012Validator) -> None:
    root = read_yaml(text).root
    assert root is not None
    assert list(editor.iter_errors(root.value)) != []


@pytest.mark.parametrize("text", [each for each in OTHERS if "anonymize-and" not in each])
def test_an_editor_takes_the_other_rule_files_of_the_documentation(
    text: str, editor: Draft202012Validator
) -> None:
    root = read_yaml(text if "version: 1" in text else f"version: 1\n{text}").root
    assert root is not None
    assert list(editor.iter_errors(root.value)) == []
