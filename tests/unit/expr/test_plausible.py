"""Warnings about values are sound: no value that keeps to DICOM is called impossible.

A value of a tag, made by the rules of its representation or of the standard's terms, is compared
with itself: whatever the check says of that comparison is wrong.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.expr import BUILTINS, Code, check, compile_text, dictionary, parse
from mroute.expr.nodes import Compare, Items, Literal, Method, Node, Tag, Tree
from mroute.expr.printer import print_tree
from mroute.expr.representations import NUMERIC, flaw
from mroute.expr.terms import ALIASES, POSITIONS, TERMS

SOME = settings(max_examples=400, deadline=None, derandomize=True)

NEVER = {Code.UNKNOWN_TERM, Code.WRONG_CASE, Code.IMPOSSIBLE}
"""What says that a comparison cannot be true."""

DIGITS = "0123456789"
_HOUR = st.integers(0, 23).map("{:02}".format)
_SIXTY = st.integers(0, 59).map("{:02}".format)
_TIME = st.one_of(
    _HOUR,
    st.builds("{}{}".format, _HOUR, _SIXTY),
    st.builds("{}{}{}".format, _HOUR, _SIXTY, _SIXTY),
    st.builds("{}{}{}.{}".format, _HOUR, _SIXTY, _SIXTY, st.text(DIGITS, min_size=1, max_size=6)),
)
_DATE = st.dates().map(lambda day: f"{day.year:04}{day.month:02}{day.day:02}")
_CODE = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _", min_size=1, max_size=16)
_LETTERS = st.characters(exclude_characters="\\", exclude_categories=("Cc", "Cs"))
_WHOLE = st.integers(-30000, 30000).map(str)
_FLOAT = st.floats(width=32).map(str)

VALUES: dict[str, st.SearchStrategy[str]] = {
    "AE": st.text("ABCabc -.19", min_size=1, max_size=16),
    "AS": st.builds("{:03}{}".format, st.integers(0, 999), st.sampled_from("DWMY")),
    "CS": _CODE,
    "DA": _DATE,
    "DT": st.builds("{}{}{}".format, _DATE, _TIME, st.sampled_from(["", "+0100", "-0330"])),
    "DS": st.one_of(_WHOLE, st.floats(-1e6, 1e6).map(str), st.sampled_from(["2.", ".5", "+1E2"])),
    "IS": st.one_of(_WHOLE, st.sampled_from(["007", "+5"])),
    "LO": st.text(_LETTERS, min_size=1, max_size=64),
    "PN": st.text(_LETTERS, min_size=1, max_size=70),
    "SH": st.text(_LETTERS, min_size=1, max_size=16),
    "TM": _TIME,
    "UI": st.lists(st.integers(0, 10**9).map(str), min_size=1, max_size=6).map(".".join),
    "US": st.integers(0, 65535).map(str),
    "SS": _WHOLE,
    "FD": _FLOAT,
    "FL": _FLOAT,
}
KEYWORDS = sorted(
    {
        *TERMS, *POSITIONS, "BodyPartExamined", "PatientAge", "StudyDate", "StudyTime",
        "AcquisitionDateTime", "SliceThickness", "PixelSpacing", "EchoNumbers", "SeriesNumber",
        "SOPClassUID", "StationName", "StationAETitle", "PatientName", "Rows", "TagAngleSecondAxis",
        "RealWorldValueSlope", "EchoTime", "OtherPatientIDs", "ImageOrientationPatient",
        "SmallestImagePixelValue", "Manufacturer", "SoftwareVersions", "PatientOrientation",
        "DiffusionBValue",
    }
)  # fmt: skip


def one_value(keyword: str, representation: str, position: int) -> st.SearchStrategy[str]:
    terms = TERMS.get(keyword)
    if keyword in POSITIONS and position < len(POSITIONS[keyword]):
        terms = POSITIONS[keyword][position]
    if terms is not None:
        return st.sampled_from(list(terms.terms))
    return VALUES["SS" if representation == "US or SS" else representation]


@st.composite
def tags_with_values(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A keyword, and values that DICOM allows for it, as many as it takes."""
    keyword = draw(st.sampled_from(KEYWORDS))
    described = dictionary.representation(keyword)
    assert described is not None
    _, representation, multiplicity = described
    least, _, most = multiplicity.partition("-")
    number = int(least) if not most else draw(st.integers(int(least), int(least) + 2))
    return keyword, [draw(one_value(keyword, representation, at)) for at in range(number)]


def codes(root: Node) -> set[str]:
    problems = check(parse(print_tree(Tree(root))), BUILTINS).problems
    return {p.code for p in problems}


@SOME
@given(tags_with_values(), st.sampled_from(["==", "!="]), st.booleans())
def test_a_value_that_there_can_be_is_not_called_impossible(
    tag: tuple[str, list[str]], sign: str, exact: bool
) -> None:
    keyword, values = tag
    value, node = "\\".join(values), Tag(keyword, exact)
    assert not codes(Compare((sign,), (node, Literal(value)))) & NEVER
    assert not codes(Compare((sign,), (Literal(value), node))) & NEVER
    assert not codes(Compare(("in",), (node, Items((Literal(value), Literal(value)))))) & NEVER


@SOME
@given(tags_with_values(), st.data())
def test_nor_is_one_of_several_or_a_part_of_one(
    tag: tuple[str, list[str]], data: st.DataObject
) -> None:
    keyword, values = tag
    several = Method(Tag(keyword), "split", (Literal("\\"),))
    one = data.draw(st.sampled_from(values))
    assert not codes(Compare(("in",), (Literal(one), several))) & NEVER
    start = data.draw(st.integers(0, len(one)))
    part = one[start : data.draw(st.integers(start, len(one)))]
    assert not codes(Compare(("in",), (Literal(part), Tag(keyword)))) & NEVER


@SOME
@given(tags_with_values(), st.sampled_from(["lower", "upper", "casefold"]))
def test_nor_is_one_in_another_case(tag: tuple[str, list[str]], method: str) -> None:
    keyword, values = tag
    value = "\\".join(values)
    changed = getattr(value, method)()
    node = Method(Tag(keyword), method, ())
    assert not codes(Compare(("==",), (node, Literal(changed)))) & NEVER
    assert not codes(Compare(("in",), (Literal(changed[:3]), node))) & NEVER


@SOME
@given(st.text(max_size=6), st.text(max_size=3), st.sampled_from(["lower", "upper", "casefold"]))
def test_what_a_change_of_case_never_gives(whole: str, part: str, method: str) -> None:
    for text, sign in ((part, "=="), (part, "in"), (whole, "==")):
        node = Method(Tag("SeriesDescription"), method, ())
        operands = (Literal(text), node)
        if codes(Compare((sign,), operands)) & NEVER:
            program = compile_text(print_tree(Tree(Compare((sign,), operands))))
            for value in (whole, part, text, text.upper(), text.lower(), whole + part):
                assert program.value({"SeriesDescription": value}) is not True


def test_the_case_of_every_character_is_settled_by_changing_it_once() -> None:
    # The reason why a text that changes with its case is never found in one whose case was changed.
    for change in (str.lower, str.upper, str.casefold):
        for code in range(0x110000):
            for character in change(chr(code)):
                assert change(character) == character, (change, hex(code))


@pytest.mark.parametrize(
    ("representation", "value"),
    [
        ("DA", "20241301"), ("DA", "20240100"), ("DA", "2024"), ("TM", "2500"), ("TM", "12:00"),
        ("TM", "1200.5"), ("TM", "120000."), ("AS", "45Y"), ("AS", "0450"), ("AS", "045y"),
        ("UI", "1.2.x"), ("UI", "1" * 65), ("AE", "A" * 17), ("SH", "A" * 17), ("CS", "A" * 17),
        ("LO", "A" * 65), ("IS", "2.5"), ("US", "nan"), ("DS", "nan"), ("FD", "x"),
        ("DT", "2024-01-01"), ("DT", "20240101T12"),
    ],
)  # fmt: skip
def test_a_value_that_there_cannot_be(representation: str, value: str) -> None:
    found = flaw(representation, value)
    assert found is not None
    assert found[0]


def test_the_terms_are_those_of_tags_in_the_dictionary() -> None:
    for keyword in (*TERMS, *POSITIONS, *ALIASES):
        described = dictionary.representation(keyword)
        assert described is not None, keyword
        assert described[0] == keyword
    assert len(TERMS) >= 40


def test_terms_keep_to_their_representation_and_aliases_are_no_terms() -> None:
    for keyword, terms in TERMS.items():
        _, representation, _ = dictionary.representation(keyword) or ("", "", "")
        for term in terms.terms:
            assert flaw(representation, term) is None, (keyword, term)
            assert representation in NUMERIC or term == term.upper()
        for written, meant in ALIASES.get(keyword, {}).items():
            assert written == written.upper()
            assert written not in terms, (keyword, written)
            assert all(each in terms for each in meant.split(",")), (keyword, written)
