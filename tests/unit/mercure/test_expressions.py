"""Conditions of mercure: how they are spelled here, and what is said about their meaning."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.expr import BUILTINS, parse
from mroute.mercure.expressions import convert_condition
from mroute.mercure.findings import Findings
from mroute.mercure.python import advice
from mroute.mercure.tags import WRITTEN

Said = list[tuple[str, str, str]]


def converted(text: Any) -> tuple[Any, Said]:
    findings = Findings()
    result = convert_condition(text, findings.about("rules", "r"), BUILTINS, WRITTEN)
    return result, [(each.code, each.message, each.hint) for each in findings.all]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("'CINE' in @SeriesDescription@", "'CINE' in tags.SeriesDescription"),
        (
            "('Tr' in @StationName@) | (@StationName@ == 'Trio')",
            "'Tr' in tags.StationName or tags.StationName == 'Trio'",
        ),
        ('tags["Modality"] == "MR"', "tags['Modality'] == 'MR'"),
        ("tags.Foo == 'x'", "tags['Foo'] == 'x'"),
        ("any(x in tags.Foo for x in ['a'])", "any(x in tags['Foo'] for x in ['a'])"),
        ("@Modality@ == 'MR'  # why", "tags.Modality == 'MR'  # why"),
        ("tags.Foo == '#' and  True", "tags['Foo'] == '#' and True"),
        ("tags.Modality = 'MR'", "tags.Modality = 'MR'"),
        ("", ""),
        (5, 5),
    ],
)
def test_spelling(theirs: Any, ours: Any) -> None:
    assert converted(theirs)[0] == ours


def test_a_long_condition_is_broken_at_its_outermost_operator() -> None:
    text = "tags.Modality == 'MR' and (tags.StationName == 'a' or tags.StationName == 'b') and True"
    ours = converted(text + " and 'knee' in tags.StudyDescription")[0]
    assert ours.splitlines()[1] == "and (tags.StationName == 'a' or tags.StationName == 'b')"
    assert parse(ours) == parse(text + " and 'knee' in tags.StudyDescription")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("tags.Modality == 'MR'", []),
        ("tags.Modality == 'MR' and float(tags.SliceThickness) < 2", []),
        ("'T1' in tags.SeriesDescription", []),
        # A missing tag, or one that is no number, beside 'or'; the last operand decides in both.
        ("tags.Missing1 == 'x' or tags.Modality == 'MR'", ["MR411", "MR415"]),
        ("tags.Modality == 'MR' or tags.StationName == 'x'", ["MR411"]),
        ("True or tags.Modality == 'MR'", []),
        ("True or @Modality@ == 'MR'", ["MR411"]),
        ("(True) | (tags.Modality == 'MR')", ["MR411"]),
        ("not (tags.Modality == 'MR' and False)", ["MR411", "MR412"]),
        # What an empty text makes true.
        ("tags.Modality != 'MR'", ["MR412"]),
        ("not tags.Modality == 'MR'", ["MR412"]),
        ("'a' not in tags.StationName", ["MR412"]),
        ("len(tags.StationName) == 0", ["MR412"]),
        ("'StationName' in tags", ["MR412"]),
        ("tags.PatientAge != '030Y'", []),  # mercure does not write it: an error there
        # Texts and numbers.
        ("tags.SeriesNumber > 5", ["MR413"]),
        ("tags.SeriesNumber in [1, 2]", ["MR413"]),
        ("1 < tags.SeriesNumber < 5", ["MR413"]),
        ("tags.SeriesNumber + 1 == 2", ["MR413"]),
        ("-tags.SeriesNumber == 2", ["MR413"]),
        ("max(tags.Rows, tags.Columns) == 2", ["MR413"]),
        ("abs(tags.Rows) == 2", ["MR413"]),
        ("int(tags.SeriesNumber) + 1 == 2", []),
        ("len(tags.StationName) > 2", []),
        ("tags.StationName.find('a') > 2", []),
        ("tags.StationName[0] + tags.Modality == 'aMR'", []),
        # What mercure's evaluator refuses.
        ("any(x in tags.StationName for x in ['a'])", ["MR414"]),
        ("('a' if tags.Modality == 'MR' else 'b') == 'a'", ["MR414"]),
        ("any(['a', ''])", ["MR414"]),
        # Names of tags.
        ("@modality@ == 'MR'", ["MR415"]),
        ("tags.modality == 'MR'", []),
        ("tags['0019,100c'] == 'x'", ["MR415"]),
        ("tags.ImageType == 'ORIGINAL'", ["MR416"]),
        ("tags.ImageType.startswith('ORIGINAL')", ["MR416"]),
        ("tags.StationName == '@Modality@'", ["MR417"]),
        ("tags.mercureForceRule == 'x'", ["MR418"]),
        # What has to be rewritten.
        ("tags.Modality in {'MR'}", ["MR410"]),
        ("tags.Modality in ('MR')", ["MR412", "MR140"]),
        ("bool(tags.Modality)", ["MR410"]),
        ("", ["MR410"]),
    ],
)
def test_differences(text: str, codes: list[str]) -> None:
    assert [code for code, _, _ in converted(text)[1]] == codes


def test_a_difference_names_the_tag_and_what_to_write() -> None:
    _, [(_, message, hint)] = converted("tags.StationName != 'a'")
    assert message == (
        "for an image without 'StationName' mercure's receiver writes an empty text, for which "
        "'tags.StationName != 'a'' is true; here it is not"
    )
    assert hint == (
        "to let the rule trigger there, write: not has(StationName) or tags.StationName != 'a'"
    )


def test_what_cannot_be_read_is_kept_with_mroutes_message_and_advice() -> None:
    text, [(code, message, hint)] = converted("tags.Modality in {'MR', f'{x}'}")
    assert (text, code) == ("tags.Modality in {'MR', f'{x}'}", "MR410")
    assert message.startswith("it cannot be read: ")
    assert "square brackets" in hint
    assert "instead of f'...'" in hint


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("float(@SliceThickness@) ** 2 < 4", "multiply"),
        ("tags.get('Modality') == 'MR'", "write tags.X"),
        ("re.match('a', tags.Modality)", "startswith"),
        ("tags.Modality is None", "has(X)"),
        ("sum([1 for x in 'a']) > 0", "any(...) and all(...)"),
        ("(lambda: 1)()", "lambda"),
        ("sqrt(4) == 2", "square"),
    ],
)
def test_advice(text: str, part: str) -> None:
    assert part in "; ".join(advice(text))


@pytest.mark.parametrize("text", ["any(x == 'a' for x in tags.A)", "a b", "(" * 500, "\0", "é" * 9])
def test_no_advice(text: str) -> None:
    assert advice(text) == []


WORDS = """
    tags.Modality @Modality@ tags.Foo 'MR' 2 == != < in not and or ( ) [ ] , any( for x if else
    .lower() + - | & # float( { } **
"""


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=14))
def test_nothing_that_a_rule_says_is_lost(words: list[str]) -> None:
    """What can be read means the same afterwards; everything else is kept and told."""
    text = " ".join(words)
    ours, said = converted(text)
    if any(message.startswith("it cannot be read") for _, message, _ in said):
        assert ours == text
    else:
        named = parse(text.replace("tags.Foo", "tags['Foo']"))
        assert parse(ours) == named
