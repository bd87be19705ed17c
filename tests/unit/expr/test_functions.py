"""Functions from outside: declared types, exceptions, and what they give back."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

import mroute_dicom
from mroute.errors import ExpressionError
from mroute.expr import BUILTINS, Outcome, RuleFunction, Type, check, compile_text, parse
from mroute.testing import registry_of

AGE = {"PatientAge": "063Y"}


def outcome(
    text: str,
    call: Callable[..., Any],
    *arguments: Type,
    returns: Type = Type.ANY,
    optional: int = 0,
    plugin: str = "ages",
) -> Outcome:
    function = RuleFunction(
        "years", arguments or (Type.TEXT,), returns, call, optional=optional, plugin=plugin
    )
    return compile_text(text, {**BUILTINS, "years": function}).evaluate(AGE)


def test_a_function_is_called_with_values() -> None:
    found = outcome("years(tags.PatientAge) > 60", lambda age: int(age[:3]), returns=Type.NUMBER)
    assert found == Outcome(True, "years(tags.PatientAge) > 60 is true: PatientAge is '063Y'")


def test_a_declared_number_arrives_as_a_number() -> None:
    seen: list[Any] = []

    def call(*values: Any) -> int:
        seen.extend(values)
        return len(values)

    assert outcome("years('5', '1.5') == 2", call, Type.NUMBER, Type.NUMBER).value is True
    # What is constant is computed before there are any tags.
    assert seen[:2] == [5, 1.5]
    assert [type(value) for value in seen[:2]] == [int, float]


def test_a_function_that_raises_makes_its_clause_unknown() -> None:
    def call(age: str) -> int:
        raise ValueError(f"no age: {age}")

    found = outcome("years(tags.PatientAge) > 60", call, returns=Type.NUMBER)
    reason = "function 'years' of plugin 'ages' failed: no age: 063Y"
    assert found == Outcome(None, f"years(tags.PatientAge) > 60 is unknown: {reason}")
    assert outcome("years(tags.PatientAge) > 60 or True", call).value is True


def test_an_exception_without_words_is_named() -> None:
    def call(age: str) -> int:
        raise KeyError

    assert "function 'years' failed: KeyError" in outcome("years('')", call, plugin="").because


@pytest.mark.parametrize(
    ("given", "returns", "complaint"),
    [
        (None, Type.ANY, "gave nothing"),
        ("5", Type.NUMBER, "gave a text, not a number"),
        (True, Type.NUMBER, "gave a truth value, not a number"),
        (5, Type.TEXT, "gave a number, not a text"),
        (1, Type.TRUTH, "gave a number, not a truth value"),
        ("ab", Type.LIST, "gave a text, not a list"),
        (float("nan"), Type.NUMBER, "a number is too large"),
        ("a" * 200_000, Type.TEXT, "a text has more than 100,000 characters"),
        ([1] * 20_000, Type.LIST, "a list has more than 10,000 items"),
    ],
)
def test_a_result_of_another_type_is_unknown(given: Any, returns: Type, complaint: str) -> None:
    text = "years('') == years('')" if returns is not Type.TRUTH else "years('')"
    found = outcome(text, lambda _: given, returns=returns)
    assert found.value is None
    assert "plugin 'ages'" in found.because
    assert complaint in found.because


class Equal:
    def __eq__(self, other: object) -> bool:
        raise AssertionError("called")

    __hash__ = None  # type: ignore[assignment]


class Odd(int):
    def __int__(self) -> int:
        raise AssertionError("called")

    __index__ = __bool__ = __hash__ = __int__  # type: ignore[assignment]


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (datetime.date(2024, 1, 1), "a date is no value of the language"),
        (Equal(), "a Equal is no value of the language"),
        (b"MR", "a bytes is no value of the language"),
        (1 + 2j, "a complex is no value of the language"),
        ({"a": 1}, "a dict is no value of the language"),
        ((x for x in "ab"), "a generator is no value of the language"),
        (10**31, "a number is too large"),
        ([[1] * 6_000, [1] * 6_000], "a list has more than 10,000 items"),
        (ENDLESS, "more than 10 lists are in each other"),
    ],
)
def test_nothing_but_values_of_the_language_is_taken(given: Any, complaint: str) -> None:
    for text in ("years('') == 1", "1 < years('')", "years('') in [1]", "years('') == years('')"):
        found = outcome(text, lambda _: given)
        assert found.value is None
        assert complaint in found.because


def test_a_list_with_something_else_in_it_is_unknown() -> None:
    for item, complaint in (
        (Equal(), "a Equal is"),
        (None, "a NoneType is"),
        ("a" * 10**6, "text"),
    ):
        found = outcome("'a' in years('')", lambda _, item=item: ["a", [item]])
        assert found.value is None
        assert "plugin 'ages': a" in found.because
        assert complaint in found.because


def test_nothing_of_a_subclass_is_called() -> None:
    assert outcome("years('') + 1 == 6 and years('') in [5]", lambda _: Odd(5)).value is True


def test_an_exception_that_cannot_be_put_into_words() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise AssertionError("no words")

    def call(age: str) -> int:
        raise SilentError

    assert "plugin 'ages' failed: SilentError" in outcome("years('')", call).because

    def long(age: str) -> int:
        raise ValueError("a" * 10**6)

    assert len(outcome("years('')", long).because) < 400


def test_unknown_arguments_never_reach_the_function() -> None:
    def call(*values: Any) -> int:
        raise AssertionError("called")

    for argument in ("tags.PatientName", "['a', tags.PatientName]", "[['a'], [tags.PatientName]]"):
        found = outcome(f"years({argument}) == 1", call, Type.ANY)
        assert found.value is None
        assert "tag 'PatientName' is missing" in found.because


def test_lists_arrive_as_tuples_and_leave_as_such() -> None:
    found = outcome("years(['b', 'a']) == ['a', 'b']", sorted, Type.LIST, returns=Type.LIST)
    assert found.value is True


def test_optional_arguments() -> None:
    def call(age: str, unit: str = "Y") -> bool:
        return age.endswith(unit)

    kinds = (Type.TEXT, Type.TEXT)
    assert outcome("years('1Y')", call, *kinds, returns=Type.TRUTH, optional=1).value is True
    assert outcome("years('1Y', 'M')", call, *kinds, returns=Type.TRUTH, optional=1).value is False
    with pytest.raises(ExpressionError, match="takes 1 to 2 arguments, and 3 here"):
        outcome("years('1Y', 'M', 'D')", call, *kinds, returns=Type.TRUTH, optional=1)


def test_a_function_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="unknown function 'years'"):
        compile_text("years(tags.PatientAge) > 60")


def test_what_need_not_give_the_same_again_is_no_constant() -> None:
    calls: list[int] = []

    def call(value: float) -> int:
        calls.append(1)
        return len(calls)

    functions = {
        **BUILTINS,
        "tick": RuleFunction("tick", (Type.NUMBER,), Type.NUMBER, call, pure=False),
    }
    for text in ("tick(1) > 1", "any(tick(x) > 1 for x in [1])"):
        assert check(parse(text), functions).problems == ()
    assert calls == []


def test_the_order_of_a_list_does_not_matter_to_startswith() -> None:
    for texts in ("['1', 2]", "[2, '1']"):
        outcome = compile_text(f"tags.StudyID.startswith({texts})").evaluate({"StudyID": "1"})
        assert outcome.value is None
        assert outcome.because.endswith("a number is not a text")


def test_several_values_as_pydicom_has_them_are_one_text() -> None:
    from pydicom.multival import MultiValue

    tags: Any = {"ImageType": MultiValue(str, ["ORIGINAL", "PRIMARY"])}
    assert compile_text(r"tags.ImageType == 'ORIGINAL\\PRIMARY'").value(tags) is True


def test_a_date_that_is_written_is_no_warning() -> None:
    functions = registry_of(mroute_dicom).functions
    assert check(parse("date(tags.StudyDate) >= date('2024-01-31')"), functions).problems == ()
