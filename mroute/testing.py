"""What a plugin is tested with: values from few arguments, and hooks without entry points.

Knows how the things that a hook or a worker is called with are made. Does not know any plugin, and
nothing in mroute but `mroute.pytest_plugin` uses it. Times are fixed: everything happens at `NOW`
unless a test moves the clock.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, JsonValue

from mroute.contributions import PlanContext, WorkContext
from mroute.errors import PluginError
from mroute.hooks import Hooks
from mroute.models import ConditionBase, Durability, ModuleBase, RuleBase, TargetBase
from mroute.plugins import GROUP, load_plugins
from mroute.registry import Registry
from mroute.settlement import Task
from mroute.spool.files import Files
from mroute.spool.layout import tags_file
from mroute.spool.tags import read_tags, write_tags
from mroute.spool.taskfile import compose_task, journal_entry, read_task, write_task
from mroute.types import Check, Clock, Series, Study, Tags, TaskPlan, TriggeredRule

__all__ = [
    "NOW",
    "MovingClock",
    "hooks_of",
    "make_rule",
    "make_series",
    "make_study",
    "make_task",
    "plan_context",
    "registry_of",
    "reopened",
    "triggered",
    "work_context",
    "write_dicom",
]

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The time in tests."""

CLAIM_ID = "c1a10000-0000-4000-8000-000000000000"
TASK_ID = "7a500000-0000-4000-8000-000000000000"
TAGS: Tags = {
    "SeriesInstanceUID": "1.2.3",
    "StudyInstanceUID": "1.2",
    "SeriesDescription": "T1",
    "Modality": "MR",
}
"""The tags of a series where a test names no others."""

_FILES = Files(Durability.PROCESS)

R = TypeVar("R", bound=RuleBase)


class MovingClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time now, as `Clock` wants it."""
        return self.now

    def move(self, duration: timedelta) -> None:
        """Let time pass."""
        self.now += duration


class _Given(EntryPoint):
    """An entry point that leads to an object that is there already."""

    def __init__(self, name: str, plugin: object) -> None:
        super().__init__(name=name, value=type(plugin).__name__, group=GROUP)
        vars(self)["plugin"] = plugin

    def load(self) -> Any:
        return vars(self)["plugin"]


def hooks_of(*plugins: object, **named: object) -> Hooks:
    """The hooks of ``plugins``, modules or objects, loaded as installed ones are.

    A keyword gives a plugin its name; without one, a module ``mroute_example`` is ``example``, and
    an object is called like its class. Raises `PluginError` where one cannot be loaded, and where
    one implements no hook: it is not the plugin that the test means.
    """
    given = [*((_name_of(each), each) for each in plugins), *named.items()]
    hooks = Hooks(*load_plugins([_Given(name, plugin) for name, plugin in given], environ={}))
    for plugin in hooks.plugins:
        if plugin.error or not hooks.implemented_by(plugin.name):
            raise PluginError(plugin.name, plugin.error or "it implements no hook of mroute")
    return hooks


def _name_of(plugin: object) -> str:
    if isinstance(plugin, ModuleType):
        return plugin.__name__.removeprefix("mroute_")
    return type(plugin).__name__


def registry_of(*plugins: object, **named: object) -> Registry:
    """All that ``plugins`` contribute; raises `PluginError` where something is wrong with that."""
    registry = Registry.collect(hooks_of(*plugins, **named))
    for error in registry.errors:
        raise error
    return registry


def make_series(
    tags: Tags | None = None, images: int = 1, claim_id: str = CLAIM_ID, **more: str
) -> Series:
    """A series with a number of ``images``; ``more`` tags are added to ``tags`` by keyword.

    `TAGS` stand in for ``tags`` that are not given.
    """
    tags = {**(TAGS if tags is None else tags), **more}
    uid = tags.get("SeriesInstanceUID", "1.2.3")
    return Series(uid, tags, tuple(f"{uid}#{n}.dcm" for n in range(images)), claim_id)


def make_study(
    condition: ConditionBase,
    descriptions: Sequence[str] = ("T1",),
    created_at: datetime = NOW,
    last_received_at: datetime = NOW,
    quiet_time: timedelta = timedelta(minutes=15),
    section: Mapping[str, Any] | None = None,
    series: Sequence[Tags] | None = None,
    instance_uids: Sequence[str] | None = None,
    checks: Mapping[str, Check] | None = None,
) -> Study:
    """A collecting study of one image a series; a series is known by its description.

    ``series`` are the tags of each; where they are not given, `TAGS` with the description.
    ``checks`` are those of the conditions that are installed: see `checks_of`.
    """
    if series is None:
        series = [{**TAGS, "SeriesDescription": each} for each in descriptions]
    if instance_uids is None:
        instance_uids = [f"1.2.3.{number}" for number in range(len(descriptions))]
    received: dict[str, JsonValue] = {
        "received_series": list(descriptions),
        "creation_time": created_at.isoformat(),
        "last_receive_time": last_received_at.isoformat(),
    }
    return Study(
        uid=TAGS["StudyInstanceUID"],
        rule_name="rule",
        tags=TAGS,
        images=tuple(f"1.2.{n}#1.dcm" for n in range(len(descriptions))),
        claim_id=CLAIM_ID,
        section={**received, **(section or {})},
        condition=condition,
        descriptions=tuple(descriptions),
        created_at=created_at,
        last_received_at=last_received_at,
        quiet_time=quiet_time,
        series=tuple(series),
        instance_uids=tuple(instance_uids),
        checks=checks or {},
    )


def checks_of(*plugins: object) -> dict[str, Check]:
    """The checks of the completion conditions of ``plugins``, by name."""
    conditions = registry_of(*plugins).conditions
    return {name: condition.check for name, condition in conditions.items()}


def make_rule(model: type[R], **fields: Any) -> R:
    """A rule of the action whose ``model`` is given; its condition is true unless one is given."""
    action = get_args(model.model_fields["action"].annotation)
    return model.model_validate({"when": "True", "action": action[0], **fields})


def triggered(rule: RuleBase, name: str = "rule") -> TriggeredRule:
    """A rule that was true."""
    return TriggeredRule(name, rule)


def plan_context(
    *plugins: object,
    targets: Mapping[str, TargetBase] | None = None,
    modules: Mapping[str, ModuleBase] | None = None,
    settings: Mapping[str, BaseModel] | None = None,
    now: datetime = NOW,
) -> PlanContext:
    """What planning may look at; ``plugins`` are those whose queues tasks can be handed over to."""
    return PlanContext(
        now=now,
        targets=targets or {},
        modules=modules or {},
        settings=settings or {},
        queues=registry_of(*plugins).queues,
    )


def make_task(
    folder: Path,
    sections: Mapping[str, Any] | None = None,
    images: Mapping[str, bytes] | None = None,
    task_id: str = TASK_ID,
) -> Task:
    """Make a task in ``folder``, which must not be there: its images, their tags, ``task.json``.

    ``sections`` go into ``task.json`` beside what mroute writes there. There is one image,
    ``1.dcm``, unless ``images`` says otherwise.
    """
    folder.mkdir(parents=True)
    for name, content in ({"1.dcm": b"image 1"} if images is None else images).items():
        (folder / name).write_bytes(content)
        write_tags(_FILES, folder / name, TAGS)
    plan = TaskPlan("queue", ("rule",), "action", applied_rule="rule", sections=sections or {})
    write_task(_FILES, folder, compose_task(task_id, make_series(), plan, ("rule",), NOW))
    return reopened(folder)


def reopened(task: Task | Path) -> Task:
    """The task as the next worker finds it in its folder."""
    folder = task.folder if isinstance(task, Task) else task
    content = read_task(folder)
    return Task(content["id"], folder, content)


def work_context(
    task: Task,
    *plugins: object,
    targets: Mapping[str, TargetBase] | None = None,
    modules: Mapping[str, ModuleBase] | None = None,
    settings: Mapping[str, BaseModel] | None = None,
    clock: Clock | None = None,
) -> WorkContext:
    """What the work on ``task`` may use; ``plugins`` contribute the target types and runners.

    What the work saves and notes goes into ``task.json``, where `reopened` finds it.
    """
    registry, clock = registry_of(*plugins), clock or MovingClock()
    content: dict[str, Any] = copy.deepcopy(dict(task.content))

    def save(section: str, value: Any) -> None:
        content[section] = value
        write_task(_FILES, task.folder, content)

    def note(action: str, outcome: str) -> None:
        save("journal", [*content["journal"], journal_entry(clock(), "test", action, outcome)])

    return WorkContext(
        clock=clock,
        targets=targets or {},
        modules=modules or {},
        settings=settings or {},
        target_types=registry.target_types,
        runners=registry.runners,
        save=save,
        note=note,
        tags=lambda image: read_tags(tags_file(image))[0],
    )


def write_dicom(path: Path, **elements: Any) -> Path:
    """Write a small valid DICOM file with ``elements`` by keyword; returns its path.

    It belongs to the series of `TAGS`, and its SOPInstanceUID follows from the name of the file.
    """
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    dataset.Rows = dataset.Columns = dataset.SamplesPerPixel = 1
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = b"\0\0"
    for keyword, value in {**TAGS, **elements}.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
