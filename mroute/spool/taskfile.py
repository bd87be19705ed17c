"""``task.json``: what a task is, what is to be done with it and what has been done.

Knows the file's shape and how it is composed for a series or study. Does not know what plugins
write into their sections. Documented as ``generate_taskfile`` (blueprint section 8).
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
)

from mroute.errors import TaskFileError, is_shortage
from mroute.facts import MISSING, tag_facts
from mroute.models import Model, Priority
from mroute.plugins import GROUP
from mroute.registry import Registry
from mroute.schemas import DIALECT, EditorSchema, for_editors
from mroute.spool.files import Files, as_json
from mroute.spool.layout import TASK_FILE
from mroute.types import JsonObject, Series, Study, Subject, TaskPlan, UidType

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(rb"\\ud[89a-f]")

_EMPTY = {"type": "object", "maxProperties": 0}

COMPLETED = "completed"
"""In a journal: the study went on, and why."""


Time = Annotated[
    AwareDatetime,
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            # Few validators check formats; a time without a zone must not pass.
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
        }
    ),
]


class TaskInfo(Model):
    """What the task is about; `MISSING` stands where a tag is missing."""

    action: str = Field(
        description="The action of the rules that the task is for.", examples=["route"]
    )
    queue: str = Field(
        description="The queue that the task was made for; it may have gone on since.",
        examples=["outgoing"],
    )
    claim_id: str = Field(
        description="The round of routing that made the task; logs name it.",
        examples=["7d5c0d1e-9a5a-4a53-8f0e-2f1f0c9e4b11"],
    )
    uid: str = Field(
        description="SeriesInstanceUID, or StudyInstanceUID where the task is for a study.",
        examples=["1.2.826.0.1.3680043.8.498.1"],
    )
    uid_type: UidType
    triggered_rules: tuple[str, ...] = Field(
        description="Names of the rules that triggered, in the order of the file; where the task "
        "is pooled, of those that asked for it.",
        examples=[["thin-slices", "everything-else"]],
    )
    applied_rule: str = Field(
        description="Name of the one rule that the task is for; empty where it is pooled.",
        examples=["thin-slices", ""],
    )
    priority: Priority
    patient_name: str = Field(description="The tag PatientName.", examples=["DOE^JANE"])
    mrn: str = Field(description="The tag PatientID.", examples=["4711"])
    acc: str = Field(description="The tag AccessionNumber.", examples=["A-2026-0815", MISSING])
    sender_address: str = Field(
        description="Where the images came from: a host or an IP address.", examples=["10.1.2.3"]
    )
    sender_aet: str = Field(
        description="AE title of the sender of the images.", examples=["SCANNER1"]
    )
    receiver_aet: str = Field(
        description="AE title that the images were sent to.", examples=["MROUTE"]
    )
    device_serial_number: str = Field(description="The tag DeviceSerialNumber.", examples=["40123"])
    modality: str = Field(MISSING, description="The tag Modality.", examples=["MR"])
    versions: dict[str, str] = Field(
        description="Versions of mroute and of the distributions of its plugins, as they were "
        "installed when the task was made.",
        examples=[{"mroute": "0.1.0", "mroute-radiomics": "2.3"}],
    )
    host: str = Field(description="Name of the machine that made the task.", examples=["router1"])
    addition_to: str = Field(
        "",
        description="Id of the task that took the study of a series which came too late for it; "
        "empty where it did not.",
        examples=["", "0d7c5a86-9c0e-5bb5-8a55-3d1f3f6f2a10"],
    )


class JournalEntry(Model):
    """Something that was done to the task."""

    time: Time = Field(
        description="When it was done, in UTC.", examples=["2026-11-24T08:30:00+00:00"]
    )
    actor: str = Field(
        description="Who did it: the router, notices, or the queue that worked on the task.",
        examples=["router", "outgoing"],
    )
    action: str = Field(description="What was done.", examples=["created", "retry", "done"])
    outcome: str = Field(
        description="What came of it, in a sentence.", examples=["sent to 'archive'"]
    )


class JoinedSeries(Model):
    """A series that joined a study."""

    uid: str = Field(description="Its SeriesInstanceUID.", examples=["1.2.826.0.1.3680043.8.498.1"])
    description: str = Field(description="The tag SeriesDescription.", examples=["Axial T2"])
    images: int = Field(description="How many images it had.", ge=0, examples=[64])
    image: str = Field(
        description="The image, by its name in the folder of the study, whose tags decided about "
        "the series.",
        examples=["1.2.826.0.1.3680043.8.498.1#1.2.826.0.1.3680043.8.498.1.1.dcm"],
    )
    received_at: Time = Field(
        description="When it was planned to join, in UTC.",
        examples=["2026-11-24T08:30:00+00:00"],
    )


class Collection(Model):
    """How a study is collected, or was: mroute's own, for the series that join it and for its end.

    It stays in the task that the study becomes.
    """

    rule_name: str = Field(
        description="Name of the rule that collects the study.", examples=["spine-study"]
    )
    rule: dict[str, JsonValue] = Field(
        description="The rule as it was when the first series joined: it holds to the end.",
        examples=[{"when": "tags.Modality == 'MR'", "action": "route", "on": "study"}],
    )
    joined: tuple[str, ...] = Field(
        description="Which rounds of routing have joined, so that none joins twice.",
        examples=[["3f1f6f2a-0d7c-5a86-9c0e-8a553d1f3f6f"]],
    )
    series: tuple[JoinedSeries, ...] = Field(
        (), description="The series that have joined, in that order."
    )
    trouble: tuple[str, ...] = Field(
        (),
        description="What is odd about the series together, such as images of two patients.",
        examples=[["series '1.2.3': its PatientID is not that of the first series"]],
    )


class TaskFile(BaseModel):
    """The content of ``task.json``. A plugin's queue adds its own section beside these."""

    model_config = ConfigDict(extra="allow", title="mroute task file")

    id: str = Field(
        description="Id of the task, and the name of its folder.",
        examples=["0d7c5a86-9c0e-5bb5-8a55-3d1f3f6f2a10"],
    )
    info: TaskInfo
    dispatch: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Where the task is sent, and how far that is; empty where it is not sent.",
        examples=[{}],
    )
    process: dict[str, JsonValue] | list[dict[str, JsonValue]] = Field(
        default_factory=dict,
        description="The modules that are run on the task; empty where none is.",
        examples=[{}],
    )
    study: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What was collected, and when the study is complete; empty for a series.",
        examples=[
            {
                "study_uid": "1.2.826.0.1.3680043.8.498.2",
                "complete_trigger": "timeout",
                "received_series": ["Axial T2", "SAG T1 TSE"],
            }
        ],
    )
    collection: Collection | None = Field(
        None, description="Only in a study that is being collected, or was."
    )
    journal: list[JournalEntry] = Field(
        min_length=1, description="What was done to the task, the oldest first."
    )


def compose_task(
    task_id: str, subject: Subject, plan: TaskPlan, triggered: tuple[str, ...], now: datetime
) -> dict[str, Any]:
    """The content of the task file for one task of a plan.

    ``triggered`` are all rules that triggered for the subject. ``now`` is aware, in UTC.
    """
    collection = {"collection": dict(subject.collection)} if subject.collection else {}
    return {
        "id": task_id,
        "info": add_info(subject, plan, triggered),
        "dispatch": {},
        "process": {},
        "study": dict(subject.section),
        **plan.sections,
        **collection,
        "journal": [*subject.journal, *_begun(subject, plan, now)],
    }


def _begun(subject: Subject, plan: TaskPlan, now: datetime) -> Iterator[JsonObject]:
    """What the journal of a new task says, after that of the study that it was."""
    if isinstance(subject, Study) and subject.completed_because:
        yield journal_entry(now, "router", COMPLETED, subject.completed_because)
    yield journal_entry(now, "router", "created", plan.reason or f"for {plan.queue}")
    if isinstance(subject, Series):  # of a study, it is in the journal already
        for each in subject.trouble:
            yield journal_entry(now, "router", "trouble", each)


def add_info(subject: Subject, plan: TaskPlan, triggered: tuple[str, ...]) -> dict[str, JsonValue]:
    """The info section: a pooled task names the rules that asked for it, any other names all."""
    return {
        "action": plan.action,
        "queue": str(plan.queue),
        "claim_id": subject.claim_id,
        "uid": subject.uid,
        "uid_type": subject.uid_type.value,
        "triggered_rules": list(triggered if plan.applied_rule else plan.rules),
        "applied_rule": plan.applied_rule,
        "priority": plan.priority.value,
        **tag_facts(subject.tags),
        "versions": dict(_versions()),
        "host": _host(),
        **({"addition_to": plan.addition_to} if plan.addition_to else {}),
    }


@cache
def _versions() -> Mapping[str, str]:
    """Version by distribution, found out once: a running process does not change its plugins."""
    found = {
        point.dist.name: point.dist.version for point in entry_points(group=GROUP) if point.dist
    }
    return dict(sorted({"mroute": version("mroute"), **found}.items()))


@cache
def _host() -> str:
    return socket.gethostname()


def journal_entry(now: datetime, actor: str, action: str, outcome: str) -> dict[str, JsonValue]:
    """One entry of the journal."""
    return journal_line(now.isoformat(), actor, action, outcome)


def journal_line(time: str, actor: str, action: str, outcome: str) -> dict[str, JsonValue]:
    """One entry of the journal, at a time that is written already."""
    return {"time": time, "actor": actor, "action": action, "outcome": outcome}


def aware_time(text: str) -> datetime:
    """A time as mroute writes it; raises `ValueError` where it has no zone, or is none."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!a} has no zone, expected a time such as 2026-01-01T12:00:00+00:00")
    return time


def read_task(folder: Path) -> dict[str, Any]:
    """The content of the task file in ``folder``.

    Raises `TaskFileError` where it is missing, damaged, or not what the schema says, and `OSError`
    where nothing can be read now.
    """
    path = folder / TASK_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_bytes(), parse_constant=_refuse)
        TaskFile.model_validate(content)
    except OSError as error:
        if is_shortage(error):
            raise
        raise TaskFileError(f"'{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise TaskFileError(f"'{path}' is damaged: {first}") from error
    return content


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"'{constant}' is not a number of JSON")


def write_task(files: Files, folder: Path, content: JsonObject) -> None:
    """Write the task file into ``folder``, atomically.

    It is ASCII, and JSON for the parsers of other languages too: lone surrogates, which stand for
    bytes that could not be decoded, become U+FFFD. Raises `ValueError` for a number that is not
    finite; plans with one are refused before (soundness).
    """
    files.write(folder / TASK_FILE, task_bytes(content))


def task_bytes(content: JsonObject) -> bytes:
    """The bytes of a task file or of another file about a task."""
    written = as_json(content)
    return as_json(_readable(content)) if _SURROGATE_ESCAPE.search(written) else written


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_readable(key): _readable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(item) for item in value]
    return value


def task_schema(registry: Registry) -> dict[str, Any]:
    """JSON Schema of ``task.json``, with the sections of the installed queues."""
    schema = TaskFile.model_json_schema(schema_generator=EditorSchema)
    for queue in registry.queues.values():
        if queue.model is not None:
            section = queue.model.model_json_schema(schema_generator=EditorSchema)
            schema["$defs"].update(section.pop("$defs", {}))
            schema["properties"][queue.section] = {"anyOf": [_EMPTY, section]}
    return {"$schema": DIALECT, **for_editors(schema)}
