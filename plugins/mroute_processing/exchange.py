"""Exchanges the images of a task for those that its last module made.

Knows how files move so that a repetition ends at the same, and that no image of the task goes
before another is there. Does not know modules.
"""

from __future__ import annotations

import filecmp
from collections.abc import Collection, Sequence
from pathlib import Path

from mroute.api import Task
from mroute_processing.chain import output_folder
from mroute_processing.outputs import TAGS_SUFFIX, file_names, flush_folder, image_names
from mroute_processing.section import Exchange, ModuleEntry


def plan_exchange(task: Task, entries: Sequence[ModuleEntry]) -> Exchange:
    """What comes into the task and what leaves it; nothing of either where no image was made.

    A retained image keeps its name; one that was made and has the same gets another.
    """
    output = output_folder(task, len(entries) - 1)
    present = [path.name for path in task.files()]
    if entries[-1].retain_input_images:
        _rename_doubles(output, task.folder, present)
        return Exchange(added=tuple(file_names(output)), removed=())
    added = file_names(output)
    removed = [name for name in present if name not in added] if added else []
    return Exchange(added=tuple(added), removed=tuple(removed))


def carry_out(task: Task, entries: Sequence[ModuleEntry]) -> tuple[str, ...]:
    """Do what the last entry's exchange says, from wherever it stopped; returns the new images."""
    exchange = entries[-1].exchange
    assert exchange is not None
    output = output_folder(task, len(entries) - 1)
    for name in exchange.added:
        if (output / name).exists():
            (output / name).replace(task.folder / name)
    flush_folder(task.folder)
    for name in exchange.removed:
        (task.folder / name).unlink(missing_ok=True)
    return tuple(name for name in exchange.added if not name.endswith(TAGS_SUFFIX))


def _rename_doubles(output: Path, folder: Path, present: Collection[str]) -> None:
    """Give every image that was made a name of its own; a mere copy of one that stays goes."""
    for name in image_names(output):
        if name not in present:
            continue
        made = output / name
        if filecmp.cmp(made, folder / name, shallow=False):
            made.unlink()
        else:
            made.rename(output / _free_name(made, {*present, *image_names(output)}))


def _free_name(path: Path, taken: Collection[str]) -> str:
    number = 1
    while (name := f"{path.stem}-{number}{path.suffix}") in taken:
        number += 1
    return name
