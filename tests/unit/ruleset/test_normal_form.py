"""Conditions become the terms that are expected, and what is left out is said.

Knows the normal form of a few conditions. Does not know how forms are looked up.
"""

from __future__ import annotations

import pytest

from mroute.expr import BUILTINS, Functions, RuleFunction, Type, compile_text
from mroute.ruleset.literals import ALWAYS, NEVER, Form
from mroute.ruleset.literals import Literal as TermLiteral
from mroute.ruleset.normal_form import MAX_TERMS, Normaliser

M, S, N = "tags.Modality", "tags.StationName", "tags.SeriesNumber"

FUNCTIONS: Functions = {
    **BUILTINS,
    "site": RuleFunction("site", (), Type.TEXT, lambda: "A"),
    "clock": RuleFunction("clock", (), Type.NUMBER, lambda: 12, pure=False),
}


def form_of(text: str) -> Form:
    return Normaliser(FUNCTIONS).form(compile_text(text, FUNCTIONS))


def told(form: Form) -> list[str]:
    """Its terms in short, such as ``Modality equal 'MR' | present; not Rows equal 1``."""
    return ["; ".join(map(_told, term)) for term in form.terms]


def _told(literal: TermLiteral) -> str:
    tests = []
    for view, kind, constant in literal.tests:
        assert view.tag == literal.tag
        viewed = "" if view.node is view.tag else "view "
        folded = f" {view.fold}" if view.fold else ""
        given = "" if constant is None else f" {constant!r}"
        tests.append(f"{viewed}{kind}{folded}{given}")
    return ("not " if literal.negated else "") + f"{literal.tag.name} " + " | ".join(tests)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        (f"{M} == 'MR'", ["Modality equal 'MR'"]),
        (f"'MR' == {M}", ["Modality equal 'MR'"]),
        (f"2 < {N}", ["SeriesNumber more 2"]),
        (f"{M} in ['MR', 'CT', 'MR']", ["Modality equal 'MR' | equal 'CT'"]),
        (f"{M} == 'MR' or {M} == 1 or has(Modality)", ["Modality equal 'MR' | equal 1 | present"]),
        (f"{M} != 'MR'", ["not Modality equal 'MR'"]),
        (f"{M} != 'MR' and {M} != 'CT'", ["not Modality equal 'MR' | equal 'CT'"]),
        (f"{M} not in ['MR', 1]", ["not Modality equal 'MR'; not Modality equal 1"]),
        (f"not {N} < -(1 + 1)", ["SeriesNumber at_least -2"]),
        (f"1 <= {N} < 3", ["SeriesNumber at_least 1; SeriesNumber less 3"]),
        (f"{M}.startswith(('M', 'C'))", ["Modality prefix 'M' | prefix 'C'"]),
        (f"not {M}.endswith('R')", ["not Modality suffix 'R'"]),
        (f"'x' in {M}.lower()", ["Modality view part 'x'"]),
        (f"same({M}, ' MR ')", ["Modality equal ends 'mr'"]),
        (f"any_of({M}, ['Aß', 'B'])", ["Modality part case 'ass' | part case 'b'"]),
        (f"all_of({M}, ['A', 'B'])", ["Modality part case 'a'; Modality part case 'b'"]),
        ("not has(Modality)", ["Modality absent"]),
        ("not empty(Modality)", ["Modality filled"]),
        (f"len({M}) % 2 == 1", ["Modality view equal 1"]),
        (f"len({M}) == {M}", ["Modality view true"]),
        (f"not {M} in [{M}]", ["Modality view false"]),
        (f"{M} == site()", ["Modality view true"]),
        (f"any(x in {M} for x in ['A', 'B'])", ["Modality part 'A' | part 'B'"]),
        (
            f"all(x in {M} for x in ['A', 'B'] if {S} == x)",
            [
                "not StationName equal 'A' | equal 'B'",
                "not StationName equal 'A'; Modality part 'B'",
                "Modality part 'A'; not StationName equal 'B'",
                "Modality part 'A'; Modality part 'B'",
            ],
        ),
        (
            f"({M} == 'MR' or {S} == 'A') and {N} == 1",
            [
                "SeriesNumber equal 1; StationName equal 'A'",
                "SeriesNumber equal 1; Modality equal 'MR'",
            ],
        ),
        (
            f"{M} == 'MR' and {N} == 1 or {M} == 'CT' and {N} == 1",
            ["Modality equal 'MR' | equal 'CT'; SeriesNumber equal 1"],
        ),
        (f"not ({M} == 'MR' or {N} == 1)", ["not Modality equal 'MR'; not SeriesNumber equal 1"]),
    ],
)
def test_conditions_as_terms(text: str, terms: list[str]) -> None:
    form = form_of(text)
    assert sorted(told(form)) == sorted(terms)
    assert (form.exact, form.metered) == (True, False)


def test_constants_are_true_of_every_series_or_of_none() -> None:
    assert [form_of(text) for text in ("True", "not False", "all([])")] == [ALWAYS] * 3
    assert [form_of(text) for text in ("False", "not True", "any([])")] == [NEVER] * 3
    assert form_of(f"False and {M} == 'MR'") == NEVER


THERE = "Modality blank | filled"


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("clock() > 3", ""),
        (f"{M} < str(clock())", THERE),
        (f"{M} + 'x' == {S}.lower()", f"{THERE}; StationName blank | filled"),
        (f"{M} in [{S}, 'a']", THERE),
        (f"{M} == 'b' if {S} == 'c' else {N} == 1", ""),
        (f"any([{M} == {N}, {M} == 'a']) == ({S} == 'b')", "StationName blank | filled"),
    ],
)
def test_of_several_tags_and_what_is_not_pure_it_is_known_what_must_be_there(
    text: str, needed: str
) -> None:
    form, contrary = form_of(text), form_of(f"not ({text})")
    assert told(form) == told(contrary) == [needed]
    assert not form.exact
    assert not contrary.exact


def test_as_many_terms_as_there_may_be() -> None:
    tags = [f'tags["9{n:03},1001"]' for n in range(MAX_TERMS + 1)]
    either = [f"{tag} == {n}" for n, tag in enumerate(tags)]
    form = form_of(" or ".join(either[:MAX_TERMS]))
    assert (len(form.terms), form.exact) == (MAX_TERMS, True)
    assert form_of(" or ".join(either)) == Form(((),), exact=False)


def test_of_too_many_terms_what_they_have_in_common_is_necessary() -> None:
    either = [f'({M} == "M{n}" and tags["9{n:03},1001"] == 1)' for n in range(MAX_TERMS + 1)]
    form = form_of(" or ".join(either))
    (term,) = told(form)
    assert term == "Modality " + " | ".join(f"equal 'M{n}'" for n in range(MAX_TERMS + 1))
    assert not form.exact


def test_of_a_product_that_is_too_large_the_largest_factors_are_left_out() -> None:
    pairs = [f'(tags["9{n:03},1001"] == 1 or tags["9{n:03},1002"] == 1)' for n in range(4)]
    form = form_of(f"{' and '.join(pairs)} and {M} == 'MR'")
    assert (len(form.terms), form.exact) == (8, False)
    assert all(term.startswith("Modality equal 'MR'; ") for term in told(form))


def test_what_counts_its_steps_is_marked() -> None:
    counted = f"any(any(x + y in {M} for x in {S}.split()) for y in {S}.split())"
    assert form_of(f"{M} == 'MR'").metered is False
    assert form_of(f"{M} == 'MR' and {counted}").metered is True


def test_there_is_one_view_for_all_conditions_that_have_it() -> None:
    normaliser = Normaliser(BUILTINS)
    texts = f"{M}.lower() == 'a'", f"'b' in {M}.lower()", f"not {M}.lower() < 'c'"
    forms = [normaliser.form(compile_text(text)) for text in texts]
    assert (
        len({test.view for f in forms for term in f.terms for t in term for test in t.tests}) == 1
    )
