"""A condition as an *or* of terms, each an *and* of literals on one tag each.

Knows how *and*, *or* and *not* are multiplied out, and what is left out where that would make too
many terms. The laws used hold for three-valued logic as well: nothing is cancelled because it is
the contrary of something. Does not know how a clause becomes a literal (predicates).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

from mroute.expr import Functions, Program
from mroute.expr.clauses import ClauseCode
from mroute.expr.nodes import And, Node, Not, Or, Tag
from mroute.expr.nodes import Literal as Constant
from mroute.expr.whole import Part
from mroute.ruleset.literals import ALWAYS, NEVER, Form, Literal, Term, Test
from mroute.ruleset.predicates import Predicates

MAX_TERMS: Final = 8
"""Terms of a condition; one that would have more is known by what is necessary for it."""


class Normaliser:
    """Brings conditions that call ``functions`` into their normal form."""

    def __init__(self, functions: Functions) -> None:
        self._predicates = Predicates(functions)
        self._known: dict[tuple[ClauseCode, bool], Form] = {}

    def adopt(self, form: Form) -> None:
        """Use the views of ``form``, which was made elsewhere, in the forms made from now on."""
        for term in form.terms:
            for literal in term:
                for test in literal.tests:
                    self._predicates.adopt(test.view)

    def form(self, program: Program) -> Form:
        """The normal form of the condition that ``program`` was compiled from."""
        form = self._joined(program.part, program.clause_codes, wanted=True)
        # A clause whose steps are counted can be unknown where its test is not.
        return replace(form, metered=True) if program.metered else form

    def _joined(self, part: Part, clauses: Sequence[ClauseCode], wanted: bool) -> Form:
        """When ``part`` is true, or where ``wanted`` is false: when it is false."""
        if isinstance(part, int):
            # Rules have clauses in common.
            key = clauses[part], wanted
            form = self._known.get(key)
            if form is None:
                form = self._known[key] = self._form(clauses[part].node, wanted)
            return form
        conjoined, below = part
        if conjoined is None:
            return self._joined(below[0], clauses, not wanted)
        forms = [self._joined(each, clauses, wanted) for each in below]
        return _all(forms) if conjoined is wanted else _any(forms)

    def _form(self, node: Node, wanted: bool) -> Form:
        match node:
            case Constant(value=bool(value)):
                return ALWAYS if value is wanted else NEVER
            case Not(operand=operand):
                return self._form(operand, not wanted)
            case And(operands=operands) | Or(operands=operands):
                forms = [self._form(operand, wanted) for operand in operands]
                return _all(forms) if isinstance(node, And) is wanted else _any(forms)
        other = self._predicates.spelled_out(node)
        if other is not None:
            return self._form(other, wanted)
        return self._predicates.form(node, wanted)


def _all(forms: list[Form]) -> Form:
    """All of ``forms``: those of few terms first, and without those that make too many."""
    terms: Iterable[Term] = ((),)
    size, exact = 1, True
    for form in sorted(forms, key=lambda each: len(each.terms)):
        size *= len(form.terms)
        if size > MAX_TERMS:
            # It is one of the largest. Whatever is left out only makes more pass.
            exact = False
            break
        exact = exact and form.exact
        terms = [_both(one, other) for one, other in product(terms, form.terms)]
    return Form(tuple(dict.fromkeys(terms)), exact)


def _both(one: Term, other: Term) -> Term:
    """The literals of both terms; that neither is true of several tests is one literal."""
    if not one or not other:
        return one or other
    joined = list(one)
    for literal in other:
        for number, known in enumerate(joined):
            if known.negated and literal.negated and _is_of_one_sort(known, literal):
                tests = tuple(dict.fromkeys(known.tests + literal.tests))
                joined[number] = Literal(known.tag, tests, negated=True)
                break
        else:
            if literal not in joined:
                joined.append(literal)
    return tuple(joined)


def _is_of_one_sort(one: Literal, other: Literal) -> bool:
    first, second = one.tests[0], other.tests[0]
    texts = isinstance(first.constant, str), isinstance(second.constant, str)
    return first.view is second.view and texts[0] == texts[1]


def _any(forms: list[Form]) -> Form:
    """Any of ``forms``. Terms that differ in what they ask of one tag are put together."""
    alone: dict[Tag, list[Test]] = {}
    terms: list[Term] = []
    for term in (term for form in forms for term in form.terms):
        if len(term) == 1 and not term[0].negated:
            alone.setdefault(term[0].tag, []).extend(term[0].tests)
        else:
            _add(terms, term)
    terms += [(_literal(tag, tests),) for tag, tests in alone.items()]
    exact = all(form.exact for form in forms)
    if len(terms) > MAX_TERMS:
        return Form((_necessary(terms),), exact=False)
    return Form(tuple(terms), exact)


def _add(terms: list[Term], term: Term) -> None:
    for number, known in enumerate(terms[:MAX_TERMS]):
        if (merged := _either(known, term)) is not None:
            terms[number] = merged
            return
    terms.append(term)


def _literal(tag: Tag, tests: Iterable[Test]) -> Literal:
    return Literal(tag, tuple(dict.fromkeys(tests)))


def _either(one: Term, other: Term) -> Term | None:
    """One term for both, where they are equal but for one literal on the same tag."""
    if one == other:
        return one
    if len(one) != len(other):
        return None
    differing = [number for number, literal in enumerate(one) if literal != other[number]]
    if len(differing) != 1:
        return None
    (number,) = differing
    first, second = one[number], other[number]
    if first.tag != second.tag or first.negated or second.negated:
        return None
    merged = _literal(first.tag, first.tests + second.tests)
    return (*one[:number], merged, *one[number + 1 :])


def _necessary(terms: list[Term]) -> Term:
    """What all of ``terms`` ask of the tags that they all ask something of."""
    asked: list[dict[Tag, Literal]] = [
        {literal.tag: literal for literal in term if not literal.negated} for term in terms
    ]
    common = [tag for tag in asked[0] if all(tag in each for each in asked)]
    return tuple(
        _literal(tag, (test for each in asked for test in each[tag].tests)) for tag in common
    )
