"""The task file: composed, written, read again, and described by its schema.

Knows what other programs may read. Does not know what plugins write into their sections.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from mroute.api import Done, QueueType, Series, TaskPlan, hookimpl
from mroute.errors import TaskFileError
from mroute.registry import Registry
from mroute.spool.files import Files
from mroute.spool.taskfile import compose_task, read_task, task_schema, write_task
from mroute.testing import hooks_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERIES = Series("1.2", {"PatientID": "7", "AccessionNumber": ""}, ("a.dcm",), "c", trouble=("odd",))


class Scanned(BaseModel):
    """A section of a plugin's own."""

    depth: int


class Plugin:
    """Contributes a queue with a section of its own."""

    @hookimpl
    def mroute_queues(self) -> list[QueueType]:
        return [QueueType("scanning", lambda task, context: Done(), "scan", Scanned)]


def compose(**plan: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"queue": "outgoing", "rules": ("a",), "action": "route"}
    return compose_task("id", SERIES, TaskPlan(**{**defaults, **plan}), ("a", "b"), NOW)


def validator() -> Draft202012Validator:
    schema = task_schema(Registry.collect(hooks_of(p=Plugin())))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_a_missing_tag_and_an_empty_one_are_missing() -> None:
    info = compose()["info"]
    assert info["mrn"] == "7"
    assert info["acc"] == "MISSING"
    assert info["patient_name"] == "MISSING"


def test_a_pooled_task_names_who_asked_and_any_other_names_all_that_triggered() -> None:
    assert compose()["info"]["triggered_rules"] == ["a"]
    assert compose(applied_rule="a")["info"]["triggered_rules"] == ["a", "b"]


def test_trouble_with_the_tags_is_in_the_journal() -> None:
    assert [entry["action"] for entry in compose()["journal"]] == ["created", "trouble"]


def test_bytes_that_could_not_be_decoded_do_not_break_other_parsers(
    tmp_path: Path, files: Files
) -> None:
    content = {**compose(), "study": {"received_series": ["Garbage \udcb1", {"x": ("\udcb1",)}]}}
    write_task(files, tmp_path, content)
    written = (tmp_path / "task.json").read_text("ascii")
    assert "\\udcb1" not in written
    assert json.loads(written)["study"]["received_series"][0] == "Garbage \ufffd"
    assert read_task(tmp_path)["id"] == "id"


def test_the_schema_takes_what_is_composed_and_the_section_of_a_plugin() -> None:
    assert list(validator().iter_errors(compose())) == []
    assert list(validator().iter_errors({**compose(), "scan": {"depth": 3}})) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"journal": [{"time": "2026-11-23 12:00:00", "actor": "a", "action": "b", "outcome": "c"}]},
        {"journal": [{"time": NOW.isoformat(), "actor": "a", "action": "b"}]},
        {"info": {}},
        {"info": {**compose()["info"], "uid_type": "image"}},
        {"info": {**compose()["info"], "priority": "soon"}},
        {"info": {**compose()["info"], "extra": 1}},
        {"process": "module"},
        {"scan": {"depth": "deep"}},
    ],
)
def test_the_schema_and_the_reader_refuse_what_is_no_task_file(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    content = {**compose(), **change}
    assert list(validator().iter_errors(content)) != []
    if "scan" in change:
        return  # the section of a plugin is the plugin's to read
    (tmp_path / "task.json").write_text(json.dumps(content))
    with pytest.raises(TaskFileError, match="is damaged"):
        read_task(tmp_path)


def test_versions_and_host_explain_a_decision_years_after() -> None:
    info = compose()["info"]
    assert info["versions"]["mroute"] == importlib.metadata.version("mroute")
    assert info["host"] == socket.gethostname()


def test_half_characters_in_keys_are_replaced_too(tmp_path: Path, files: Files) -> None:
    write_task(files, tmp_path, {**compose(), "study": {"Gar\udcb1bage": 1, "\U0001f600": "\\ud8"}})
    assert read_task(tmp_path)["study"] == {"Gar\ufffdbage": 1, "\U0001f600": "\\ud8"}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_know_is_never_written(
    tmp_path: Path, files: Files, number: float
) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_task(files, tmp_path, {**compose(), "study": {"x": number}})
    assert list(tmp_path.iterdir()) == []


def test_a_number_that_json_does_not_know_is_damage(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text(json.dumps({**compose(), "study": {"x": math.nan}}))
    with pytest.raises(TaskFileError, match="is damaged: 'NaN' is not a number of JSON"):
        read_task(tmp_path)


def test_a_collecting_study_is_described(tmp_path: Path) -> None:
    collection = {"rule_name": "r", "rule": {"when": "True"}, "joined": ["x"]}
    assert list(validator().iter_errors({**compose(), "collection": collection})) == []
    assert list(validator().iter_errors({**compose(), "collection": {**collection, "y": 1}})) != []
