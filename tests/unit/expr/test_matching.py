"""`matches`: what it costs, what it refuses, and what happens where RE2 is not installed."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.errors import ExpressionError, Problem
from mroute.expr import BUILTINS, Code, check, compile_text, parse
from mroute.expr.language import MAX_MATCHED, MAX_PATTERN, MAX_PATTERN_SIZE
from mroute.expr.matching import Pattern, PatternError, is_available, matches


def problems_of(text: str) -> tuple[Problem, ...]:
    return check(parse(text), BUILTINS).problems


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)


@pytest.mark.usefixtures("without_re2")
def test_without_the_library_the_message_names_the_extra() -> None:
    assert not is_available()
    [problem] = problems_of("has(Rows) and matches(tags.Modality, '(')")
    assert problem.render() == (
        "1:15: error: 'matches' needs google-re2, which is not installed [MR139]\n"
        "    1 | has(Rows) and matches(tags.Modality, '(')\n"
        "      |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  hint: pip install 'mroute[regex]'"
    )
    with pytest.raises(ExpressionError, match="needs google-re2"):
        compile_text("matches(tags.Modality, 'MR')")
    assert problems_of("any_of(tags.Modality, ['MR'])") == ()


def test_another_library_of_that_name_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", sys)
    assert [p.code for p in problems_of("matches(tags.Modality, 'MR')")] == [Code.NO_LIBRARY]


def test_the_library_is_there_in_tests() -> None:
    assert is_available()
    assert matches("SAG T2", "T[12]")
    assert not matches("SAG PD", "T[12]")


def test_a_pattern_that_is_refused_leaves_nothing_on_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(PatternError, match="missing"):
        Pattern("(")
    assert Pattern("(?:a?){1000}b").found_in("a" * MAX_MATCHED) is False
    assert capfd.readouterr() == ("", "")


def test_the_length_of_a_pattern_is_bounded() -> None:
    assert problems_of(f"matches(tags.Modality, '{'a' * MAX_PATTERN}')") == ()
    [problem] = problems_of(f"matches(tags.Modality, '{'a' * (MAX_PATTERN + 1)}')")
    assert problem.message == "the pattern has 1,001 characters, at most 1,000 are allowed"


def test_the_size_of_all_patterns_is_bounded() -> None:
    pattern = "matches(tags.Modality, '(?:ab){400}')"
    size = Pattern("(?:ab){400}").size
    most = MAX_PATTERN_SIZE // size
    assert problems_of(" or ".join([pattern] * most)) == ()
    [problem] = problems_of(" or ".join([pattern] * (most + 1)))
    assert problem.message == "the patterns of this expression are too large together"
    assert problem.column == most * len(f"{pattern} or ") + len("matches(tags.Modality, ") + 1


def test_the_length_of_a_text_is_bounded() -> None:
    program = compile_text("matches(tags.PatientComments, 'b')")
    assert program.value({"PatientComments": "a" * (MAX_MATCHED - 1) + "b"}) is True
    outcome = program.evaluate({"PatientComments": "a" * MAX_MATCHED + "b"})
    assert outcome.value is None
    assert "a text of more than 10,240 characters is not searched" in outcome.because


def test_the_size_of_a_pattern_counts() -> None:
    tags = {"PatientComments": "a " * 512}
    looped = "any(matches(tags.PatientComments, '{}') for x in tags.PatientComments.split())"
    assert compile_text(looped.format("^b$")).value(tags) is False
    outcome = compile_text(looped.format("(?:[ab]?){100}q")).evaluate(tags)
    assert outcome.value is None
    assert "takes more than its share of 100,000 steps" in outcome.because
    # Alone it is searched for, as large as it is.
    assert compile_text("matches(tags.PatientComments, '(?:[ab]?){100}q')").value(tags) is False


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=8), st.text(max_size=8))
def test_any_text_is_searched_for_any_other(text: str, sought: str) -> None:
    quoted = "".join(c if c.isalnum() or ord(c) > 127 else f"\\x{ord(c):02x}" for c in sought)
    assert Pattern(quoted).found_in(text + sought + text)
    assert Pattern(quoted).found_in(text) == (sought in text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=20) | st.text(alphabet="ab(?<=!*+{1,}[]\\|^$.:P)", max_size=12), st.text())
def test_any_pattern_is_used_or_refused_with_a_reason(pattern: str, text: str) -> None:
    try:
        compiled = Pattern(pattern)
    except PatternError as error:
        reason = str(error)
        compiled = None
    assert reason if compiled is None else compiled.found_in(text) in (True, False)
