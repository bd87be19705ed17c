"""The section ``process`` of ``task.json``: the modules of a task and what came out of each.

Knows what the section looks like: an object for one module, a list for several. Does not know how
a module is run.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ConfigDict, Field, JsonValue, RootModel

from mroute.api import Model

QUEUE = "processing"
SECTION = "process"


class Exchange(Model):
    """How the images of the task are exchanged for those that the last module made."""

    added: tuple[str, ...] = Field(
        description="Names of the files that come into the task.", examples=[["segmented.dcm"]]
    )
    removed: tuple[str, ...] = Field(
        description="Names of the files that leave the task.",
        examples=[["1.2.826.0.1#1.2.826.0.1.1.dcm", "1.2.826.0.1#1.2.826.0.1.1.tags"]],
    )


class ModuleEntry(Model):
    """One module of the task; keys of others are left in it."""

    model_config = ConfigDict(extra="allow")

    module_name: str = Field(
        description="Name of the module in the rule file.", examples=["segmentation"]
    )
    module_config: dict[str, JsonValue] | None = Field(
        None,
        description="The module as it was configured when the task was planned, for its program to "
        "read; nothing where it was not. What runs is the module as it is configured by then.",
        examples=[{"runner": "command", "command": ["segment", "--fast"], "timeout": "3600s"}],
    )
    settings: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="The settings of the module, and over them the rule's.",
        examples=[{"threshold": 0.4}],
    )
    retain_input_images: bool = Field(
        False, description="Whether the task keeps its own images beside those that come out."
    )
    output: JsonValue = Field(
        None,
        description="What the module wrote into `result.json`; nothing until it is done.",
        examples=[{"volume_ml": 1520}],
    )
    exchange: Exchange | None = Field(
        None,
        description="How the images are exchanged at the end. Set once all modules are done, in "
        "the last entry, before the first file moves.",
    )


class ProcessSection(RootModel[ModuleEntry | list[ModuleEntry]]):
    """The modules that are run on the task: one, or several in their order."""

    @property
    def entries(self) -> list[ModuleEntry]:
        """The modules as a list in either case."""
        return self.root if isinstance(self.root, list) else [self.root]


def as_section(entries: Sequence[ModuleEntry]) -> JsonValue:
    """The section for ``task.json``: the entry itself where there is one, else a list."""
    dumped: list[JsonValue] = [entry.model_dump(mode="json") for entry in entries]
    return dumped[0] if len(dumped) == 1 else dumped
