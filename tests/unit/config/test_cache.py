"""Conditions kept on disk: they are the same, and used only where they can be relied on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mroute.config.check
import mroute.ruleset.index
from mroute.config import load, validate
from mroute.config.cache import ConditionCache
from mroute.config.kept import FOLDER_VARIABLE
from mroute.expr import (
    Program,
    RuleFunction,
    Tree,
    Type,
    check,
    compile_condition,
    compile_text,
    parse,
)
from mroute.expr.nodes import Node
from mroute.expr.printer import print_tree
from mroute.expr.stored import read_back, write_down
from mroute.registry import Registry
from mroute.ruleset import stored
from mroute.ruleset.literals import Form
from mroute.ruleset.normal_form import Normaliser
from tests.unit.expr.strategies import CALLED, conditions

RULES = """\
version: 1
targets: {archive: {type: folder, path: archive}}
rules:
  thin:
    when: tags.Modality == 'CT' and tags.SliceThickness < 2
    action: route
    targets: [archive]
  warned: {when: "tags.Modality in ('MR')", action: route, targets: [archive]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache is; the rule file is beside it."""
    (tmp_path / "mroute.yaml").write_text(RULES)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def rule_file(folder: Path) -> Path:
    return folder.parent / "mroute.yaml"


def kept(folder: Path) -> Path:
    (file,) = folder.glob("*.conditions.json")
    return file


def parsed(rule_file: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are read when the rule file is validated."""
    texts = []

    def spy(text: str, *more: object) -> Tree:
        texts.append(text)
        return parse(text)

    with monkeypatch.context() as patch:
        patch.setattr(mroute.config.check, "parse", spy)
        validate(rule_file, registry)
    return texts


@given(st.lists(conditions(3), min_size=1, max_size=5))
def test_what_is_read_back_is_what_was_written(roots: list[Node]) -> None:
    checked = {
        text: check(parse(text), CALLED) for text in (print_tree(Tree(root)) for root in roots)
    }
    written = json.loads(json.dumps(write_down(checked)))
    found = read_back(written, CALLED)
    assert found == checked
    for text, each in found.items():
        assert print_tree(each.tree) == text
        assert compile_condition(each).value({"Modality": "MR"}) is compile_condition(
            checked[text]
        ).value({"Modality": "MR"})


def test_a_file_is_parsed_once(
    rule_file: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = validate(rule_file, registry)
    assert [problem.code for problem in first] == ["MR140"]
    assert parsed(rule_file, registry, monkeypatch) == []
    assert validate(rule_file, registry) == first
    decision = load(rule_file, registry).rules.evaluate({"Modality": "CT", "SliceThickness": "1"})
    assert decision.triggered == ("thin",)


def test_only_what_is_new_is_parsed(
    rule_file: Path, folder: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate(rule_file, registry)
    rule_file.write_text(RULES.replace("('MR')", "['MR']"))
    assert parsed(rule_file, registry, monkeypatch) == ["tags.Modality in ['MR']"]
    assert "('MR')" not in kept(folder).read_text()
    assert parsed(rule_file, registry, monkeypatch) == []


def test_nothing_is_kept_of_a_text_that_is_none(
    rule_file: Path, folder: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_file.write_text(RULES.replace("in ('MR')", "= 'MR'"))
    for _ in range(2):
        assert "MR106" in {problem.code for problem in validate(rule_file, registry)}
    assert parsed(rule_file, registry, monkeypatch) == ["tags.Modality = 'MR'"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content.replace(b"CT", b"MR"),
        lambda content: b"x" + content,
        lambda content: content.split(b"\n")[0],
        lambda content: b"\xff" * 100,
        lambda content: os.urandom(1000),
    ],
)
def test_a_damaged_file_is_made_anew(
    rule_file: Path,
    folder: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    damage: object,
) -> None:
    problems = validate(rule_file, registry)
    good = kept(folder).read_bytes()
    kept(folder).write_bytes(damage(good))  # type: ignore[operator]
    assert len(parsed(rule_file, registry, monkeypatch)) == 2
    assert kept(folder).read_bytes() == good
    assert validate(rule_file, registry) == problems


@pytest.mark.parametrize(
    "written",
    [
        None,
        [],
        {},
        {"nodes": [[99]], "texts": {}},
        {"nodes": [["x"]], "texts": {}},
        {"nodes": [[0]], "texts": {}},
        {"nodes": [], "texts": {"True": [0, []]}},
        {"nodes": [[0, True]], "texts": {"True": [0, [["x"]]]}},
        {"nodes": [[0, True]], "texts": {"True": 0}},
    ],
)
def test_anything_else_is_no_condition(written: object) -> None:
    with pytest.raises(ValueError, match=r"argument|conditions|values|unpack"):
        read_back(written, CALLED)


def test_what_others_could_have_written_is_not_read(
    rule_file: Path, folder: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate(rule_file, registry)
    assert folder.stat().st_mode & 0o77 == 0
    assert kept(folder).stat().st_mode & 0o77 == 0
    kept(folder).chmod(0o666)
    assert len(parsed(rule_file, registry, monkeypatch)) == 2


def test_other_functions_are_another_key(
    rule_file: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate(rule_file, registry)
    function = RuleFunction("twice", (Type.NUMBER,), Type.NUMBER, lambda n: 2 * n)
    more = replace(registry, functions=MappingProxyType({**registry.functions, "twice": function}))
    assert ConditionCache(rule_file, more).read() == {}
    changed = replace(function, returns=Type.TEXT)
    other = replace(more, functions=MappingProxyType({**registry.functions, "twice": changed}))
    ConditionCache(rule_file, more).write({})
    assert ConditionCache(rule_file, other)._file._key != ConditionCache(rule_file, more)._file._key
    updated = replace(
        registry, plugins=tuple(replace(each, version="99") for each in registry.plugins)
    )
    assert registry.plugins
    assert (
        ConditionCache(rule_file, updated)._file._key
        != ConditionCache(rule_file, registry)._file._key
    )


def test_with_and_without_the_library_of_patterns_are_other_keys(
    rule_file: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else "'matches' needs google-re2" would be said for ever.
    validate(rule_file, registry)
    assert ConditionCache(rule_file, registry).read()
    monkeypatch.setitem(sys.modules, "re2", None)
    assert ConditionCache(rule_file, registry).read() == {}


def test_without_a_folder_nothing_is_kept(
    rule_file: Path, folder: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    validate(rule_file, registry)
    assert not folder.exists()
    monkeypatch.setenv(FOLDER_VARIABLE, str(rule_file))
    assert [problem.code for problem in validate(rule_file, registry)] == ["MR140"]


def test_the_folder_is_where_caches_are(
    rule_file: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = rule_file.parent / "home"
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    validate(rule_file, registry)
    assert kept(home / ".cache/mroute").is_file()
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    validate(rule_file, registry)
    assert kept(home / "elsewhere/mroute").is_file()


# Normal forms


def normalised(rule_file: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conditions that are brought into normal form when the rule file is loaded."""
    texts = []

    class Spy(Normaliser):
        def form(self, program: Program) -> Form:
            texts.append(program.tree.text)
            return super().form(program)

    with monkeypatch.context() as patch:
        patch.setattr(mroute.ruleset.index, "Normaliser", Spy)
        load(rule_file, registry)
    return texts


def forms_file(folder: Path) -> Path:
    (file,) = folder.glob("*.forms.json")
    return file


THIN, WARNED = "tags.Modality == 'CT' and tags.SliceThickness < 2", "tags.Modality in ('MR')"


def test_normal_forms_are_made_once_and_only_for_what_is_new(
    rule_file: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert normalised(rule_file, registry, monkeypatch) == [THIN, WARNED]
    assert normalised(rule_file, registry, monkeypatch) == []
    rule_file.write_text(RULES.replace("< 2", "< 3"))
    assert normalised(rule_file, registry, monkeypatch) == [THIN.replace("< 2", "< 3")]
    assert normalised(rule_file, registry, monkeypatch) == []


def test_rules_decide_alike_by_forms_that_were_kept(rule_file: Path, registry: Registry) -> None:
    series = [{"Modality": "CT", "SliceThickness": text} for text in ("1", "2", "x")]
    fresh, kept_forms = (load(rule_file, registry).rules for _ in range(2))
    found = [rules.evaluate(tags).triggered for rules in (fresh, kept_forms) for tags in series]
    assert found == [("thin",), (), ()] * 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"less"', '"more"'),
        lambda text: "",
    ],
)
def test_damaged_forms_are_made_again(
    folder: Path,
    rule_file: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[str], str],
) -> None:
    load(rule_file, registry)
    file = forms_file(folder)
    content = file.read_text()
    file.write_text(damage(content))
    assert file.read_text() != content
    assert normalised(rule_file, registry, monkeypatch) == [THIN, WARNED]
    assert file.read_text() == content


def test_what_are_no_forms_are_refused() -> None:
    written = stored.write_down({"a": Normaliser(CALLED).form(compile_text("has(Modality)"))})
    for part in ("nodes", "views", "literals", "texts"):
        nonsense: object
        for nonsense in (None, [7], [[]], {"a": [[[9]], True, False]}):
            with pytest.raises(ValueError, match="these are no forms"):
                stored.read_back({**written, part: nonsense})
