"""Normal forms are read back as they were written down.

Knows forms. Does not know the file that they are kept in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from mroute.expr import BUILTINS, compile_text
from mroute.ruleset.index import RuleIndex
from mroute.ruleset.literals import ALWAYS, NEVER, Form
from mroute.ruleset.normal_form import Normaliser
from mroute.ruleset.stored import read_back, write_down
from tests.unit.ruleset.comparison import answer
from tests.unit.ruleset.random_rules import FUNCTIONS, compiled, rule, world_of
from tests.unit.ruleset.random_series import series

TEXTS = (
    "tags.Modality == 'MR' and tags.modality != 'ä\udcb1'",
    "tags.SeriesNumber in [1, 2.5, 'x', 1000000000000000000000000000000]",
    "same(tags.PatientName, 'A') or any_of(tags.PatientName, ['b', ''])",
    "tags.ImageType.split('\\\\')[0] == 'ORIGINAL' and -0.5 <= tags.SliceThickness < 1e300",
    "has(Rows) or not empty(Columns) or tags.Rows.lower() in ['a', 'b']",
    "tags.Rows == tags.Columns and tags.Modality.lower() < 'm'",
)


def through_json(forms: Mapping[str, Form]) -> dict[str, Form]:
    return read_back(json.loads(json.dumps(write_down(forms))))


def plain(form: Form) -> Any:
    """``form`` with its views, which are compared by what they are, as tuples."""
    terms = [
        [
            (
                literal.tag,
                literal.negated,
                [
                    (view.tag, view.node, view.node is view.tag, view.fold, kind, constant)
                    for view, kind, constant in literal.tests
                ],
            )
            for literal in term
        ]
        for term in form.terms
    ]
    return terms, form.exact, form.metered


def test_forms_are_read_back_as_they_were() -> None:
    normaliser = Normaliser(BUILTINS)
    forms = {text: normaliser.form(compile_text(text)) for text in TEXTS}
    forms |= {"always": ALWAYS, "never": NEVER, "undecided": Form(((),), exact=False)}
    forms["metered"] = Form(forms[TEXTS[0]].terms, exact=False, metered=True)
    back = through_json(forms)
    assert {text: plain(form) for text, form in back.items()} == {
        text: plain(form) for text, form in forms.items()
    }


def test_what_forms_have_in_common_is_written_down_and_read_back_once() -> None:
    normaliser = Normaliser(BUILTINS)
    texts = [f"tags.Modality.lower() in ['a', '{n}'] and has(Rows)" for n in range(5)]
    forms = {text: normaliser.form(compile_text(text)) for text in texts}
    written = write_down(forms)
    assert (len(written["views"]), len(written["literals"])) == (2, 6)
    back = read_back(written).values()
    views = {t.view for form in back for term in form.terms for each in term for t in each.tests}
    assert len(views) == 2


def test_an_index_of_forms_that_were_kept_answers_alike() -> None:
    random = Random(14)
    for _ in range(6):
        world = world_of(random)
        programs = [compiled(rule(world)) for _ in range(30)]
        normaliser = Normaliser(FUNCTIONS)
        forms = through_json({str(n): normaliser.form(each) for n, each in enumerate(programs)})
        # Some are kept, the others are made anew.
        kept = [forms[str(n)] if n % 3 else None for n in range(len(programs))]
        index = RuleIndex(programs, kept)
        for tags in (series(world, random) for _ in range(60)):
            assert index.true(tags) == answer(programs, "true", tags)
            assert index.unknown(tags) == answer(programs, "unknown", tags)
