"""An expression's problem is shown where it is in the file, however the text is written."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mroute.config.alignment import origins
from mroute.config.nodes import Content, Node, Style
from mroute.config.plain_nodes import read_json, read_toml
from mroute.config.yaml_nodes import read_yaml
from tests.unit.config.conftest import Site


def unknown_tag(site: Site, when: str, name: str = "mroute.yaml") -> tuple[int, int, str]:
    """Line, column and what is underlined of the one problem, the tag Foo."""
    text = f"version: 1\nrules:\n  a:\n    action: discard\n    when: {when}\n"
    [problem] = site.problems(text, name)
    assert (problem.code, problem.message) == ("MR120", "unknown tag 'Foo'")
    start = problem.column - 1
    return problem.line, problem.column, problem.source[start : start + problem.length]


@pytest.mark.parametrize(
    ("when", "line", "column"),
    [
        ("tags.Foo == 1", 5, 11),
        ("&anchor tags.Foo == 1", 5, 19),
        ("!!str tags.Foo == 1", 5, 17),
        ("tags.Modality == 'MR' and tags.Foo == 1", 5, 37),
        ("tags.Modality == 'MR'\n      and tags.Foo == 1", 6, 11),
        ("tags.Modality == 'MR'\n\n\n      and tags.Foo == 1", 8, 11),
        ("'tags.Foo == 1'", 5, 12),
        ("'''x'' in [''a'', ''x''] and tags.Foo == 1'", 5, 40),
        ("'tags.Modality == ''MR''\n       and tags.Foo == 1'", 6, 12),
        ('"tags.Foo == 1"', 5, 12),
        ("\"'a\\t\\x41\\u0041\\U00000041' in tags.Filename or tags.Foo == 1\"", 5, 58),
        ("\"tags.Modality == 'MR' \\\n       and \\\n     tags.Foo == 1\"", 7, 6),
        ("|\n      tags.Foo == 1", 6, 7),
        ("|\n      tags.Modality == 'MR'\n        and tags.Foo == 1", 7, 13),
        ("|-  # a comment\n      tags.Modality == 'MR'\n\n      and tags.Foo == 1", 8, 11),
        ("|1\n      tags.Foo == 1", 6, 7),
        (">\n      tags.Foo == 1", 6, 7),
        (">\n      tags.Modality == 'MR'\n      and tags.Foo == 1", 7, 11),
        (">-\n      tags.Modality == 'MR'\n\n      and tags.Foo == 1", 8, 11),
        (">\n      tags.Modality == 'MR'\n        and tags.Foo == 1\n      and True", 7, 13),
    ],
)
def test_yaml(site: Site, when: str, line: int, column: int) -> None:
    assert unknown_tag(site, when) == (line, column, "tags.Foo")


@pytest.mark.parametrize(
    ("when", "line", "column"),
    [
        ('"tags.Foo == 1"', 4, 9),
        ("'tags.Foo == 1'", 4, 9),
        ('"\'a\\t\\u0041\\"\' in tags.Filename or tags.Foo == 1"', 4, 43),
        ('"""\ntags.Foo == 1"""', 5, 1),
        ("'''\n  tags.Foo == 1'''", 5, 3),
        ('"""tags.Modality == "MR" \\\n\n   and tags.Foo == 1"""', 6, 8),
        ("'''tags.Modality == 'MR'\r\n   and tags.Foo == 1'''", 5, 8),
    ],
)
def test_toml(site: Site, when: str, line: int, column: int) -> None:
    text = f"version = 1\n[rules.a]\naction = 'discard'\nwhen = {when} # x\n"
    [problem] = site.problems(text, "mroute.toml")
    assert (problem.line, problem.column, problem.code) == (line, column, "MR120")
    assert problem.source[column - 1 :].startswith("tags.Foo")


@pytest.mark.parametrize(
    ("when", "column"),
    [
        ('"tags.Foo == 1"', 12),
        ('"\'\\ud83d\\ude00 \\u0041\\/\\"\' in tags.Modality\\n or tags.Foo == 1"', 60),
    ],
)
def test_json(site: Site, when: str, column: int) -> None:
    text = f'{{"version": 1, "rules": {{"a": {{"action": "discard",\n  "when": {when}}}}}}}'
    [problem] = site.problems(text, "mroute.json")
    assert (problem.line, problem.column, problem.length) == (2, column, 8)
    assert problem.source[column - 1 :].startswith("tags.Foo")


def test_a_problem_over_several_lines_is_underlined_to_the_end_of_the_first(site: Site) -> None:
    text = (
        "version: 1\nrules:\n  a:\n    action: discard\n    when: |\n      len(\n      1\n      )\n"
    )
    [first, *_] = site.problems(text)
    assert (first.line, first.column, first.source) == (6, 7, "      len(")
    assert first.column - 1 + first.length <= len(first.source)


def scalar(content: Content) -> Node:
    assert content.faults == ()
    assert content.root is not None
    node = content.root.child("k")
    assert node is not None
    return node


def check_aligned(text: str, node: Node, value: str) -> None:
    """Characters that are written as they are must be where they are said to be."""
    offsets = origins(text, node)
    assert node.value == value
    assert len(offsets) == len(value) + 1
    assert offsets == sorted(offsets)
    for character, offset in zip(value, offsets, strict=False):
        written = text[offset]
        assert written == character or written == "\\" or character in " \n'", (character, offset)


words = st.text(st.sampled_from("abAB01 .='\"()\\\t\né😀#:-"), min_size=1, max_size=60)


@given(words, st.sampled_from(["'", '"', "|", ">", None]), st.integers(20, 80))
def test_where_yaml_wrote_it(value: str, style: str | None, width: int) -> None:
    text = yaml.dump({"k": value}, default_style=style, width=width, allow_unicode=True)
    node = scalar(read_yaml(text))
    if isinstance(node.value, str):
        check_aligned(text, node, value)


@given(words, st.booleans())
def test_where_json_wrote_it(value: str, ascii_only: bool) -> None:
    text = json.dumps({"x": [1, {"y": "}"}], "k": value}, ensure_ascii=ascii_only)
    check_aligned(text, scalar(read_json(text)), value)


@given(words)
def test_where_toml_has_it(value: str) -> None:
    text = f"x = [1, # ]\n {{y = '}}'}}]\nk = {json.dumps(value, ensure_ascii=False)}\n"
    assert tomllib.loads(text)["k"] == value
    check_aligned(text, scalar(read_toml(text)), value)


def test_a_text_that_does_not_fit_its_place_is_shown_where_it_begins() -> None:
    node = Node("longer than what is there", 2, 5, "x", Style.DOUBLE)
    offsets = origins("k: 'x'", node)
    assert offsets[0] == 3
    assert len(offsets) == len(node.value) + 1


keys = st.text(st.sampled_from("ab.'\" =é[]{}"), max_size=6)
values = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | keys,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def written(text: str, node: Node) -> None:
    """Every value is where its node says: what is written there reads as the value."""
    if node.entries is None and node.items is None:
        assert json.loads(text[node.start : node.end]) == node.value
    for key, entry in (node.entries or {}).items():
        assert json.loads(text[entry.start : entry.end]) == key
        written(text, entry.node)
    for item in node.items or ():
        written(text, item)


@given(st.dictionaries(keys, values, max_size=3), st.sampled_from([None, 2]))
def test_everything_in_json_is_where_it_is_said_to_be(content: Any, indent: int | None) -> None:
    text = json.dumps(content, indent=indent)
    root = read_json(text).root
    assert root is not None
    assert root.value == content
    written(text, root)


def inline(value: Any) -> str:
    """A value as TOML writes it within a line."""
    if isinstance(value, dict):
        entries = ", ".join(f"{json.dumps(k)} = {inline(v)}" for k, v in value.items())
        return f"{{{entries}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return json.dumps(value, ensure_ascii=False)


@given(st.dictionaries(keys, values, max_size=3))
def test_everything_in_toml_is_where_it_is_said_to_be(content: Any) -> None:
    tables = {k: v for k, v in content.items() if isinstance(v, dict)}
    text = "".join(
        f"{json.dumps(k, ensure_ascii=False)} = {inline(v)}\n"
        for k, v in content.items()
        if k not in tables
    )
    for name, table in tables.items():
        text += f"[ {json.dumps(name, ensure_ascii=False)} ] # ]\n"
        for key, value in table.items():
            text += f"{json.dumps(key, ensure_ascii=False)}={inline(value)}\n"
    root = read_toml(text).root
    assert root is not None
    assert root.value == content
    written(text, root)
