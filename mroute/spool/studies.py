"""Collecting studies: a folder for each study and rule, joined by one series after the other.

Knows how a series joins exactly once, whatever interrupts it. Does not know when a study is
complete or what its section means.
"""

from __future__ import annotations

import filecmp
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mroute.errors import TaskFileError
from mroute.spool.files import Files
from mroute.spool.layout import REASON_FILE, TASK_FILE, Spool, tags_file
from mroute.spool.locks import study_lock
from mroute.spool.manifest import StudyEntry
from mroute.spool.places import mark_of
from mroute.spool.taskfile import journal_line, read_task, write_task


@dataclass(frozen=True, slots=True)
class Joined:
    """How a series joined: as which one of its study, and what is odd about the two together."""

    number: int
    trouble: str = ""


def read_study(folder: Path) -> dict[str, Any]:
    """The task file of a collecting study.

    Raises `TaskFileError` where it is missing, damaged or not that of a collecting study.
    """
    content = read_task(folder)
    collection = content.get("collection")
    if not isinstance(collection, dict) or not {"rule_name", "rule", "joined"} <= collection.keys():
        raise TaskFileError(f"'{folder / TASK_FILE}' is not the task file of a collecting study")
    return content


def join_study(spool: Spool, files: Files, source: Path, entry: StudyEntry) -> Joined:
    """Join the collecting study with the images of folder ``source``; may be repeated.

    Until `finish_join` is called, a mark in the study keeps it from being taken away: a series
    that was interrupted while joining belongs to this study and to no later one. Raises
    `TaskFileError` where the study's task file is damaged, and `FileNotFoundError` where an image
    is gone: it must not count as joined.
    """
    folder = spool.study(entry.study_uid, entry.rule_name)
    with study_lock(spool, folder.name):
        content = read_study(folder) if (folder / TASK_FILE).exists() else entry.task
        folder.mkdir(exist_ok=True)
        _mark(folder, entry).touch()  # where it was deleted by hand
        files.flush_folder(folder.parent)
        joined = content["collection"]["joined"]
        if entry.id in joined:
            return Joined(joined.index(entry.id) + 1)
        names = [_add_image(files, source / name, folder, entry.id) for name in entry.images]
        source.stat()  # where the claim was taken away meanwhile, tags may have been missed
        trouble = _trouble(content, entry)
        write_task(files, folder, _grown(content, entry, names, trouble))
        return Joined(len(joined) + 1, trouble)


def finish_join(spool: Spool, entry: StudyEntry) -> None:
    """Take the mark of `join_study` off the study."""
    _mark(spool.study(entry.study_uid, entry.rule_name), entry).unlink(missing_ok=True)


def keep_task_file(folder: Path) -> None:
    """Keep the task file of a study that cannot be used, out of the way of the new one."""
    path = folder / TASK_FILE
    if path.exists():
        path.rename(path.with_name(f"{TASK_FILE}.kept"))


def _mark(folder: Path, entry: StudyEntry) -> Path:
    return mark_of(folder, entry.task["info"]["claim_id"])


def _trouble(content: Mapping[str, Any], entry: StudyEntry) -> str:
    """What is odd about a series in this study; it names no patient."""
    if content["info"]["mrn"] == entry.task["info"]["mrn"]:
        return ""
    return "its PatientID is not that of the first series; all series are kept together"


def _grown(
    content: Mapping[str, Any], entry: StudyEntry, names: list[str], trouble: str
) -> dict[str, Any]:
    """The task file once a series has joined whose images are ``names`` in the study."""
    study = {**content["study"], **entry.latest}
    for key, value in entry.append.items():
        study[key] = [*study.get(key, ()), value]
    collection = content["collection"]
    grown = {
        **collection,
        "joined": [*collection["joined"], entry.id],
        "series": [*collection.get("series", ()), {**entry.series, "image": names[0]}],
    }
    journal = list(content["journal"])
    if trouble:
        said = f"series '{entry.series['uid']}': {trouble}"
        grown["trouble"] = [*collection.get("trouble", ()), said]
        entry_time = entry.series["received_at"]
        journal.append(journal_line(entry_time, "router", "trouble", said))
    return {**content, "study": study, "collection": grown, "journal": journal}


def _add_image(files: Files, image: Path, folder: Path, entry_id: str) -> str:
    """Add an image with its tags, and say as what; one that is there already is not added again.

    Where another one has its name, or it would be taken for a file about the study, it gets another
    name.
    """
    kept = "kept." if image.name.startswith((TASK_FILE, REASON_FILE)) else ""
    for prefix in (kept, f"{entry_id[:8]}-"):
        destination = folder / (prefix + image.name)
        if destination.exists() and not _same(image, destination):
            continue
        for source in (image, tags_file(image)):
            present = (folder / (prefix + source.name)).exists()
            if not present and (source == image or source.exists()):
                files.link(source, folder / (prefix + source.name))
        return destination.name
    raise FileExistsError(f"'{folder / image.name}' is taken twice over")


def _same(one: Path, other: Path) -> bool:
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)
