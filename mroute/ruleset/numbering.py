"""The terms of many conditions under one numbering.

Knows which condition a number belongs to, and which terms are not the whole of it. Does not know
what is done with the numbers (index).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Final

from mroute.expr.nodes import Tag
from mroute.ruleset.bits import bits_of
from mroute.ruleset.literals import Form, Term, View

MAX_VIEWS: Final = 32
"""Views of one tag that are evaluated for a value; those of the fewest terms are left out."""


MAX_LITERALS: Final = 8
"""Literals of a term on one tag; each of them makes the sets of that tag larger."""


class Numbered:
    """The terms of the conditions that have these ``forms``, in their order.

    ``owners`` has for each term the position of its condition, and ``metered`` the positions of the
    conditions whose steps may run out. ``unproven`` has the bits of the terms that are only what is
    necessary for a condition, ``seconds`` of those that are the second of theirs, and ``thirds`` of
    those that come after these.
    """

    def __init__(self, forms: Sequence[Form]) -> None:
        terms: list[Term] = []
        owners: list[int] = []
        unproven: list[int] = []
        left_out = _left_out(forms)
        for position, form in enumerate(forms):
            reduced = _without(form, left_out)
            if form.metered or not reduced.exact:
                unproven += range(len(terms), len(terms) + len(reduced.terms))
            terms += reduced.terms
            owners += [position] * len(reduced.terms)
        self.terms: Sequence[Term] = terms
        # An array, for it is read here and there: its numbers lie close together.
        self.owners: Sequence[int] = array("L", owners)
        self.metered = tuple(position for position, form in enumerate(forms) if form.metered)
        self.unproven = bits_of(unproven)
        further = [n for n in range(1, len(owners)) if owners[n] == owners[n - 1]]
        self.seconds = bits_of([n for n in further if n == 1 or owners[n] != owners[n - 2]])
        self.thirds = bits_of(further) ^ self.seconds


def _left_out(forms: Sequence[Form]) -> frozenset[View]:
    """The views of tags of which there are too many; a tag itself is always looked up."""
    counted = Counter(
        test.view
        for form in forms
        for term in form.terms
        for literal in term
        for test in literal.tests
        if test.view.node is not test.view.tag
    )
    used: dict[Tag, list[View]] = {}
    for view, _ in counted.most_common():
        used.setdefault(view.tag, []).append(view)
    return frozenset(view for views in used.values() for view in views[MAX_VIEWS:])


def _without(form: Form, left_out: frozenset[View]) -> Form:
    """``form`` without the literals on views that are left out, and those of too many on a tag."""
    terms = tuple(_shortened(term, left_out) for term in form.terms)
    return form if terms == form.terms else Form(tuple(dict.fromkeys(terms)), exact=False)


def _shortened(term: Term, left_out: frozenset[View]) -> Term:
    if left_out:
        term = tuple(
            literal for literal in term if not any(test.view in left_out for test in literal.tests)
        )
    if len(term) <= MAX_LITERALS:
        return term
    count: Counter[Tag] = Counter()
    kept = []
    for literal in term:
        count[literal.tag] += 1
        if count[literal.tag] <= MAX_LITERALS:
            kept.append(literal)
    return tuple(kept)
