"""Many conditions as one: which of them are true for a series, however many there are.

The terms of all conditions (normal_form) are numbered, and a set of them is an integer with a bit
for each. For every tag that occurs in them a column says which terms its value does not rule out;
the terms that no tag rules out are those that hold. Conditions of which the terms are not the whole
are then evaluated by their own code. Knows how this comes together. Does not know rules.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Final, TypeAlias, TypeVar

from mroute.expr import Functions, Program
from mroute.expr.nodes import Tag
from mroute.garbage import without_collection
from mroute.ruleset.bits import bits_of, items_at, numbers_of
from mroute.ruleset.column import Column
from mroute.ruleset.filing import Filing
from mroute.ruleset.keys import Keys
from mroute.ruleset.literals import Form, Term
from mroute.ruleset.normal_form import Normaliser
from mroute.ruleset.numbering import Numbered
from mroute.ruleset.substrings import is_accelerated
from mroute.types import Progress

T = TypeVar("T")

SMALL: Final = 512
"""Terms up to which it is quicker to see whether a tag matters any more than to look at it."""

_Look: TypeAlias = Callable[[str | None], int]
_Entry: TypeAlias = tuple[str, Callable[[str | None], int | None], _Look, Tag, int]
"""A column: its usual key, what is known of a text, how one is looked up, the tag, its terms."""


class RuleIndex:
    """The index of ``conditions``, which are known by their positions.

    Args:
        conditions: the programs. Raises `ValueError` where they call different functions.
        forms: the normal form of each condition, or None where it is to be made.
        accelerated: whether pyahocorasick searches for texts in texts; None: where it is installed.
        progress: is told of what is done, twice for each condition.

    Immutable but for what it keeps of the values that it has seen, and usable from several threads
    at once. How it works and what it costs: docs/explanation/performance.md.
    """

    def __init__(
        self,
        conditions: Sequence[Program],
        forms: Sequence[Form | None] | None = None,
        accelerated: bool | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._conditions = conditions
        functions = conditions[0].functions if conditions else {}
        if any(condition.functions is not functions for condition in conditions):
            raise ValueError("the conditions were checked with different functions")
        known = forms or [None] * len(conditions)
        told = _halves(len(conditions), progress)
        with without_collection():
            self.forms = _forms(conditions, known, functions, told)
            """The normal forms of the conditions."""
            numbered = Numbered(self.forms)
            columns = _columns(numbered.terms, functions, accelerated, told)
        self.owners = numbered.owners
        """The positions of the conditions that the terms are of."""
        self._seconds, self._thirds = numbered.seconds, numbered.thirds
        self._metered, self._unproven = numbered.metered, numbered.unproven
        self._everything = (1 << len(numbered.terms)) - 1
        self._keys = Keys(columns)
        self._columns = tuple(columns.values())
        self._true: list[_Entry] = []
        self._possible: list[_Entry] = []
        # What many terms ask for comes first: the less is left, the less must be looked up.
        for tag, column in sorted(columns.items(), key=lambda each: -each[1].mentioned.bit_count()):
            key = self._keys.usual(tag)
            entry = tag, column.mentioned
            self._true.append((key, column.known_true.get, column.true, *entry))
            self._possible.append((key, column.known_possible.get, column.possible, *entry))

    def true(self, tags: Mapping[str, str]) -> list[int]:
        """The positions of the conditions that are true for ``tags``, ascending."""
        return self.positions(self.proven(self.candidates(tags), tags))

    def unknown(self, tags: Mapping[str, str], true: Collection[int] | None = None) -> list[int]:
        """The positions of the conditions that are unknown for ``tags``, ascending.

        ``true`` are those that are true, where that is known already.
        """
        known = set(self.true(tags) if true is None else true)
        bits = self._passing(self._possible, tags)
        unproven = {*self._metered, *self.positions(bits & self._unproven)}
        possible = self.positions(bits)
        if not unproven:
            return [each for each in possible if each not in known]
        return [
            each
            for each in sorted(unproven.union(possible))
            if each not in known
            and (each not in unproven or self._conditions[each].value(tags) is None)
        ]

    def candidates(self, tags: Mapping[str, str]) -> int:
        """The terms that hold for ``tags``, as bits; some may still have to be `proven`."""
        return self._passing(self._true, tags)

    def _passing(self, columns: Sequence[_Entry], tags: Mapping[str, str]) -> int:
        """The bits of the terms that none of ``columns`` rules out for ``tags``."""
        bits, text_of = self._everything, self._keys.text_of
        if not self._keys.are_usual(tags):
            for _, known, look, tag, _ in columns:
                text = text_of(tag, tags)
                found = known(text)
                bits &= look(text) if found is None else found
            return bits
        get = tags.get
        new = []
        sparing = bits.bit_length() <= SMALL
        for key, known, look, tag, mentioned in columns:
            if sparing and not bits & mentioned:
                continue
            text = get(key)
            # What is no text may be equal to one all the same.
            found = known(text) if type(text) is str or text is None else None
            if found is None:
                new.append((look, text, tag, mentioned))
            else:
                bits &= found
        for look, text, tag, mentioned in new:
            # Where no term is left that asks something of the tag, it need not be looked at.
            if bits & mentioned:
                bits &= look(text if type(text) is str else text_of(tag, tags))
        return bits

    def proven(self, bits: int, tags: Mapping[str, str]) -> int:
        """``bits`` without the terms of conditions that are not true after all."""
        unproven = bits & self._unproven
        if not unproven:
            return bits
        return bits ^ bits_of(
            [
                term
                for position, terms in groupby(numbers_of(unproven), self.owners.__getitem__)
                if self._conditions[position].value(tags) is not True
                for term in terms
            ]
        )

    def positions(self, bits: int) -> list[int]:
        """The positions of the conditions of which ``bits`` holds a term, ascending."""
        return self.named(bits, self.owners)

    def named(self, bits: int, owners: Sequence[T]) -> list[T]:
        """The ``owners`` of the terms in ``bits``, each once; one is given for each term."""
        # Few conditions have several terms, and most of these two: the second is taken out.
        bits ^= bits & (bits << 1) & self._seconds
        found = items_at(bits, owners)
        return list(dict.fromkeys(found)) if bits & self._thirds else found

    def terms_of(self, positions: Sequence[int]) -> int:
        """The bits of all terms of the conditions at these ``positions``."""
        wanted = set(positions)
        return bits_of([term for term, owner in enumerate(self.owners) if owner in wanted])

    def forget(self) -> None:
        """Forget the values that were seen, as an index that was just built."""
        for column in self._columns:
            column.forget()


def _halves(count: int, progress: Progress | None) -> Callable[[float], None]:
    """Tells ``progress`` of ``count`` rules in two halves: of their forms, then of the columns."""

    def told(done: float) -> None:
        if progress is not None:
            progress("building the index", round(done * count / 2), count)

    return told


def _forms(
    conditions: Sequence[Program],
    known: Sequence[Form | None],
    functions: Functions,
    told: Callable[[float], None],
) -> list[Form]:
    normaliser = Normaliser(functions)
    if None in known:
        for adopted in filter(None, known):
            normaliser.adopt(adopted)
    forms = []
    for number, (condition, form) in enumerate(zip(conditions, known, strict=True), 1):
        forms.append(form or normaliser.form(condition))
        told(number / len(conditions))
    return forms


def _columns(
    terms: Sequence[Term],
    functions: Functions,
    accelerated: bool | None,
    told: Callable[[float], None],
) -> dict[Tag, Column]:
    """A column for every tag that ``terms`` are about."""
    fast = is_accelerated() if accelerated is None else accelerated
    filings, columns = _filed(terms), {}
    for number, (tag, filing) in enumerate(filings.items(), 1):
        columns[tag] = Column(filing, functions, fast)
        told(1 + number / len(filings))
    return columns


def _filed(terms: Sequence[Term]) -> dict[Tag, Filing]:
    """For every tag that terms are about, what they ask of it, under their numbers."""
    filings: dict[Tag, Filing] = {}
    for number, term in enumerate(terms):
        layers: dict[Tag, int] = {}
        for literal in term:
            tag = literal.tag
            filing = filings.get(tag)
            if filing is None:
                filing = filings[tag] = Filing(len(terms))
            layer = layers[tag] = layers.get(tag, -1) + 1
            filing.file(number, layer, literal)
    return filings
