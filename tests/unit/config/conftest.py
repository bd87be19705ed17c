"""A small registry of made-up plugins, and a way to write a file and see what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field, JsonValue

from mroute.config import rules_schema, validate
from mroute.contributions import (
    ActionType,
    ChannelType,
    ConditionType,
    Phase,
    RunnerType,
    TargetType,
)
from mroute.errors import PluginError, Problem
from mroute.expr import BUILTINS, RuleFunction, Type
from mroute.models import (
    ChannelBase,
    Completion,
    Condition,
    ConditionBase,
    FilePath,
    Model,
    ModuleBase,
    ModuleName,
    RuleBase,
    TargetBase,
    TargetName,
)
from mroute.plugins import LoadedPlugin
from mroute.registry import Registry
from mroute.times import Duration


class RouteRule(RuleBase):
    """Send the images."""

    action: Literal["route"]
    targets: tuple[TargetName, ...] = Field(min_length=1)


class BothRule(RuleBase):
    action: Literal["both"]
    modules: tuple[ModuleName, ...]
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    targets: tuple[TargetName, ...]


class DiscardRule(RuleBase):
    action: Literal["discard"]


class Step(Model):
    """Something nested: markers are found here too."""

    only: Condition | None = None
    to: dict[str, TargetName] = Field(default_factory=dict)


class ArchiveRule(RuleBase):
    """What a third party's plugin may look like; its model does not narrow ``action``."""

    attic: TargetName = Field("attic", description="Where old images go.")
    steps: tuple[Step, ...] = ()
    mode: int | tuple[int, ...] = 0


def no_spaces(value: str) -> str:
    if " " in value:
        raise ValueError(f"the AE title {value!r} has a space in it")
    return value


class DicomTarget(TargetBase):
    type: Literal["dicom"]
    host: str
    port: int = Field(ge=1, le=65535)
    aet: Annotated[str, AfterValidator(no_spaces)]


class FolderTarget(TargetBase):
    type: Literal["folder"]
    path: FilePath


class Webhook(ChannelBase):
    channel: Literal["webhook"]
    url: str = Field(pattern="^https?://")


class Mail(ChannelBase):
    channel: Literal["mail"]
    to: str


class TimeoutCondition(ConditionBase):
    complete: Literal["timeout"]


class SeriesCondition(ConditionBase):
    complete: Literal["received_series"]
    series: Completion


class CommandModule(ModuleBase):
    runner: Literal["command"]
    command: tuple[str, ...]
    timeout: Duration = timedelta(hours=1)


class ReceiverSettings(Model):
    port: int = 11112
    store: FilePath | None = None


def nothing(*_: Any) -> Any:
    raise AssertionError("nothing is done with a configuration here")


MODELS: dict[str, dict[str, Any]] = {
    "action": {
        "route": ActionType("route", Phase.DISPATCH, RouteRule),
        "both": ActionType("both", Phase.PROCESSING, BothRule),
        "discard": ActionType("discard", Phase.DISCARD, DiscardRule),
        "archive": ActionType("archive", Phase.DISPATCH, ArchiveRule),
    },
    "target type": {
        "dicom": TargetType("dicom", DicomTarget, nothing),
        "folder": TargetType("folder", FolderTarget, nothing),
    },
    "channel": {
        "webhook": ChannelType("webhook", Webhook, nothing),
        "mail": ChannelType("mail", Mail, nothing),
    },
    "condition": {
        "timeout": ConditionType("timeout", TimeoutCondition, nothing),
        "received_series": ConditionType("received_series", SeriesCondition, nothing),
    },
    "runner": {"command": RunnerType("command", CommandModule, nothing)},
    "function": {"age_years": RuleFunction("age_years", (Type.TEXT,), Type.NUMBER, nothing)},
}

ARCHIVE = LoadedPlugin("archive", "mroute-example", "1.0")
CORE = LoadedPlugin("core", "mroute", "0.1.0")

Registries = Callable[..., Registry]


def make_registry(
    *plugins: LoadedPlugin,
    without: tuple[str, ...] = (),
    settings: dict[str, type[BaseModel]] | None = None,
    errors: tuple[PluginError, ...] = (),
    **changed: dict[str, Any],
) -> Registry:
    """The registry of the made-up plugins; ``without`` leaves contributions out by name."""
    kept = {
        kind: {
            name: each
            for name, each in {**contributed, **changed.get(kind.replace(" ", "_"), {})}.items()
            if name not in without
        }
        for kind, contributed in MODELS.items()
    }
    sections = {"receiver": ReceiverSettings} if settings is None else settings
    owners = {
        (kind, name): "archive" if name == "archive" else "core"
        for kind, contributed in kept.items()
        for name in contributed
    }
    return Registry(
        actions=kept["action"],
        target_types=kept["target type"],
        channels=kept["channel"],
        conditions=kept["condition"],
        functions={**BUILTINS, **kept["function"]},
        queues={},
        runners=kept["runner"],
        services={},
        tag_readers={},
        health_checks={},
        settings=sections,
        contributed_by={**owners, **{("settings", name): name for name in sections}},
        plugins=plugins or (ARCHIVE, CORE),
        errors=errors,
    )


@pytest.fixture(scope="session")
def registry() -> Registry:
    return make_registry()


class Site:
    """A folder in which rule files are written and looked at."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder = folder
        self.registry = registry

    def write(self, text: str | bytes, name: str = "mroute.yaml") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    def problems(self, text: str | bytes, name: str = "mroute.yaml") -> tuple[Problem, ...]:
        """What is wrong with a file of this text."""
        return validate(self.write(text, name), self.registry)

    def said(self, text: str | bytes, name: str = "mroute.yaml") -> list[str]:
        """The same as lines: ``line:column code message | hint``."""
        return [
            f"{each.line}:{each.column} {each.code} {each.message} | {each.hint}"
            for each in self.problems(text, name)
        ]

    def export_schema(self, registry: Registry, name: str = "rules.schema.json") -> None:
        """Write the schema as ``mroute schema rules`` does."""
        self.write(json.dumps(rules_schema(registry)), name)


@pytest.fixture
def site(tmp_path: Path, registry: Registry) -> Site:
    return Site(tmp_path, registry)


BLUEPRINT = """\
# yaml-language-server: $schema=rules.schema.json
version: 1
spool: spool                                   # a relative path is relative to this file
timing: {series_complete_after: 60s, study_complete_after: 15m, retry_after: 15m, retry_max: 5}
targets:
  pacs: {type: dicom, host: pacs.example, port: 104, aet: PACS}
  archive: {type: folder, path: /data/archive}
modules:
  segmentation: {runner: command, command: [segment, --fast], settings: {threshold: 0.5}}
rules:
  cine-to-pacs:
    when: "'CINE' in tags.SeriesDescription and tags.SliceThickness < 2"
    action: route
    targets: [pacs]
  spine-study:
    when: tags.Modality == 'MR'
    on: study
    study: {complete: received_series, series: "'Axial T2' and ('SAG T1 GRE' or 'SAG T1 TSE')", \
after: 90m, else: discard}
    action: both
    modules: [segmentation]
    settings: {threshold: 0.4}                   # over the module's own
    targets: [pacs]
    notify: [{channel: webhook, url: "https://...", events: [completed, error]}]
"""
"""The example of blueprint section 9, word for word."""
