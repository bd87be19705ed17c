"""The page on embedding: its program runs as it is shown, on the rule file that is shown.

Knows the page. Does not know the engine.
"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "reference" / "embedding.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (rules,) = blocks("yaml")
    (program,) = blocks("python")
    (tmp_path / "rules.yaml").write_text(rules)
    names: dict[str, object] = {}
    exec(compile(program, "embedding.md", "exec"), names)  # noqa: S102 - the page is ours
    assert names["outcome"].value is None  # type: ignore[attr-defined]
    assert program.count("assert ") == 6


def test_every_name_of_the_page_is_there() -> None:
    from mroute import Decision, Outcome

    named = re.findall(r"^\| `(Decision|Outcome)\.(\w+)", PAGE, re.MULTILINE)
    assert len(named) == 8
    for owner, name in named:
        kind: type[Decision] | type[Outcome] = {"Decision": Decision, "Outcome": Outcome}[owner]
        assert hasattr(kind, name) or name in {field.name for field in fields(kind)}


def test_nothing_else_is_public_by_accident() -> None:
    import mroute

    assert sorted(mroute.__all__) == ["Decision", "Outcome", "RuleSet", "__version__", "load_rules"]
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = mroute.nonsense
