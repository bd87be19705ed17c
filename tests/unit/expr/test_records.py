"""Values with named parts: what a function declares, what it gives, what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from mroute.errors import ExpressionError
from mroute.expr import BUILTINS, Outcome, Record, RuleFunction, Type, compile_text
from mroute.expr.record import RecordValue

SCAN = Record("scan", {"name": Type.TEXT, "echoes": Type.NUMBER, "fast": Type.TRUTH})
LEVEL = Record("level", {"major": Type.NUMBER, "minor": Type.NUMBER}, ordered=True)
KINDS = Record("kinds", {"all": Type.LIST, "other": Type.ANY})


def outcome(text: str, call: Callable[[str], Any], record: Record = SCAN) -> Outcome:
    function = RuleFunction("scan", (Type.TEXT,), record, call, plugin="scans")
    return compile_text(text, {**BUILTINS, "scan": function}).evaluate({"Modality": "MR"})


def level(text: str) -> Mapping[str, int | None]:
    major, _, minor = text.partition(".")
    return {"major": int(major), "minor": int(minor) if minor else None}


def value(text: str) -> bool | None:
    return outcome(text, level, LEVEL).value


def test_parts_have_the_values_that_the_function_gave() -> None:
    def call(text: str) -> dict[str, Any]:
        return {"name": text + "!", "echoes": 2, "fast": True, "more": 5}

    assert outcome("scan(tags.Modality).name == 'MR!'", call).value is True
    assert outcome("scan(tags.Modality).echoes + 1 == 3", call).value is True
    assert outcome("scan(tags.Modality).fast", call).value is True
    assert outcome("scan(tags.StudyID).fast", call).value is None
    with pytest.raises(ExpressionError, match=r"a scan has no part '.more'"):
        outcome("scan(tags.Modality).more == 5", call)


def test_a_part_that_is_missing_is_unknown_alone() -> None:
    found = outcome("scan('').name == 'a'", lambda _: {"name": None, "echoes": 2})
    assert found == Outcome(None, "scan('').name == 'a' is unknown: this scan has no name")
    assert outcome("scan('').echoes == 2", lambda _: {"name": None, "echoes": 2}).value is True
    assert outcome("scan('').fast", lambda _: {"name": None, "echoes": 2}).value is None


class Strange:
    name = "MR"


class Loud(str):  # noqa: PLW1641 - see below
    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("called")

    __len__ = __hash__ = __repr__ = __str__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise AssertionError("called")


class Silent(Exception):  # noqa: N818 - it is not one of ours
    def __str__(self) -> str:
        raise AssertionError("no words")


class Failing(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        raise Silent

    def __iter__(self) -> Iterator[str]:
        raise Silent

    def __len__(self) -> int:
        raise Silent


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (None, " gave nothing"),
        ("MR", " gave a text, not a scan"),
        (["MR", 1, True], " gave a list, not a scan"),
        (Strange(), " gave a Strange, not a scan"),
        (Strange, " gave a type, not a scan"),
        ({"name": 5}, " gave a number as 'name', not a text"),
        ({"name": "a", "echoes": True}, " gave a truth value as 'echoes', not a number"),
        ({"fast": 1}, " gave a number as 'fast', not a truth value"),
        ({"name": Strange()}, ": part 'name': a Strange is no value of the language"),
        ({"name": "a" * 100_001}, ": part 'name': a text has more than 100,000 characters"),
        ({"echoes": float("inf")}, ": part 'echoes': a number is too large"),
        (Failing(), " failed: Silent"),
    ],
)
def test_what_is_no_such_record_makes_the_clause_unknown(given: Any, complaint: str) -> None:
    found = outcome("scan('').echoes == 2", lambda _: given)
    reason = f"function 'scan' of plugin 'scans'{complaint}"
    assert found == Outcome(None, f"scan('').echoes == 2 is unknown: {reason}")


def test_nothing_of_a_subclass_is_called() -> None:
    call: Callable[[str], Any] = lambda _: {"name": Loud("MR"), "echoes": True + 1}  # noqa: E731
    assert outcome("scan('').name == 'MR' and scan('').name in ['CT', 'MR']", call).value is True
    assert outcome("scan('').name.lower() + '1' == 'mr1'", call).value is True
    listed: Callable[[str], Any] = lambda _: {"all": (Loud("a"), [Loud("b")])}  # noqa: E731
    assert outcome("scan('').all == ['a', ['b']]", listed, KINDS).value is True


def test_what_a_function_gave_cannot_be_changed_afterwards() -> None:
    given: dict[str, Any] = {"all": [1], "other": 1}

    def call(text: str) -> dict[str, Any]:
        given["all"].append(text)
        return given

    found = outcome("scan('a').all != scan('b').all", call, KINDS)
    assert found.value is True


def test_a_record_may_be_given_back_by_a_function_that_takes_anything() -> None:
    seen: list[Any] = []

    def same(record: Any) -> Any:
        seen.append(record)
        return record

    functions = {
        **BUILTINS,
        "level": RuleFunction("level", (Type.TEXT,), LEVEL, level),
        "again": RuleFunction("again", (Type.ANY,), LEVEL, same),
        "scan": RuleFunction("scan", (Type.ANY,), SCAN, same),
    }
    assert compile_text("again(level('1.2')).minor == 2", functions).value({}) is True
    assert isinstance(seen[0], RecordValue)
    with pytest.raises(TypeError):
        seen[0].parts["minor"] = 3  # type: ignore[index]
    wrong = compile_text("scan(level('1.2')).echoes == 2", functions).evaluate({})
    assert wrong.because.endswith("function 'scan' gave a level, not a scan")


def test_ordered_records_compare_by_their_parts_in_order() -> None:
    assert value("scan('1.10') > scan('1.9')") is True
    assert value("scan('2.0') > scan('1.9')") is True
    assert value("scan('1.9') >= scan('1.9') and scan('1.9') <= scan('1.9')") is True
    assert value("scan('1.9') < scan('1.9') or scan('1.9') > scan('1.9')") is False
    assert value("scan('1.1') < scan('1.5') < scan('2.1')") is True
    assert value("scan('1.1') == scan('1.1') and scan('1.1') != scan('1.2')") is True


def test_records_with_unknown_parts_compare_as_far_as_they_are_known() -> None:
    assert value("scan('1') == scan('2.1')") is False
    assert value("scan('1') == scan('1.1')") is None
    assert value("scan('1') < scan('2.1')") is True
    assert value("scan('1') < scan('1.1')") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scan('1.1') in [scan('2.1'), scan('1.1')]", True),
        ("scan('1.1') in ['1.1', 1.1, ['1.1'], True]", False),
        ("[scan('1.1'), 2] == [scan('1.1'), '2']", True),
        ("(scan('1.1') if has(Modality) else scan('2.1')).major == 1", True),
        ("(scan('1.1') if has(Modality) else '2.1') == scan('1.1')", True),
        ("any(x.major == 2 for x in [scan('1.1'), scan('2.1')])", True),
        ("all(x.major == 2 for x in [scan('2.1'), 'a'])", None),
        ("any(x > scan('1.1') for x in ['2', 2, scan('1.1')])", None),
        ("len([scan('1.1'), scan('2.1')]) == 2", True),
        ("min(scan('1.1'), 2) == 1", None),
        ("sorted([scan('1.1')]) == []", None),
        ("scan(str(scan('1.1'))).major == 1", None),
        ("any([scan('1.1')])", None),
    ],
)
def test_records_within_expressions(text: str, expected: bool | None) -> None:
    assert value(text) is expected


def test_records_of_one_name_are_different_if_their_parts_are() -> None:
    other = Record("level", {"major": Type.NUMBER}, ordered=True)
    functions = {
        **BUILTINS,
        "level": RuleFunction("level", (Type.TEXT,), LEVEL, level),
        "other": RuleFunction("other", (Type.TEXT,), other, level),
    }
    with pytest.raises(ExpressionError, match="nothing to compare"):
        compile_text("level('1.1') == other('1.1')", functions)
    compared = compile_text("any(level('1.1') == x for x in [1, other('1.1')])", functions)
    assert compared.value({}) is False
    ordered = compile_text("any(level('1.1') < x for x in [1, other('1.2')])", functions)
    assert ordered.value({}) is None


@pytest.mark.parametrize(
    ("name", "parts", "ordered", "complaint"),
    [
        ("a b", {"x": Type.TEXT}, False, "'a b' is not of small letters"),
        ("a", {"_x": Type.TEXT}, False, "'_x' is not of small letters"),
        ("a", {"x_y": Type.TEXT}, False, "'x_y' is not of small letters"),
        ("a", {"__class__": Type.TEXT}, False, "'__class__' is not of small letters"),
        ("a", {"x": str}, False, "part 'x' cannot be of type"),
        ("a", {"x": Type.LIST}, True, "part 'x' cannot be of type 'list'"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(
    name: str, parts: dict[str, Any], ordered: bool, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Record(name, parts, ordered)


def test_a_declaration_cannot_be_changed() -> None:
    parts = {"x": Type.TEXT}
    record = Record("a", parts)
    parts["y"] = Type.TEXT
    assert dict(record.parts) == {"x": Type.TEXT}
    assert record == Record("a", {"x": Type.TEXT})
    assert hash(record) == hash(Record("a", {"x": Type.TEXT}))


@pytest.mark.parametrize(("arguments", "returns"), [((str,), Type.TEXT), ((Type.TEXT,), dict)])
def test_a_function_of_other_types_is_refused(arguments: Any, returns: Any) -> None:
    with pytest.raises(TypeError, match="function 'f': "):
        RuleFunction("f", arguments, returns, str)


ESCAPES = [
    "scan('1.1').__class__ == 1",
    "scan('1.1').__dict__ == 1",
    "scan('1.1').parts == 1",
    "scan('1.1').kind == 1",
    "scan('1.1').major.__class__ == 1",
    "scan('1.1').major.real == 1",
    "any(x.__class__ == 1 for x in [scan('1.1')])",
    "any(x.parts == 1 for x in ['a', scan('1.1')])",
    "scan('1.1').__getattribute__('major') == 1",
    "scan('1.1').major() == 1",
    "scan.major == 1",
    "scan('1.1')['major'] == 1",
    "[scan('1.1')][0].__class__ == 1",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_else_of_a_record_can_be_reached(text: str) -> None:
    with pytest.raises(ExpressionError):
        outcome(text, level, LEVEL)
