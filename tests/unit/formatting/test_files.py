"""Files and how they are formatted: pairs of them, and those that come with mroute."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from mroute.config.compose import compose
from mroute.config.shapes import fields_of
from mroute.errors import ConfigurationError, MrouteError
from mroute.formatting import format_file, format_text, replace_file, rewrite
from mroute.formatting.order import order_at
from mroute.hooks import Hooks
from mroute.registry import Registry
from tests.conftest import ROOT

PAIRS = sorted((ROOT / "tests/fixtures/fmt").glob("*.in.yaml"))
DEFAULTS = "dicom,discard,dispatch,log,metrics,notification,processing,storage,studies"
BLOCK = re.compile(r"^```yaml(?: \S+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [
    ROOT / "README.md",
    ROOT / "docs/reference/configuration.md",
]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.collect(Hooks.load({"MROUTE_LOAD_PLUGINS": DEFAULTS}))


def test_there_are_pairs_of_many_kinds() -> None:
    assert len(PAIRS) >= 20


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name.partition(".")[0])
def test_a_file_is_formatted_as_the_other_says(pair: Path, registry: Registry) -> None:
    expected = pair.with_name(pair.name.replace(".in.", ".out.")).read_bytes()
    assert format_file(pair, registry).after.encode("utf-8") == expected
    text = expected.decode("utf-8")
    assert format_text("m.yaml", text, registry) == text


@pytest.mark.parametrize("name", ["cli/starter.yaml", "demo/mroute.yaml"])
def test_the_files_that_come_with_mroute_are_canonical(name: str, registry: Registry) -> None:
    text = (files("mroute") / name).read_text("utf-8")
    assert format_text(name, text, registry) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_rule_files_of_the_documentation_are_canonical(page: Path, registry: Registry) -> None:
    blocks = [
        each for each in BLOCK.findall(page.read_text("utf-8")) if "tags.Modality = " not in each
    ]
    assert [format_text("m.yaml", each, registry) for each in blocks] == blocks
    assert blocks


def test_formatting_needs_no_plugin() -> None:
    nobody = Registry.collect(Hooks.load({"MROUTE_LOAD_PLUGINS": ""}))
    text = "version: 1\nrules:\n  a:\n    zeal: 1\n    action: pray\n    when: '@Rows@==1'\n"
    assert format_text("m.yaml", text, nobody) == (
        "version: 1\nrules:\n  a:\n    when: tags.Rows == 1\n    action: pray\n    zeal: 1\n"
    )


def test_every_section_and_field_has_its_place(registry: Registry) -> None:
    top, rule = order_at(()), order_at(("rules", "a"))
    assert top is not None
    assert rule is not None
    assert top.first == tuple(fields_of(compose(registry).file))
    assert (*rule.first, *rule.last) == (
        *("when", "action", "on", "study", "modules", "settings", "targets", "notify"),
        *("priority", "fallback", "disabled", "contact", "comment"),
    )
    assert order_at(("rules",)) is None
    assert order_at(("rules", "a", "settings")) is None


def test_json(registry: Registry) -> None:
    content = {
        "rules": {"b": {"action": "discard", "when": "@Rows@==1", "comment": "é"}, "a": {}},
        "version": 1,
    }
    assert format_text("m.json", json.dumps(content), registry) == (
        '{\n  "version": 1,\n  "rules": {\n    "b": {\n      "when": "tags.Rows == 1",\n'
        '      "action": "discard",\n      "comment": "é"\n    },\n    "a": {}\n  }\n}\n'
    )


def test_toml(registry: Registry) -> None:
    text = "# head\r\nversion = 1   # one\n\n\n\n[rules.a]\naction = 'discard'\n"
    text += "when = '@Rows@==1' # why"
    assert format_text("m.toml", text, registry) == (
        "# head\nversion = 1   # one\n\n[rules.a]\naction = 'discard'\n"
        'when = "tags.Rows == 1" # why\n'
    )


BAD = "version: 1\nrules:\n  a: {when: tags.Rows = 1, action: discard}\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [(BAD, "3:23"), ("a: [1\n", "1:4"), ("a: 1\na: 2\n", "2:1"), ("- a\n", "1:1"), ("", "1:1")],
)
def test_what_cannot_be_read_is_refused(text: str, place: str, registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match=f"^m.yaml:{place}: error: "):
        format_text("m.yaml", text, registry)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ("version: 1\nrules: {}\n", "content"),
        ("version: 1  # one\nrules:\n  b: {when: tags.X == 1, action: x}\n  a: {}\n", "content"),
        ("version: 1\nrules:\n  a: {}\n  b: {when: tags.X == 1, action: x}\n", "comments"),
        ("version: 1  # one\nrules:\n  a: {}\n  b: {when: tags.X == 2, action: x}\n", "content"),
        ("[", "content"),
    ],
)
def test_a_fault_of_the_formatter_is_found(
    wrong: str, what: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "version: 1 # one\nrules:\n  a: {}\n  b: {when: '@X@==1', action: x}\n"
    monkeypatch.setattr(rewrite, "_write", lambda *_: wrong)
    with pytest.raises(MrouteError, match=f"left as it is: .* the same {what}"):
        format_text("m.yaml", text, registry)


def test_a_file_that_was_changed_meanwhile_is_left(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "mroute.yaml"
    path.write_text("version:  1\n")
    formatted = format_file(path, registry)
    path.write_text("version:   1\n")
    with pytest.raises(MrouteError, match="was changed meanwhile"):
        replace_file(formatted)
    assert path.read_text() == "version:   1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_comments_beside_and_below_a_key_stay_in_order(registry: Registry) -> None:
    text = "version: 1\nrules:\n  a: # p\n    # pp\n    {when: 'True', action: route}\n"
    text += "  b:\n    when: # w1\n      # w2\n      has(Modality)\n    action: route\n"
    assert format_text("m.yaml", text, registry) == (
        'version: 1\nrules:\n  # p\n  # pp\n  a: {when: "True", action: route}\n'
        "  b:\n    # w1\n    # w2\n    when: has(Modality)\n    action: route\n"
    )


def test_one_clause_with_a_comment_is_a_block(registry: Registry) -> None:
    text = "version: 1\nrules:\n  a:\n    when: |\n      tags.Modality == 'CT'  # three\n"
    text += "    action: route\n"
    assert format_text("m.yaml", text, registry) == text
