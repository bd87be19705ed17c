"""The page of the rule language is true: its examples are evaluated, its lists are complete."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

import mroute_dicom
from mroute.expr import Outcome, compile_completion, compile_study, compile_text, language
from mroute.expr.dictionary import FACTS
from mroute.expr.functions import METHODS
from mroute.testing import registry_of
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "reference" / "rule-language.md").read_text("utf-8")
FUNCTIONS = registry_of(mroute_dicom).functions
EXPECTED = {"true": True, "false": False, "unknown": None}


def examples(fence: str) -> list[tuple[str, str, str]]:
    blocks = re.findall(rf"^```{fence}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line.rsplit(" ; ", 2) for block in blocks for line in block.splitlines()]
    return [(expression, subject, expected) for expression, subject, expected in lines]


def of_condition(text: str, tags: Any) -> Outcome:
    return compile_text(text, FUNCTIONS).evaluate(tags)


def of_completion(text: str, descriptions: Any) -> Outcome:
    return compile_completion(text).evaluate(descriptions)


def of_study(text: str, series: Any) -> Outcome:
    return compile_study(text, FUNCTIONS).evaluate(series[0], series)


EXAMPLES = [
    *((of_study, *example) for example in examples("mroute-study")),
    *((of_condition, *example) for example in examples("mroute")),
    *((of_completion, *example) for example in examples("mroute-completion")),
]


def test_there_are_examples() -> None:
    assert len(examples("mroute")) >= 50
    assert len(examples("mroute-completion")) >= 5
    assert len(examples("mroute-study")) >= 5


@pytest.mark.parametrize(("evaluate", "text", "subject", "expected"), EXAMPLES)
def test_an_example(
    evaluate: Callable[[str, Any], Outcome], text: str, subject: str, expected: str
) -> None:
    assert evaluate(text, json.loads(subject)).value is EXPECTED[expected]


def test_the_whole_grammar_is_on_the_page() -> None:
    grammar = (ROOT / "mroute" / "expr" / "grammar.lark").read_text("utf-8")
    assert f"```lark mroute/expr/grammar.lark\n{grammar}```" in PAGE


def test_every_function_and_fact_is_named() -> None:
    for function in FUNCTIONS:
        assert f"`{function}(" in PAGE, function
    for fact in FACTS:
        assert f"`{fact}`" in PAGE, fact


def test_every_method_is_named() -> None:
    section = PAGE.split("## Methods of texts")[1]
    listed = section.split("`")[1].split()
    assert listed == sorted(METHODS)


def test_the_limits_are_those_of_the_language() -> None:
    section = PAGE.split("## Limits")[1].split("\n## ")[0]
    stated = re.findall(r"^\| .+ \| ([\d,]+|10\^30) \|$", section, re.MULTILINE)
    assert [10**30 if s == "10^30" else int(s.replace(",", "")) for s in stated] == [
        language.MAX_LENGTH,
        language.MAX_NESTING,
        language.MAX_STEPS,
        language.MAX_INTEGER,
        language.MAX_TEXT,
        language.MAX_ITEMS,
        language.MAX_NUMBER_TEXT,
        language.MAX_PATTERN,
        language.MAX_PATTERN_SIZE,
        language.MAX_MATCHED,
    ]
