from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import mroute_processing
from mroute.api import Done, JsonObject, ModuleBase, RunnerType
from mroute.testing import make_task, registry_of, work_context
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_runners"


class CopyModule(ModuleBase):
    runner: Literal["copy"]


def copy_all(module: CopyModule, inbox: Path, outbox: Path, settings: JsonObject) -> None:
    for image in inbox.glob("*.dcm"):
        shutil.copy(image, outbox / f"{settings['prefix']}-{image.name}")


COPY = RunnerType("copy", CopyModule, copy_all)


def test_the_default_runner() -> None:
    runners = registry_of(mroute_processing).runners
    assert list(runners) == ["command"]
    schema = runners["command"].model.model_json_schema()
    assert schema["properties"]["runner"]["const"] == "command"


def test_a_plugin_adds_one_which_the_queue_runs(tmp_path: Path) -> None:
    entry: JsonObject = {"module_name": "m", "settings": {"prefix": "new"}}
    task = make_task(tmp_path / "task", {"process": dict(entry)})
    context = work_context(
        task, plugin(HOOK, lambda: [COPY]), modules={"m": CopyModule(runner="copy")}
    )
    work = registry_of(mroute_processing).queues["processing"].work
    assert work(task, context) == Done("1 images made by 'm'")
    assert [path.name for path in task.files()] == ["new-1.dcm"]


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_processing, COPY, lambda registry: registry.runners)


def test_what_is_no_runner_is_refused() -> None:
    check_wrong_results(HOOK, "RunnerType")
