"""Runs the modules of a task one after the other, each on what the one before it made.

Knows the folders that modules work in: ``.work`` in the folder of the task, in it one folder for
each module that is done. Does not know how a runner runs a module, or what becomes of the task.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from mroute.api import JsonObject, ModuleBase, RunnerType, Task, WorkContext
from mroute_processing.outputs import (
    ModuleError,
    flush_folder,
    image_names,
    read_result,
    refuse_strange_output,
)
from mroute_processing.section import SECTION, ModuleEntry, as_section

_WORK = ".work"
_ATTEMPT = "attempt-"


def run_modules(
    task: Task, entries: Sequence[ModuleEntry], context: WorkContext
) -> list[ModuleEntry]:
    """Run every module that is not done yet; returns the entries with what each put out.

    Raises `ModuleError` where a module fails; those before it stay done.
    """
    for attempt in _work_folder(task).glob(f"{_ATTEMPT}*"):  # of a process that died
        shutil.rmtree(attempt)
    finished = list(entries)
    images: Sequence[Path] = task.images()
    for number, entry in enumerate(entries):
        output = output_folder(task, number)
        if not output.exists():
            _attempt(task, number, entry, images, context)
        finished[number] = entry.model_copy(update={"output": read_result(output)})
        context.save(SECTION, as_section(finished))
        images = [output / name for name in image_names(output)]
    return finished


def output_folder(task: Task, number: int) -> Path:
    """The folder with the files that a module made; it is there when the module is done."""
    return _work_folder(task) / str(number) / "out"


def clear(task: Task) -> None:
    """Remove everything that modules left, once it has been moved."""
    shutil.rmtree(_work_folder(task), ignore_errors=True)


def _attempt(
    task: Task, number: int, entry: ModuleEntry, images: Sequence[Path], context: WorkContext
) -> None:
    """Run one module in a folder of its own, which gets its name when the module is done.

    Where a process died, its module may still be running: it knows only its own folder, and cannot
    write into that of this attempt. What a module that failed has left is kept, without its input.
    """
    module, runner = _configured(entry, context)
    folder = _work_folder(task) / f"{_ATTEMPT}{uuid.uuid4()}"
    inbox, outbox = folder / "in", folder / "out"
    try:
        _fill(inbox, images, {**task.content, SECTION: as_section([entry])})
        outbox.mkdir()
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)  # what fills the disk must not stay on it
        raise
    try:
        runner.run(module, inbox, outbox, entry.settings)
        refuse_strange_output(outbox)
        read_result(outbox)
    # The edge of a call into another plugin: whatever it raises means that the module failed.
    except Exception as error:
        shutil.rmtree(inbox, ignore_errors=True)
        _replace(folder, _work_folder(task) / f"failed-{number}")
        raise ModuleError(f"module '{entry.module_name}' failed: {error}") from error
    shutil.rmtree(inbox, ignore_errors=True)
    flush_folder(outbox)
    _replace(folder, output_folder(task, number).parent)
    context.note("processed", f"module '{entry.module_name}' is done")


def _fill(inbox: Path, images: Sequence[Path], content: JsonObject) -> None:
    """Give a module what it works on: copies of the images, and the task file."""
    inbox.mkdir(parents=True)
    for image in images:
        shutil.copy2(image, inbox / image.name)
    (inbox / "task.json").write_text(json.dumps(content, indent=2), "utf-8")


def _configured(entry: ModuleEntry, context: WorkContext) -> tuple[ModuleBase, RunnerType]:
    name = entry.module_name
    if name not in context.modules:
        raise ModuleError(f"module '{name}' is not configured any more")
    module = context.modules[name]
    if module.runner not in context.runners:
        raise ModuleError(f"module '{name}': no installed plugin has the runner '{module.runner}'")
    return module, context.runners[module.runner]


def _replace(folder: Path, name: Path) -> None:
    if name.exists():
        shutil.rmtree(name)
    folder.rename(name)
    flush_folder(name.parent)


def _work_folder(task: Task) -> Path:
    return task.folder / _WORK
