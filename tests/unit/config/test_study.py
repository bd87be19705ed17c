"""What is checked about the section ``study`` of a rule: conditions within conditions, ``when``.

Knows the conditions of the plugin ``studies``. Does not know when a study is complete.
"""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

import mroute_studies
from mroute.config import load, rules_schema
from mroute.errors import ConfigurationError
from mroute.models import Latecomers
from mroute.registry import Registry
from mroute.testing import registry_of
from tests.unit.config.conftest import Site, make_registry

HEAD = """\
version: 1
rules:
  r:
    when: 'True'
    action: discard
    on: study
    study:
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return make_registry(condition=dict(registry_of(mroute_studies).conditions))


def indented(text: str) -> str:
    return HEAD + "".join(f"      {line}\n" for line in text.strip().splitlines())


NESTED = """
complete: any_of
conditions:
  - {complete: received_series, series: "'T1' and 'T2'"}
  - complete: all_of
    conditions:
      - {complete: timeout, quiet: 20m}
      - {complete: expected_instances, number: 12}
after: 2h
else: proceed
when: any(s.Modality == 'CT' for s in series)
latecomers: hold
"""


def test_conditions_are_made_of_conditions(site: Site) -> None:
    assert site.said(indented(NESTED)) == []
    configuration = load(site.folder / "mroute.yaml", site.registry)
    study = configuration.rules["r"].rule.study
    first, second = study.conditions
    assert (study.complete, study.latecomers) == ("any_of", Latecomers.HOLD)
    assert first.series == "'T1' and 'T2'"
    assert [each.complete for each in second.conditions] == ["timeout", "expected_instances"]
    assert study.when == "any(s.Modality == 'CT' for s in series)"


def test_a_rule_that_was_kept_is_read_again(site: Site) -> None:
    site.write(indented(NESTED))
    configuration = load(site.folder / "mroute.yaml", site.registry)
    rule = configuration.rules["r"].rule
    kept = rule.model_dump(mode="json", by_alias=True)
    assert configuration.parse_rule(kept) == rule


def test_a_condition_over_a_study_is_compiled_once(site: Site) -> None:
    site.write(indented(NESTED))
    configuration = load(site.folder / "mroute.yaml", site.registry)
    text = configuration.rules["r"].rule.study.when
    program = configuration.study_program(text)
    assert configuration.study_program(text) is program
    assert program.evaluate({}, [{"Modality": "MR"}, {"Modality": "CT"}]).value is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "complete: any_of\nconditions:\n  - {complete: timeout, after: 2h, else: ignore}",
            [
                (
                    "10:31 MR227 'after' is in a condition that another one is made of | "
                    "move 'after' out, beside the outermost 'complete'"
                ),
                (
                    "10:42 MR227 'else' is in a condition that another one is made of | "
                    "move 'else' out, beside the outermost 'complete'"
                ),
            ],
        ),
        (
            (
                "complete: all_of\nconditions:\n  - complete: any_of\n    conditions:\n"
                "      - {complete: timeout, latecomers: new}"
            ),
            [
                (
                    "12:35 MR227 'latecomers' is in a condition that another one is made of | "
                    "move 'latecomers' out, beside the outermost 'complete'"
                ),
            ],
        ),
        (
            "complete: received_series\nseries: ''",
            [
                (
                    "9:15 MR226 the expression is empty: no series is named, so that the study is "
                    "complete when it was quiet, as by 'timeout' | write what is waited for, or "
                    "choose another condition"
                )
            ],
        ),
        (
            'complete: any_of\nconditions:\n  - {complete: received_series, series: "\'T1"}',
            [
                (
                    "10:48 MR104 the text that begins here has no closing ' | close it on the same "
                    "line, with the same quote it begins with"
                )
            ],
        ),
        (
            "complete: timeout\nwhen: any(s.Modalty == 'CT' for s in series)",
            [
                (
                    "9:17 MR120 unknown tag 'Modalty', did you mean 'Modality'? | a tag that is "
                    'not in the DICOM dictionary is written s["Modalty"]'
                )
            ],
        ),
        (
            "complete: timeout\nwhen: tags.Modality = 'CT'",
            ["9:27 MR106 '=' is no operator here | compare with '==', not '='"],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(site: Site, text: str, said: list[str]) -> None:
    assert site.said(indented(text)) == said


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("complete: any_of", "MR211"),
        ("complete: any_of\nconditions: []", "MR213"),
        ("complete: any_of\nconditions: [{complete: never}]", "MR215"),
        ("complete: any_of\nconditions: [{quiet: 3m}]", "MR211"),
        ("complete: any_of\nconditions: [timeout]", "MR212"),
        ("complete: timeout\nlatecomers: later", "MR214"),
        ("complete: expected_instances\nnumber: 0", "MR213"),
        ("complete: expected_instances\nnumber: 3\ntag: Rows", "MR213"),
    ],
)
def test_what_cannot_be_is_refused(site: Site, text: str, code: str) -> None:
    assert [each.code for each in site.problems(indented(text))] == [code]
    with pytest.raises(ConfigurationError):
        load(site.folder / "mroute.yaml", site.registry)


def test_series_are_no_names_of_a_condition_over_one(site: Site) -> None:
    text = HEAD.replace("'True'", "any(s.Modality == 'CT' for s in series)")
    said = site.said(text + "      complete: timeout\n")
    assert said == [
        (
            "4:43 MR123 unknown name 'series' | the series of a study are known in 'when' of a "
            "section 'study' only"
        )
    ]


def test_the_schema_takes_what_the_model_takes(registry: Registry, tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(rules_schema(registry))
    good = yaml.safe_load(indented(NESTED).replace("on: study", "'on': study"))
    assert list(validator.iter_errors(good)) == []
    good["rules"]["r"]["study"]["conditions"][1]["conditions"][0]["quiet"] = 3
    assert len(list(validator.iter_errors(good))) > 0


def test_conditions_go_as_deep_as_a_file(site: Site) -> None:
    deep = "{complete: timeout}"
    for _ in range(15):
        deep = f"{{complete: any_of, conditions: [{deep}]}}"
    body = HEAD.rsplit("    study:\n", 1)[0] + f"    study: {deep}\n"
    assert site.said(body) == []
