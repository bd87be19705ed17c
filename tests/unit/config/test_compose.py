"""Models are composed of what plugins contribute, whatever they contribute."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field

from mroute.config import load, rules_schema, settings_schema, validate
from mroute.contributions import ActionType, ChannelType, ConditionType, Phase
from mroute.errors import ConfigurationError
from mroute.models import ChannelBase, ConditionBase, Model, RuleBase, Trigger
from tests.unit.config.conftest import BLUEPRINT, ArchiveRule, Site, make_registry, nothing

NOTHING = ("route", "both", "discard", "archive", "dicom", "folder", "webhook", "mail")


class StudyCondition(ConditionBase):
    complete: Literal["all"] = "all"


class WholeStudyRule(RuleBase):
    """An action that always acts on studies: it narrows what every rule has."""

    action: Literal["whole-study"]
    on: Literal[Trigger.STUDY] = Trigger.STUDY
    study: StudyCondition = Field(StudyCondition(), description="Always complete.")


def whole(name: str, model: type[Any] = WholeStudyRule) -> dict[str, Any]:
    return {name: ActionType(name, Phase.DISPATCH, model)}


def test_an_action_may_narrow_study_and_on(site: Site) -> None:
    registry = make_registry(action=whole("whole-study"))
    text = "version: 1\nrules: {a: {when: 'True', action: whole-study}}\n"
    rule = load(site.write(text), registry).rules["a"].rule
    assert (rule.on, rule.study) == (Trigger.STUDY, StudyCondition())
    [problem] = validate(site.write(text.replace("'True',", "'True', on: series,")), registry)
    assert (problem.code, problem.column) == ("MR214", 31)
    assert problem.message == "expected 'study' for 'on', not 'series'"


def test_a_model_without_the_literal_gets_it(site: Site) -> None:
    text = (
        "version: 1\ntargets: {attic: {type: folder, path: x}}\n"
        "rules: {a: {when: 'True', action: archive}}\n"
    )
    rule = load(site.write(text), site.registry).rules["a"].rule
    assert isinstance(rule, ArchiveRule)
    assert rule.action == "archive"
    assert type(rule).__name__ == "ArchiveRule"
    assert (type(rule).__doc__, type(rule).__module__) == (
        ArchiveRule.__doc__,
        ArchiveRule.__module__,
    )


def test_the_default_of_a_reference_must_exist_too(site: Site) -> None:
    text = "version: 1\nrules:\n  a: {when: 'True', action: archive}\n"
    [problem] = site.problems(text)
    assert (problem.code, problem.line, problem.column, problem.length) == ("MR220", 3, 3, 1)
    assert problem.message == "unknown target 'attic' in rule 'a'"
    assert problem.hint == "the file has no targets; add 'attic' below a key 'targets'"


def test_nothing_installed_leaves_a_file_without_rules(site: Site) -> None:
    registry = make_registry(without=(*NOTHING, "timeout", "received_series", "command"))
    text = "version: 1\ntargets: {a: {type: folder}, b: {}, c: 3}\n"
    said = [each.message for each in validate(site.write(text), registry)]
    assert said == [
        "the file has no rules: every series is discarded",
        "unknown target type 'folder', expected nothing: there is none",
        "target 'b' needs 'type': nothing: there is none",
        "expected a mapping for target 'c', not the number 3",
    ]
    assert load(site.write("version: 1\n"), registry).spool == site.folder / "spool"
    assert rules_schema(registry)["properties"]["targets"]["additionalProperties"] == {"not": {}}


def test_one_of_a_kind_is_enough(site: Site) -> None:
    registry = make_registry(without=("discard", "archive", "both", "mail", "dicom", "timeout"))
    text = (
        "version: 1\ntargets: {a: {type: folder, path: x}}\n"
        "rules: {a: {when: 'True', action: route, targets: [a], notify: [{channel: webhook}]}}\n"
    )
    [problem] = validate(site.write(text), registry)
    assert (
        problem.message == "item 1 of 'notify' of rule 'a' with action 'route' needs 'url': a text"
    )
    assert (problem.line, problem.column) == (3, 65)


def test_a_broken_model_is_left_out_and_told(site: Site) -> None:
    class Broken(RuleBase):
        action: Literal["broken"]
        field: Nowhere  # type: ignore[name-defined]  # noqa: F821

    registry = make_registry(action=whole("broken", Broken))
    text = "version: 1\nrules:\n  a: {when: 'True', action: broken}\n"
    [problem] = validate(site.write(text), registry)
    assert (problem.code, problem.line, problem.column) == ("MR215", 3, 29)
    assert problem.message.startswith(
        "the action 'broken' of plugin 'core' cannot be used: PydanticUndefinedAnnotation"
    )
    assert problem.hint == "see 'mroute plugins show core'"
    assert validate(site.write(text.replace("broken", "discard")), registry) == ()


def test_what_is_no_model_is_left_out_too(site: Site) -> None:
    registry = make_registry(condition={"odd": ConditionType("odd", int, nothing)})  # type: ignore[arg-type]
    text = (
        "version: 1\nrules:\n  a: {when: 'True', action: discard, on: study,\n"
        "      study: {complete: odd}}\n"
    )
    [problem] = validate(site.write(text), registry)
    assert problem.message.startswith("the condition 'odd' of plugin 'core' cannot be used: ")


class Plain(BaseModel):
    """A section that is no frozen model of mroute's."""

    level: int = 1


class Needed(Model):
    secret: str = Field(description="Shared with the other side.")


@pytest.mark.parametrize("plugin", ["my-plugin", "copy", "model_dump", "_x", "a.b", "class"])
def test_a_plugin_may_have_any_name(site: Site, plugin: str) -> None:
    registry = make_registry(settings={plugin: Plain})
    text = f"version: 1\nsettings: {{{plugin}: {{level: 2}}}}\n"
    assert load(site.write(text), registry).settings == {plugin: Plain(level=2)}
    assert load(site.write("version: 1\n"), registry).settings == {plugin: Plain()}
    assert list(settings_schema(registry)["properties"]) == ["durability", "log_phi", plugin]
    wrong = validate(site.write(text.replace("2", "x")), registry)[-1]
    assert wrong.message == "expected a whole number for 'level', not 'x'"


@pytest.mark.parametrize("plugin", ["durability", "log_phi"])
def test_a_plugin_must_not_be_named_like_a_core_setting(site: Site, plugin: str) -> None:
    registry = make_registry(settings={plugin: Plain})
    text = "version: 1\nrules: {a: {when: 'True', action: discard}}\n"
    [problem] = validate(site.write(text), registry)
    assert (problem.code, problem.line, problem.column) == ("MR224", 1, 1)
    assert problem.message == (
        f"plugin '{plugin}' is named like a setting of mroute itself, expected another name"
    )
    assert problem.hint == "remove it, or disable it with MROUTE_DISABLE_PLUGINS"


def test_settings_that_are_needed_are_asked_for(site: Site) -> None:
    registry = make_registry(settings={"vault": Needed})
    rules = "version: 1\nrules: {a: {when: 'True', action: discard}}\n"
    [problem] = validate(site.write(rules), registry)
    assert (problem.code, problem.line, problem.column) == ("MR211", 1, 1)
    assert problem.message == "'settings' needs 'vault': a mapping"
    [problem] = validate(site.write(rules + "settings: {vault: {}}\n"), registry)
    assert (problem.line, problem.column) == (3, 12)
    assert problem.message == "'vault' of 'settings' needs 'secret': a text"
    assert problem.hint == "Shared with the other side."
    configuration = load(site.write(rules + "settings: {vault: {secret: x}}\n"), registry)
    assert configuration.settings == {"vault": Needed(secret="x")}
    assert "settings" in rules_schema(registry)["required"]


def test_a_condition_is_not_asked_of_a_file_that_has_none(site: Site) -> None:
    registry = make_registry(without=("timeout", "received_series"))
    said = [each.message for each in validate(site.write(BLUEPRINT), registry)]
    assert said == ["unknown condition 'received_series', expected nothing: there is none"]


def fail(value: str) -> str:
    return {"fine": value}[value]


class FailingChannel(ChannelBase):
    channel: Literal["fax"]
    number: Annotated[str, AfterValidator(fail)]


class FailingSection(Model):
    level: Annotated[str, AfterValidator(fail)] = "fine"


def test_a_plugin_that_fails_to_check_a_value_is_named(site: Site) -> None:
    registry = make_registry(
        channel={"fax": ChannelType("fax", FailingChannel, nothing)},
        settings={"odd": FailingSection},
    )
    text = (
        "version: 1\nrules:\n"
        "  a: {when: 'True', action: discard, notify: [{channel: fax, number: 'x'}]}\n"
        "  b: {when: 'True', action: discard, notify: [{channel: fax, number: fine}]}\n"
        "  c: {when: tags.Foo == 1, action: discard}\n"
        "settings: {odd: {level: high}}\n"
    )
    said = [
        (each.line, each.column, each.code, each.message)
        for each in validate(site.write(text), registry)
    ]
    assert said == [
        (3, 47, "MR225", "plugin 'core' failed to check this: KeyError: 'x'"),
        (5, 13, "MR120", "unknown tag 'Foo'"),
        (6, 17, "MR225", "plugin 'odd' failed to check this: KeyError: 'high'"),
    ]
    with pytest.raises(ConfigurationError):
        load(site.write(text), registry)


def test_a_default_that_cannot_be_made_is_a_failure_of_some_plugin(site: Site) -> None:
    class Unmade(Model):
        level: str = Field(default_factory=lambda: fail("x"))

    registry = make_registry(settings={"odd": Unmade})
    [problem] = validate(
        site.write("version: 1\nrules: {a: {when: 'True', action: discard}}\n"), registry
    )
    assert (problem.line, problem.column, problem.code) == (1, 1, "MR225")
    assert problem.message == "a plugin failed to check this: KeyError: 'x'"
