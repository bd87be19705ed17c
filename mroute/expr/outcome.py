"""What evaluating an expression says: true, false or unknown, and why.

Knows the shape of an answer and how a clause is put into words. Does not know how it came about.
"""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN = 60
"""Characters of a tag's value that a sentence quotes."""

_WORDS = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of an expression.

    ``value`` is None where it is unknown. ``because`` is one sentence that names the deciding
    clause and the values it saw; it may quote tags, so it is shown to people and never logged.
    """

    value: bool | None
    because: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a condition between its ``and``, ``or`` and ``not``, and what it came to.

    ``text`` is the clause in its canonical spelling, ``seen`` the tags it looks at, each with its
    value or None where it is missing, and ``reason`` says why an unknown ``value`` is unknown.
    """

    text: str
    value: bool | None
    seen: tuple[tuple[str, str | None], ...] = ()
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The clause in words: "tags.Modality == 'MR' is false: Modality is 'CT'"."""
        head = f"{self.text} is {_WORDS[self.value]}"
        if self.value is None:
            return f"{head}: {self.reason}"
        return f"{head}: {self.sight}" if self.seen else head

    @property
    def sight(self) -> str:
        """What it saw, in words: "Modality is 'CT', SliceThickness is missing"."""
        return ", ".join(_saw(name, value) for name, value in self.seen)


def quoted(value: str) -> str:
    """``value`` in quotes, shortened, with everything unprintable escaped."""
    return repr(value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "...")


def _saw(name: str, value: str | None) -> str:
    return f"{name} is missing" if value is None else f"{name} is {quoted(value)}"
