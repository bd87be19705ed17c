"""All that rules ask of one tag: for each value of it, the terms that it does not rule out.

Knows what is kept of the values that were seen, and how the most usual ones are looked up without
detours. Does not know how the literals of a view are looked up (group), what a term belongs to
(index), or how a tag is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mroute.expr import Functions
from mroute.expr.values import BLANKS, Unknown, number_of
from mroute.ruleset.filing import Filing
from mroute.ruleset.group import Group
from mroute.ruleset.intervals import by_interval
from mroute.ruleset.literals import Kind
from mroute.ruleset.views import Text

CACHE_BYTES: Final = 4 * 1024 * 1024
"""Bytes for what is kept of one tag; see docs/explanation/performance.md."""

MAX_VALUES: Final = 4096
"""Values of a tag that are kept at most."""

LONGEST_VALUE: Final = 256
"""Characters of a text that is kept; a longer one is looked up each time."""

_LARGE: Final = 2048
"""Terms from which on it pays to look for an equal set before another one is kept."""


class Column:
    """What was filed under one tag, ready to be looked up."""

    def __init__(self, filing: Filing, functions: Functions, accelerated: bool) -> None:
        self.mentioned = filing.mentioned
        """The bits of the terms that ask something of the tag."""
        self._shifts = filing.shifts
        self._groups = tuple(
            Group(view, functions, filed, accelerated) for view, filed in filing.views.items()
        )
        blank, filled = filing.present(Kind.BLANK), filing.present(Kind.FILLED)
        self._missing = filing.others | filing.present(Kind.ABSENT), blank | filled
        there = filing.others | filing.present(Kind.PRESENT)
        self._blank, self._filled = there | blank, there | filled
        # Where all groups can say of any short text what holds, nothing about it is unknown.
        self._certain = [group.certain for group in self._groups if group.certain is not None]
        self._is_certain = len(self._certain) == len(self._groups)
        self._of_number = self._by_interval()
        self._most = max(1, min(MAX_VALUES, CACHE_BYTES // (filing.count // 4 + 128)))
        self._shared: dict[int, int] | None = {} if filing.count >= _LARGE else None
        self.known_true: dict[Text, int] = {}
        """The result of `true` for the texts that were seen."""
        self.known_possible: dict[Text, int] = {}
        """The result of `possible` for the same texts."""
        # The tag that is missing, and the values that rules name.
        for text in (None, *self._named()):
            self._look(text)
        self._ready = dict(self.known_true), dict(self.known_possible)

    def _by_interval(self) -> Callable[[Any], int] | None:
        """The terms for a number, where all that is asked of the tag is which number it is."""
        table = self._groups[0].numeric if len(self._groups) == 1 else None
        if table is None or not table.few_numbers:
            return None
        return by_interval(
            table.few_numbers, lambda value: self._conjoined(self._filled | table.holding(value))
        )

    def _named(self) -> list[str]:
        """The texts that the tag itself is compared with, where they are few."""
        named = {text for group in self._groups for text in group.named}
        return sorted(named) if len(named) <= self._most // 2 else []

    def true(self, text: Text) -> int:
        """The bits of the terms that are not ruled out: of whose literals on the tag all hold."""
        if text is None or len(text) > LONGEST_VALUE:
            return self._look(text)[0]
        if self._of_number is not None:
            number = number_of(text)
            if type(number) is Unknown:
                return self._look(text)[0]
            bits = self._of_number(number)
        elif self._is_certain:
            bits = self._present(text)
            for holding in self._certain:
                if held := holding(text):
                    bits |= held
            bits = self._share(self._conjoined(bits))
        else:
            return self._look(text)[0]
        self._keep(text, bits, bits)
        return bits

    def possible(self, text: Text) -> int:
        """The bits of the terms of whose literals on the tag none is false."""
        return self._look(text)[1]

    def forget(self) -> None:
        """Empty the cache of values; what was found while the index was built stays."""
        if self._shared is not None:
            self._shared.clear()
        for known, ready in zip((self.known_true, self.known_possible), self._ready, strict=True):
            known.clear()
            known.update(ready)

    def _look(self, text: Text) -> tuple[int, int]:
        """What is true and what is possible, of any text."""
        if text is None:
            true, unknown = self._missing
        else:
            true, unknown = self._present(text), 0
        for group in self._groups:
            held, perhaps = group.look(text)
            true |= held
            unknown |= perhaps
        found, possible = self._conjoined(true), self._conjoined(true | unknown)
        if text is None or len(text) <= LONGEST_VALUE:
            found, possible = self._share(found), self._share(possible)
            self._keep(text, found, possible)
        return found, possible

    def _present(self, text: str) -> int:
        """What holds because the tag is there."""
        return self._filled if self._filled == self._blank or text.strip(BLANKS) else self._blank

    def _keep(self, text: Text, true: int, possible: int) -> None:
        if len(self.known_true) >= self._most:
            self.forget()
        self.known_true[text] = true
        self.known_possible[text] = possible

    def _share(self, bits: int) -> int:
        """``bits``, as the object that other texts have as well: many rule out the same terms."""
        return bits if self._shared is None else self._shared.setdefault(bits, bits)

    def _conjoined(self, bits: int) -> int:
        """The terms of which the literals of all layers are among ``bits``."""
        terms = bits
        for shift in self._shifts:
            terms &= bits >> shift
        return terms
