from __future__ import annotations

import pytest

import mroute_dicom
from mroute.api import RuleFunction, Type
from mroute.expr import BUILTINS, compile_text
from mroute.registry import Registry
from mroute.testing import hooks_of, registry_of
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_rule_functions"

VOWELS = RuleFunction("vowels", (Type.TEXT,), Type.NUMBER, lambda text: sum(map(text.count, "aei")))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PatientAge": "017Y"}, True),
        ({"PatientAge": "018Y"}, False),
        ({"PatientAge": "old"}, None),
        ({}, None),
    ],
)
def test_the_default_function_in_a_rule(tags: dict[str, str], expected: bool | None) -> None:
    functions = registry_of(mroute_dicom).functions
    program = compile_text("age_years(tags.PatientAge) < 18", functions)
    assert program.evaluate(tags).value is expected


def test_a_plugin_adds_one_beside_those_of_the_language() -> None:
    functions = registry_of(vowels=plugin(HOOK, lambda: [VOWELS])).functions
    assert set(functions) == {*BUILTINS, "vowels"}
    program = compile_text("vowels(tags.SeriesDescription) > len('ab')", functions)
    assert program.evaluate({"SeriesDescription": "axial"}).value is True
    assert program.evaluate({"SeriesDescription": "t1"}).value is False


def test_those_of_the_language_cannot_be_replaced() -> None:
    other = RuleFunction("len", (Type.TEXT,), Type.NUMBER, lambda text: 0)
    registry = Registry.collect(hooks_of(other=plugin(HOOK, lambda: [other])))
    assert registry.functions["len"] is BUILTINS["len"]
    assert "which plugin 'mroute itself' contributes already" in str(registry.errors[0])


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_dicom, VOWELS, lambda registry: registry.functions)


def test_what_is_no_function_is_refused() -> None:
    check_wrong_results(HOOK, "RuleFunction")
