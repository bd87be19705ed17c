"""A file that is fine: every value arrives where it belongs."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from mroute.config import Configuration, CoreSettings, Timing, load
from mroute.contributions import Phase
from mroute.errors import ConfigurationError, Severity
from mroute.models import Durability, ForcedCompletion, NoticeEvent, Priority, Trigger
from mroute.registry import Registry
from tests.unit.config.conftest import (
    BLUEPRINT,
    BothRule,
    CommandModule,
    DicomTarget,
    FolderTarget,
    ReceiverSettings,
    RouteRule,
    SeriesCondition,
    Site,
    Webhook,
)


def loaded(site: Site, text: str, name: str = "mroute.yaml") -> Configuration:
    return load(site.write(text, name), site.registry)


def test_the_example_of_the_blueprint_loads(site: Site) -> None:
    configuration = loaded(site, BLUEPRINT)
    assert configuration.file == site.folder / "mroute.yaml"
    assert configuration.spool == site.folder / "spool"
    assert configuration.timing == Timing(retry_max=5)
    assert configuration.timing.study_complete_after == timedelta(minutes=15)
    assert configuration.targets == {
        "pacs": DicomTarget(type="dicom", host="pacs.example", port=104, aet="PACS"),
        "archive": FolderTarget(type="folder", path=Path("/data/archive")),
    }
    assert configuration.modules == {
        "segmentation": CommandModule(
            runner="command", command=("segment", "--fast"), settings={"threshold": 0.5}
        )
    }
    assert configuration.core == CoreSettings(durability=Durability.POWER, log_phi=False)
    assert configuration.settings == {"receiver": ReceiverSettings()}
    assert configuration.warnings == ()
    assert list(configuration.rules) == ["cine-to-pacs", "spine-study"]


def test_the_rules_of_the_blueprint_are_those_of_the_plugins(site: Site) -> None:
    rules = loaded(site, BLUEPRINT).rules
    assert rules["cine-to-pacs"].phase is Phase.DISPATCH
    assert rules["spine-study"].phase is Phase.PROCESSING
    cine, spine = rules["cine-to-pacs"].rule, rules["spine-study"].rule
    assert isinstance(cine, RouteRule)
    assert (cine.targets, cine.on, cine.study, cine.notify) == (("pacs",), Trigger.SERIES, None, ())
    assert (cine.priority, cine.fallback, cine.disabled) == (Priority.NORMAL, False, False)
    assert isinstance(spine, BothRule)
    assert (spine.modules, spine.settings) == (("segmentation",), {"threshold": 0.4})
    assert spine.study == SeriesCondition.model_validate(
        {
            "complete": "received_series",
            "series": "'Axial T2' and ('SAG T1 GRE' or 'SAG T1 TSE')",
            "after": "90m",
            "else": "discard",
        }
    )
    assert spine.study.after == timedelta(minutes=90)
    assert spine.study.otherwise is ForcedCompletion.DISCARD
    assert spine.notify == (
        Webhook(
            channel="webhook",
            url="https://...",
            events=(NoticeEvent.COMPLETED, NoticeEvent.ERROR),
        ),
    )


def test_the_rules_decide(site: Site) -> None:
    rules = loaded(site, BLUEPRINT).rules
    decision = rules.evaluate({"SeriesDescription": "CINE short axis", "SliceThickness": "1.5"})
    assert decision.triggered == ("cine-to-pacs",)
    assert decision.outcomes["spine-study"].value is None


def test_json_and_toml_say_the_same_as_yaml(site: Site) -> None:
    # The example is YAML 1.1 too, but for its key `on`.
    content = yaml.safe_load(BLUEPRINT.replace("    on: study", "    'on': study"))
    expected = loaded(site, BLUEPRINT)
    read = loaded(site, json.dumps(content, indent=2), "mroute.json")
    assert (read.targets, read.modules, read.timing) == (
        expected.targets,
        expected.modules,
        expected.timing,
    )
    assert {name: rule.rule for name, rule in read.rules.items()} == {
        name: rule.rule for name, rule in expected.rules.items()
    }
    toml = """
version = 1
[targets]
pacs = {type = "dicom", host = "pacs.example", port = 104, aet = "PACS"}
[targets.archive]
type = "folder"
path = '/data/archive'
[rules.cine-to-pacs]
when = "'CINE' in tags.SeriesDescription and tags.SliceThickness < 2"
action = "route"
targets = ["pacs"]
"""
    assert tomllib.loads(toml)["version"] == 1
    read = loaded(site, toml, "mroute.toml")
    assert read.targets == expected.targets
    assert read.rules["cine-to-pacs"].rule == expected.rules["cine-to-pacs"].rule


def test_relative_paths_are_relative_to_the_file(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site.folder / "below").mkdir()
    site.write(
        "version: 1\nspool: ../work\ntargets: {a: {type: folder, path: out}}\n"
        "settings: {receiver: {store: in}}\n",
        "below/m.yaml",
    )
    monkeypatch.chdir(site.folder)
    configuration = load(Path("below/m.yaml"), site.registry)
    assert configuration.file == site.folder / "below/m.yaml"
    assert configuration.spool == site.folder / "below/../work"
    assert configuration.targets["a"] == FolderTarget(type="folder", path=site.folder / "below/out")
    assert configuration.settings["receiver"] == ReceiverSettings(store=site.folder / "below/in")


def test_everything_but_the_version_has_a_default(site: Site) -> None:
    configuration = loaded(site, "version: 1\n")
    assert configuration.spool == site.folder / "spool"
    assert configuration.timing == Timing(
        series_complete_after=timedelta(seconds=60),
        study_complete_after=timedelta(minutes=15),
        retry_after=timedelta(minutes=15),
        retry_max=5,
    )
    assert (dict(configuration.targets), dict(configuration.modules)) == ({}, {})
    assert len(configuration.rules) == 0
    [warning] = configuration.warnings
    assert (warning.code, warning.severity) == ("MR223", Severity.WARNING)
    assert warning.message == "the file has no rules: every series is discarded"


def test_settings_of_mroute_and_of_a_plugin(site: Site) -> None:
    text = "version: 1\nsettings: {durability: process, log_phi: true, receiver: {port: 104}}\n"
    configuration = loaded(site, text)
    assert configuration.core == CoreSettings(durability=Durability.PROCESS, log_phi=True)
    assert configuration.settings == {"receiver": ReceiverSettings(port=104)}


def test_warnings_of_an_expression_do_not_keep_a_file_from_being_used(site: Site) -> None:
    text = "version: 1\nrules:\n  a: {when: \"tags['Nowhere'] == 'x'\", action: discard}\n"
    configuration = loaded(site, text)
    [warning] = configuration.warnings
    assert (warning.line, warning.column, warning.code) == (3, 14, "MR121")
    assert configuration.rules.evaluate({"Nowhere": "x"}).discarded_by == "a"


def test_load_raises_all_errors_and_no_warning(site: Site) -> None:
    text = "version: 2\nspol: x\nrules: {}\n"
    with pytest.raises(ConfigurationError) as caught:
        loaded(site, text)
    assert [problem.code for problem in caught.value.problems] == ["MR214", "MR210"]
    assert "mroute.yaml:1:10: error: expected 1 for 'version'" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("name", ["cine-to-pacs", "spine-study"])
def test_a_rule_is_made_of_what_a_file_says_of_it(site: Site, name: str) -> None:
    configuration = loaded(site, BLUEPRINT)
    written = yaml.safe_load(BLUEPRINT.replace("    on: study", "    'on': study"))
    assert configuration.parse_rule(written["rules"][name]) == configuration.rules[name].rule


def test_a_rule_of_a_plugin_that_is_gone_does_not_come_back(site: Site) -> None:
    configuration = loaded(site, BLUEPRINT)
    with pytest.raises(ValueError, match="no installed plugin contributes the action 'gone'"):
        configuration.parse_rule({"action": "gone", "when": "True"})
    with pytest.raises(ValueError, match="targets"):
        configuration.parse_rule({"action": "route", "when": "True"})


def test_a_registry_is_composed_once(site: Site, registry: Registry) -> None:
    first, second = loaded(site, BLUEPRINT), loaded(site, BLUEPRINT)
    assert registry is site.registry
    assert type(first.rules["spine-study"].rule) is type(second.rules["spine-study"].rule)
    assert first.rules["spine-study"].rule == second.rules["spine-study"].rule
