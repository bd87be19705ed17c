"""The rule file as it is written: what mroute reads back is what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.config.yaml_nodes import read_yaml
from mroute.mercure.writing import write_rule_file

ODD = ["on", "yes", "12:30", "0o17", "1e3", ".5", "~", "null", "<<", "=", "'", '"', "?", "|", ">"]
MARKED = ["- a", "a: b", "a #b", "!x", "&a", "*a", "%a", "@a", "x" * 120, "a " * 70, " a", "a "]
BROKEN = ["a\n", "\na", "a\n\nb", "\t", "\x85", "\u2028", "a\n  b", "  a\nb", "a\r\nb", "\x07"]
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40) | st.sampled_from(
    [*ODD, *MARKED, *BROKEN]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e30, 1e30) | texts,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(texts, below, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.dictionaries(st.sampled_from(["rules", "targets", "modules", "spool"]), values))
def test_everything_is_read_back_as_it_was(content: dict[str, Any]) -> None:
    read = read_yaml(write_rule_file({"version": 1, **content}))
    assert read.faults == ()
    assert read.root is not None
    assert read.root.value == {"version": 1, **content}


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            {"rules": {"a": {"on": "study", "targets": ["b"]}}},
            ["    on: study", "    targets: [b]"],
        ),
        ({"targets": {"a": {"type": "folder", "path": "/a"}}}, ["  a: {type: folder, path: /a}"]),
        ({"rules": {"a": {"when": "b\nand c"}}}, ["    when: |-", "      b", "      and c"]),
        ({"rules": {}}, ["rules: {}"]),
    ],
)
def test_style(content: dict[str, Any], lines: list[str]) -> None:
    text = write_rule_file({"version": 1, **content})
    assert text.splitlines()[0] == "# yaml-language-server: $schema=rules.schema.json"
    assert text.splitlines()[-len(lines) :] == lines
