"""What a terminal is shown: marks it can print, colour where wanted, nothing it would obey."""

from __future__ import annotations

import io

import pytest

from mroute.cli.screen import Screen


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "marks"),
    [("utf-8", ["✓", "✗", "?"]), ("ascii", ["+", "x", "?"]), ("latin-1", ["+", "x", "?"])],
)
def test_marks_are_those_that_the_encoding_has(encoding: str, marks: list[str]) -> None:
    screen = Screen.of(stream(encoding), {})
    values = (True, False, None)
    colors = ("\x1b[32m", "\x1b[31m", "\x1b[33m")
    assert [screen.mark(value) for value in values] == [
        f"{color}{mark}\x1b[0m" for color, mark in zip(colors, marks, strict=True)
    ]


@pytest.mark.parametrize(
    ("environ", "color"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_the_terminals_unless_somebody_says_otherwise(
    environ: dict[str, str], color: bool | None
) -> None:
    assert Screen.of(stream("utf-8"), environ).color is color


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller", "Müller"),
        ("a\x1b[31mb\nc\x00", "a\\x1b[31mb\\nc\\x00"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\udcff", "\\udcff"),
        ("\x9b2J", "\\x9b2J"),
    ],
)
def test_nothing_is_shown_that_a_terminal_would_obey(text: str, shown: str) -> None:
    assert Screen("utf-8").text(text) == shown


def test_what_the_encoding_has_not_is_escaped() -> None:
    assert Screen("ascii").text("Müller 你") == "M\\xfcller \\u4f60"


def test_styled_text_is_escaped_first() -> None:
    assert Screen("utf-8").text("\x1b", bold=True) == "\x1b[1m\\x1b\x1b[0m"


@pytest.mark.parametrize(("color", "shown"), [(True, "\x1b[1ma\x1b[0m\n"), (False, "a\n")])
def test_a_line_has_colour_or_not(
    color: bool, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Screen("utf-8", color)
    screen.line(screen.text("a", bold=True))
    assert capsys.readouterr().out == shown
