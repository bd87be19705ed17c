"""Many conditions as one: which of them are true for a series, at a cost that hardly depends on how
many there are.

The terms of all conditions (normal_form) are numbered, and a set of them is an integer with a bit
for each. For every tag that occurs in them a column says which terms its value does not rule out;
the terms that no tag rules out are those that hold. Conditions of which the terms are not the whole
are then evaluated by their own code. Knows how this comes together. Does not know rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from mroute.expr import Program
from mroute.expr.nodes import Tag
from mroute.ruleset.bits import bits_of, numbers_of
from mroute.ruleset.column import Column
from mroute.ruleset.keys import Keys
from mroute.ruleset.literals import Form, Literal, Term, View
from mroute.ruleset.normal_form import form_of
from mroute.ruleset.substrings import is_accelerated

MAX_VIEWS: Final = 32
"""Views of one tag that are evaluated for a value; those of the fewest terms are left out."""


class RuleIndex:
    """The index of ``conditions``, which are known by their positions.

    Args:
        conditions: the programs; all were made with the same functions.
        forms: the normal forms of the conditions, where they are known already.
        accelerated: whether pyahocorasick searches for texts in texts; None: where it is installed.

    Immutable but for what it keeps of the values that it has seen, and usable from several threads
    at once. How it works and what it costs: docs/explanation/performance.md.
    """

    def __init__(
        self,
        conditions: Sequence[Program],
        forms: Sequence[Form] | None = None,
        accelerated: bool | None = None,
    ) -> None:
        self._conditions = conditions
        if forms is None:
            forms = [form_of(condition) for condition in conditions]
        terms: list[Term] = []
        self._owners: list[int] = []
        self._metered: list[int] = []
        unproven: list[int] = []
        left_out = _left_out(forms)
        for position, form in enumerate(forms):
            reduced = _without(form, left_out) if left_out else form
            if form.metered:
                self._metered.append(position)
            if form.metered or not reduced.exact:
                unproven += range(len(terms), len(terms) + len(reduced.terms))
            terms += reduced.terms
            self._owners += [position] * len(reduced.terms)
        self._everything = (1 << len(terms)) - 1
        self._unproven = bits_of(unproven)
        columns = _by_tag(terms)
        fast = is_accelerated() if accelerated is None else accelerated
        functions = conditions[0].functions if conditions else {}
        self._keys = Keys(columns)
        self._columns = [
            (self._keys.usual(tag), tag, Column(tag, filed, len(terms), functions, fast))
            for tag, filed in columns.items()
        ]
        self._usual = [(key, column.known.get, column, tag) for key, tag, column in self._columns]

    def true(self, tags: Mapping[str, str]) -> list[int]:
        """The positions of the conditions that are true for ``tags``, ascending."""
        return self.positions(self.proven(self.candidates(tags), tags))

    def unknown(self, tags: Mapping[str, str]) -> list[int]:
        """The positions of the conditions that are unknown for ``tags``, ascending."""
        candidates, bits = self.candidates(tags), self._everything
        for text, column in self._read(tags):
            bits &= column.possible(text)
        true = set(self.positions(candidates & ~self._unproven))
        unproven = {*self._metered, *self.positions(bits & self._unproven)}
        return [
            each
            for each in sorted(unproven.union(self.positions(bits)))
            if each not in true
            and (each not in unproven or self._conditions[each].value(tags) is None)
        ]

    def candidates(self, tags: Mapping[str, str]) -> int:
        """The terms that hold for ``tags``, as bits; some may still have to be `proven`."""
        bits = self._everything
        if self._keys.are_usual(tags):
            get = tags.get
            try:
                for key, known, column, tag in self._usual:
                    found = known(get(key))
                    if found is None:
                        found = column.true(self._keys.text_of(tag, tags))
                    bits &= found
                return bits
            except TypeError:
                # A value that is no text, and cannot be looked up as it is.
                bits = self._everything
        for text, column in self._read(tags):
            bits &= column.true(text)
        return bits

    def proven(self, bits: int, tags: Mapping[str, str]) -> int:
        """``bits`` without the terms of conditions that are not true after all."""
        unproven = bits & self._unproven
        if not unproven:
            return bits
        return bits ^ bits_of(
            [
                term
                for position, terms in groupby(numbers_of(unproven), self._owners.__getitem__)
                if self._conditions[position].value(tags) is not True
                for term in terms
            ]
        )

    def positions(self, bits: int) -> list[int]:
        """The positions of the conditions of which ``bits`` holds a term, ascending."""
        owners = self._owners
        found = [owners[number] for number in numbers_of(bits)]
        return found if len(owners) == len(self._conditions) else list(dict.fromkeys(found))

    def terms_of(self, positions: Sequence[int]) -> int:
        """The bits of all terms of the conditions at these ``positions``."""
        wanted = set(positions)
        return bits_of([term for term, owner in enumerate(self._owners) if owner in wanted])

    def forget(self) -> None:
        """Forget the values that were seen, as an index that was just built."""
        for _, _, column in self._columns:
            column.forget()

    def _read(self, tags: Mapping[str, str]) -> Iterator[tuple[str | None, Column]]:
        for _, tag, column in self._columns:
            yield self._keys.text_of(tag, tags), column


def _by_tag(terms: Sequence[Term]) -> dict[Tag, list[tuple[int, list[Literal]]]]:
    """For every tag, the numbers of the terms that are about it, with their literals on it."""
    columns: dict[Tag, list[tuple[int, list[Literal]]]] = {}
    for number, term in enumerate(terms):
        by_tag: dict[Tag, list[Literal]] = {}
        for literal in term:
            by_tag.setdefault(literal.tag, []).append(literal)
        for tag, literals in by_tag.items():
            columns.setdefault(tag, []).append((number, literals))
    return columns


def _left_out(forms: Sequence[Form]) -> frozenset[tuple[Tag, View]]:
    """The views of tags of which there are too many; a tag itself is always looked up."""
    used: dict[Tag, Counter[View]] = {}
    for form in forms:
        for term in form.terms:
            for literal in term:
                for test in literal.tests:
                    if type(test.view.node) is not Tag:
                        used.setdefault(literal.tag, Counter())[test.view] += 1
    return frozenset(
        (tag, view) for tag, views in used.items() for view, _ in views.most_common()[MAX_VIEWS:]
    )


def _without(form: Form, left_out: frozenset[tuple[Tag, View]]) -> Form:
    """``form`` without the literals on views that are left out."""
    terms = tuple(
        tuple(
            literal
            for literal in term
            if not any((literal.tag, test.view) in left_out for test in literal.tests)
        )
        for term in form.terms
    )
    return form if terms == form.terms else Form(tuple(dict.fromkeys(terms)), exact=False)
