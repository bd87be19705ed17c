"""Composes the model of the rule file from the models that the plugins contribute.

Knows the sections of the file. Does not know any action, type, channel, condition or runner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, create_model

from mroute.config.choice import ACTION, CHANNEL, CONDITION, RUNNER, TARGET_TYPE, Choice, Kind
from mroute.config.configuration import CoreSettings, Timing
from mroute.errors import UnsafeNameError
from mroute.models import (
    ChannelBase,
    ConditionBase,
    FilePath,
    Model,
    ModuleBase,
    OfConditions,
    RuleBase,
    TargetBase,
)
from mroute.names import MAX_BYTES, safe_name
from mroute.registry import Registry

_NAMES: dict[str, JsonValue] = {
    "pattern": r"^[^./\\#\u0000-\u001f\u007f][^/\\#\u0000-\u001f\u007f]*$",
    "maxLength": MAX_BYTES,
}


@dataclass(frozen=True, slots=True)
class Composition:
    """The model of the whole file for the installed plugins.

    ``choices`` are the models by kind. ``sections`` maps a plugin to the attribute of ``settings``
    that holds its section. ``unusable`` says of contributions, by kind and name, why their model
    cannot be used; ``misnamed`` are plugins whose name is that of a core setting.
    """

    file: type[BaseModel]
    settings: type[CoreSettings]
    choices: Mapping[Kind, Choice]
    sections: Mapping[str, str]
    unusable: Mapping[tuple[str, str], str]
    misnamed: tuple[str, ...]


@lru_cache(maxsize=4)
def compose(registry: Registry) -> Composition:
    """Compose the models of everything in ``registry``; a broken one is left out and told."""
    return _Composer(registry).composition()


class _Composer:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._unusable: dict[tuple[str, str], str] = {}
        self._sections: dict[str, str] = {}
        self._misnamed: list[str] = []

    def composition(self) -> Composition:
        registry = self._registry
        channels = self._choice(CHANNEL, registry.channels)
        conditions = self._conditions()
        actions = self._choice(
            ACTION, registry.actions, lambda model: _rule_fields(model, channels, conditions)
        )
        targets = self._choice(TARGET_TYPE, registry.target_types)
        runners = self._choice(RUNNER, registry.runners)
        settings = self._settings()
        return Composition(
            file=_file_model(actions, targets, runners, settings),
            settings=settings,
            choices={each.kind: each for each in (actions, targets, channels, conditions, runners)},
            sections=self._sections,
            unusable=self._unusable,
            misnamed=tuple(self._misnamed),
        )

    def _conditions(self) -> Choice:
        """The conditions, each of which may be made of all of them: so they are built in the end.

        One whose model cannot be built is left out, and cannot be a part of another one either.
        """
        models: dict[str, type[BaseModel]] = {}
        choice = Choice(CONDITION, models)
        found = self._choice(
            CONDITION, self._registry.conditions, lambda model: _condition_fields(model, choice)
        )
        models |= found.models
        for model in list(models.values()):
            model.model_rebuild(force=True)
        return choice

    def _choice(self, kind: Kind, contributed: Mapping[str, Any], fields: Any = None) -> Choice:
        models = {}
        for name, each in contributed.items():
            try:
                models[name] = _narrowed(each.model, kind, name, fields)
            # The edge of a plugin: its model may be broken in any way.
            except Exception as error:  # noqa: BLE001
                self._unusable[kind.name, name] = f"{type(error).__name__}: {error}"
        return Choice(kind, models)

    def _settings(self) -> type[CoreSettings]:
        fields: dict[str, Any] = {}
        for number, (plugin, model) in enumerate(sorted(self._registry.settings.items())):
            if plugin in CoreSettings.model_fields:
                self._misnamed.append(plugin)
                continue
            attribute = f"section_{number}"
            needed = any(each.is_required() for each in model.model_fields.values())
            # By alias, for a plugin may be called 'copy' or 'my-plugin'.
            field = Field(alias=plugin) if needed else Field(alias=plugin, default_factory=model)
            fields[attribute] = (model, field)
            self._sections[plugin] = attribute
        return create_model(
            "Settings",
            __base__=CoreSettings,
            __doc__="Settings of mroute and its plugins.",
            **fields,
        )


class _BuiltLater(BaseModel):
    """A base of models that refer to what is not there yet."""

    model_config = ConfigDict(defer_build=True)


def _narrowed(model: type[BaseModel], kind: Kind, name: str, fields: Any) -> type[BaseModel]:
    """``model``, or a subclass where something is missing: the literal, or narrower fields."""
    model.model_rebuild()
    narrower: dict[str, Any] = fields(model) if fields else {}
    # What is narrowed may refer to models that are not there yet.
    base = (model, _BuiltLater) if narrower and kind is CONDITION else model
    found = model.model_fields.get(kind.key)
    annotation = found.annotation if found else None
    if get_origin(annotation) is not Literal or name not in get_args(annotation):
        narrower[kind.key] = (Literal[name], ...)
    if not narrower:
        return model
    return create_model(
        model.__name__,
        __base__=base,
        __module__=model.__module__,
        __doc__=model.__doc__,
        **narrower,
    )


def _condition_fields(model: type[BaseModel], conditions: Choice) -> dict[str, Any]:
    """The fields of a condition that are conditions themselves."""
    return {
        name: (tuple[Annotated[ConditionBase, conditions], ...], field)
        for name, field in model.model_fields.items()
        if any(isinstance(each, OfConditions) for each in field.metadata)
    }


def _rule_fields(model: type[BaseModel], channels: Choice, conditions: Choice) -> dict[str, Any]:
    """The fields of a rule that depend on what else is installed, unless the action narrows them.

    Only the annotation of a field is replaced: default and description are the action's.
    """
    narrower: dict[str, Any] = {}
    study, notify = model.model_fields["study"], model.model_fields["notify"]
    if study.annotation is Any:
        narrower["study"] = (Annotated[ConditionBase, conditions] | None, study)
    if notify.annotation == tuple[Any, ...]:
        narrower["notify"] = (tuple[Annotated[ChannelBase, channels], ...], notify)
    return narrower


def _named(what: str) -> Any:
    """A text that is the name of a ``what``."""

    def check(name: str) -> str:
        try:
            return safe_name(name, what)
        except UnsafeNameError as error:
            raise ValueError(str(error)) from error

    return Annotated[str, AfterValidator(check)]


def _file_model(
    actions: Choice, targets: Choice, runners: Choice, settings: type[CoreSettings]
) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "schema_": (
            str,
            Field(
                "",
                alias="$schema",
                description="The JSON Schema, for editors of JSON; in YAML a comment names it.",
                examples=["rules.schema.json"],
            ),
        ),
        "version": (Literal[1], Field(description="Version of the format of this file: 1.")),
        "spool": (
            FilePath,
            Field(
                Path("spool"),
                validate_default=True,
                description="The folder that mroute works in, relative to this file.",
                examples=["spool", "/var/spool/mroute"],
            ),
        ),
        "timing": (
            Timing,
            Field(default_factory=Timing, description="When mroute acts, and when it tries again."),
        ),
        "targets": (
            dict[_named("target name"), Annotated[TargetBase, targets]],  # type: ignore[misc]
            _section("Where images can be sent, by name.", "archive"),
        ),
        "modules": (
            dict[_named("module name"), Annotated[ModuleBase, runners]],  # type: ignore[misc]
            _section("What can be run on images, by name.", "segmentation"),
        ),
        "rules": (
            dict[_named("rule name"), Annotated[RuleBase, actions]],  # type: ignore[misc]
            _section(
                "The rules, by name. They are considered in this order, and all that trigger are "
                "applied; a series for which none does is discarded.",
                "thin-slices",
            ),
        ),
        "settings": (settings, _settings_field(settings)),
    }
    return create_model("RuleFile", __base__=Model, __doc__="A rule file of mroute.", **fields)


def _section(description: str, name: str) -> Any:
    """A section of named entries; ``name`` is that of the one in the examples of the schema."""
    names: dict[str, JsonValue] = {"propertyNames": {**_NAMES, "examples": [name]}}
    return Field(default_factory=dict, description=description, json_schema_extra=names)


def _settings_field(settings: type[CoreSettings]) -> Any:
    """The section may be left out where every plugin has defaults for all of its own."""
    description = "Settings of mroute itself, and a section for each plugin that has some."
    if any(each.is_required() for each in settings.model_fields.values()):
        return Field(description=description)
    return Field(default_factory=settings, description=description)
