"""YAML is read by version 1.2: values, anchors, merge keys, and bounds that hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mroute.config import yaml_nodes
from mroute.config.codes import Code
from mroute.config.nodes import Node
from mroute.config.yaml_nodes import MAX_ALIASED, read_yaml


def value(text: str) -> Any:
    content = read_yaml(text)
    assert content.faults == ()
    assert content.root is not None
    return content.root.value


def fault(text: str) -> tuple[int, str, str]:
    content = read_yaml(text)
    [found] = content.faults
    return found.start, found.code, found.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2026-11-23", "2026-11-23"),
        ("0b11", "0b11"),
        ("=", "="),
        ("1.2.840.10008", "1.2.840.10008"),
        ("15s", "15s"),
        ("-", ["-"][0]),
        ("''", ""),
        ("'true'", "true"),
        ("!!str true", "true"),
        ("! 12", "12"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("010", 10),
        ("0o10", 8),
        ("0xff", 255),
        ("-7", -7),
        ("!!float 1", 1),
        ("+.5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_scalar(text: str, expected: Any) -> None:
    read = value(f"a: {text}\n" if text != "-" else "a: '-'\n")["a"]
    assert (read, type(read)) == (expected, type(expected))


@pytest.mark.parametrize("text", [".nan", ".inf", "-.INF", "1e999", "!!float .NaN"])
def test_a_number_that_json_does_not_know_is_refused_where_it_is(text: str) -> None:
    (fault,) = read_yaml(f"settings: {{a: [1, {text}]}}\n").faults
    number = text.rpartition(" ")[2]
    assert (fault.code, fault.end - fault.start) == (Code.VALUE, len(number))
    assert fault.message.startswith(f"'{number}' is not a finite number")


def test_keys_are_texts() -> None:
    assert value("on: 1\n12: 2\ntrue: 3\n~: 4\n'': 5\n? q\n: 6\n") == {
        "on": 1,
        "12": 2,
        "true": 3,
        "~": 4,
        "": 5,
        "q": 6,
    }


def test_anchors_and_merge_keys() -> None:
    text = """
base: &base {a: 1, b: 2}
other: &other {b: 3, c: 4}
one: {<<: *base, b: 5}
two: {<<: [*base, *other], d: 6}
three: *base
"<<": plain
"""
    read = value(text)
    assert read["one"] == {"b": 5, "a": 1}
    assert read["two"] == {"d": 6, "a": 1, "b": 2, "c": 4}
    assert read["three"] == {"a": 1, "b": 2}
    assert read["<<"] == "plain"


def test_an_anchor_can_be_used_as_a_key_and_be_given_again() -> None:
    assert value("a: &x one\n*x : 1\nb: &x two\nc: *x\n") == {
        "a": "one",
        "one": 1,
        "b": "two",
        "c": "two",
    }


def bomb(width: int, depth: int) -> str:
    items = ["1", *(f"*a{level}" for level in range(depth - 1))]
    return "".join(f"a{i}: &a{i} [{', '.join([item] * width)}]\n" for i, item in enumerate(items))


def test_a_billion_laughs_are_not_laughed() -> None:
    start, code, message = fault(bomb(10, 20))
    assert (code, message) == (
        "MR205",
        "the aliases of the file stand for more than 100,000 values",
    )
    assert bomb(10, 20)[start] == "*"
    assert len(value(bomb(10, 4))["a3"]) == 10


def test_merging_again_and_again_is_bounded_too() -> None:
    keys = ", ".join(f"k{i}: 1" for i in range(100))
    merges = "\n".join(f"m{i}: {{<<: *a}}" for i in range(MAX_ALIASED // 100 + 1))
    assert fault(f"a: &a {{{keys}}}\n{merges}\n")[1] == "MR205"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 60 + "1" + "}" * 60, "- " * 60 + "1\n", "? " * 100 + "1\n"]
)
def test_nesting_is_bounded(text: str) -> None:
    _, code, message = fault(text)
    assert (code, message) == ("MR208", "mappings and lists are nested more than 50 deep")


def test_both_parsers_of_pyyaml_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "a: &x 'q ''r'\nb: |\n  foo\n   bar\nc: >-\n  x\n  y\nd: [1, *x, {e: \"\\u00e9\"}]\né: ü\n"
    )
    places = []
    for loader in (yaml.SafeLoader, yaml_nodes.LOADER):
        monkeypatch.setattr(yaml_nodes, "LOADER", loader)
        root = read_yaml(text).root
        assert root is not None
        places.append([(n.value, n.start, n.style) for n in walk(root)])
    assert places[0] == places[1]
    assert ("q 'r", text.index("'q"), "single-quoted") in places[0]


@pytest.mark.parametrize(
    "text",
    [
        "a: 'x' y\n",
        "a: @x\n",
        "a: b: c\n",
        "a:\n\t- b\n",
        "a: [1, 2\nb: 3\n",
        "a: 'x\n",
        "- a\nb: 1\n",
        "a: {b: 1\n",
        "a: - b\n",
        "a: b\nfoo\nc: d\n",
        'a: "x\\qy"\n',
        "a: |\n  b\n c\n",
    ],
)
def test_both_parsers_of_pyyaml_find_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for loader in (yaml.SafeLoader, yaml_nodes.LOADER):
        monkeypatch.setattr(yaml_nodes, "LOADER", loader)
        found.append(fault(text))
    assert found[0] == found[1]


def walk(node: Node) -> list[Node]:
    below = [entry.node for entry in (node.entries or {}).values()] + list(node.items or ())
    return [node, *(each for inner in below for each in walk(inner))]


texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)
contents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, contents, max_size=4))
def test_json_is_yaml(content: dict[str, Any]) -> None:
    assert value(json.dumps(content, ensure_ascii=False)) == content


@given(st.text(max_size=60) | st.text(alphabet="ab:-?[]{},&*!|>'\"%@`#\n \t<", max_size=60))
def test_nothing_makes_reading_raise(text: str) -> None:
    content = read_yaml(text)
    assert content.root is not None or content.faults or not yaml_has_document(text)
    for each in content.faults:
        assert 0 <= each.start <= len(text)


def yaml_has_document(text: str) -> bool:
    return any(isinstance(event, yaml.DocumentStartEvent) for event in yaml.parse(text))
