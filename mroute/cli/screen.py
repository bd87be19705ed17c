"""What a terminal is shown: text that it cannot obey, marks that it can print, and colour.

Knows the stream and the environment variables ``NO_COLOR`` and ``FORCE_COLOR``. Does not know what
is shown.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

import click

_MARKS: Mapping[bool | None, tuple[str, str, str]] = {
    True: ("✓", "+", "green"),
    False: ("✗", "x", "red"),
    None: ("?", "?", "yellow"),
}
"""Value to its mark, the mark where the encoding has no such character, and its colour."""

_WORDS = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Screen:
    """A stream that a person reads.

    ``encoding`` is that of the stream. ``color`` is None where the stream itself says whether it
    takes colour: when it is a terminal.
    """

    encoding: str
    color: bool | None = None

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str] | None = None) -> Screen:
        """The screen that ``stream`` is; ``environ`` is that of the process unless given."""
        environ = os.environ if environ is None else environ
        color = None
        if environ.get("NO_COLOR"):
            color = False
        elif environ.get("FORCE_COLOR"):
            color = True
        return cls(stream.encoding or "ascii", color)

    @classmethod
    def of_stdout(cls) -> Screen:
        """The screen that standard output is."""
        return cls.of(sys.stdout)

    def text(self, text: str, **style: Any) -> str:
        """``text`` on one line, with nothing that a terminal would obey; styled as click does."""
        shown = self._encodable(_printable(text))
        return click.style(shown, **style) if style else shown

    def mark(self, value: bool | None) -> str:
        """The mark of a value: a tick, a cross or a question mark."""
        mark, plain, color = _MARKS[value]
        return click.style(mark if self._encodable(mark) == mark else plain, fg=color)

    def word(self, value: bool | None) -> str:
        """The value in a word."""
        return click.style(_WORDS[value], fg=_MARKS[value][2])

    def line(self, text: str) -> None:
        """Show a line that was made of the above."""
        click.echo(text.rstrip(), color=self.color)

    def _encodable(self, text: str) -> str:
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)


def tell(sentence: str) -> None:
    """Tell the person at the keyboard, on standard error, what went wrong."""
    click.echo(f"mroute: {_printable(sentence)}", err=True)


def _printable(text: str) -> str:
    """``text`` with everything escaped that is not printed: control characters, surrogates."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
