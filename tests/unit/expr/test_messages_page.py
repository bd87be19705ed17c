"""The page of messages is true: it has every code, and its examples give what they stand for."""

from __future__ import annotations

import ast
import re
import sys
from typing import NamedTuple

import pytest

from mroute.expr import Code, Language
from tests.conftest import ROOT
from tests.unit.expr.test_messages import problems_of

PAGE = (ROOT / "docs" / "reference" / "messages.md").read_text("utf-8")
FENCE = r"^```mroute-(completion-)?(wrong|right)(-python)?\n(.*?)^```$"


class Example(NamedTuple):
    """An expression of the page: under which code, whether it is wrong, and in which language."""

    code: str
    severity: str
    wrong: bool
    language: Language
    text: str


def sections() -> list[tuple[str, str]]:
    """Code and text of every section."""
    parts = re.split(r"^### (MR\d{3})\n", PAGE, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def value_of(python: ast.expr) -> str:
    """The text that ``python`` makes: one that is too long for a page, or cannot be seen on it."""
    match python:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Constant(value=int(times))):
            return value_of(left) * times
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return value_of(left) + value_of(right)
    raise ValueError(ast.dump(python))


def examples() -> list[Example]:
    found = []
    for code, section in sections():
        severity = section.strip().split(".*", 1)[0].removeprefix("*").lower()
        for completion, kind, python, block in re.findall(FENCE, section, re.MULTILINE | re.DOTALL):
            text = block.removesuffix("\n")
            found.append(
                Example(
                    code,
                    severity,
                    kind == "wrong",
                    Language.COMPLETION if completion else Language.CONDITION,
                    value_of(ast.parse(text, mode="eval").body) if python else text,
                )
            )
    return found


EXAMPLES = examples()


def test_every_code_has_its_section_in_order() -> None:
    assert [code for code, _ in sections()] == sorted(Code)


@pytest.mark.parametrize("code", list(Code))
def test_a_code_has_a_wrong_and_a_right_example(code: Code) -> None:
    assert [example.wrong for example in EXAMPLES if example.code == code] == [True, False]


def test_no_block_is_overlooked() -> None:
    assert PAGE.count("\n```") == 2 * len(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.code}-{e.wrong}")
def test_an_example(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    if example.code == Code.NO_LIBRARY:
        monkeypatch.setitem(sys.modules, "re2", None)
    found = {(p.code, str(p.severity)) for p in problems_of(example.text, example.language)}
    assert found == ({(example.code, example.severity)} if example.wrong else set())
