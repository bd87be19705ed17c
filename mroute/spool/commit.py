"""Makes a plan true on disk: stage, mark, publish, release (blueprint section 2).

Knows the order in which a commit can be interrupted anywhere and carried on by anyone: a first run
and a resumption are the same code. Does not know what was planned or why.

What is staged is published by a rename, so whether a thing was published is seen by what is left
in the claim, whatever has happened to the thing since.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mroute.spool.claim import Claim
from mroute.spool.files import Files
from mroute.spool.layout import FORCE_RULE_FILE, REASON_FILE, TASK_FILE, Spool
from mroute.spool.manifest import (
    MANIFEST_FILE,
    Manifest,
    StudyEntry,
    Taking,
    TaskEntry,
    kept_name,
)
from mroute.spool.studies import finish_join, join_study
from mroute.spool.taskfile import write_task
from mroute.types import UidType

_STAGED_MARK = "staged"


class Commit:
    """The commit of one claim, whether it begins or is carried on."""

    def __init__(self, spool: Spool, files: Files, claim: Claim) -> None:
        self._spool = spool
        self._files = files
        self._claim = claim
        self._tasks = claim.folder / "tasks"
        self._studies = claim.folder / "studies"
        self._outbox = claim.folder / "outbox"
        self._mark = claim.folder / _STAGED_MARK

    @property
    def begun(self) -> bool:
        """Whether the claim has a manifest: then it is carried out, and not planned again."""
        return (self._claim.folder / MANIFEST_FILE).exists()

    def begin(self, manifest: Manifest) -> None:
        """Write down what is to be made true, before anything moves."""
        self._files.write_json(self._claim.folder / MANIFEST_FILE, manifest.to_json())

    def carry_out(self) -> Manifest:
        """Do what the manifest says from wherever the last process stopped; release the source.

        Raises `OSError` or `TaskFileError` where it cannot go on now; the claim stays as it is.
        """
        raw = json.loads((self._claim.folder / MANIFEST_FILE).read_bytes())
        manifest = Manifest.from_json(raw)
        if not self._mark.exists():
            self._stage(manifest)
        self._publish(manifest)
        self._put_back(manifest.files)
        self._claim.release()
        return manifest

    def _stage(self, manifest: Manifest) -> None:
        for folder in (self._tasks, self._studies, self._outbox):
            # What a process that died has left half done is begun again: nothing was published.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for task in manifest.tasks:
            self._stage_task(task)
        for study in manifest.studies:
            (self._studies / study.id).touch()
        for delivery in manifest.deliveries:
            self._files.write_json(self._outbox / f"{delivery.id}.json", delivery.content)
        for folder in (self._tasks, self._studies, self._outbox):
            self._files.flush_folder(folder)
        self._mark.touch()
        self._files.flush_folder(self._claim.folder)

    def _stage_task(self, task: TaskEntry) -> None:
        folder = self._staged(task)
        if task.taking is not Taking.FOLDER:
            folder.mkdir()
            copying = task.taking is Taking.COPY
            for name in task.files:
                taken = folder / kept_name(name)
                self._files.take(self._claim.source / name, taken, copying=copying)
        if task.reason is not None:
            self._files.write_json(folder / REASON_FILE, task.reason)
        write_task(self._files, folder, task.content)

    def _staged(self, task: TaskEntry) -> Path:
        return self._claim.source if task.taking is Taking.FOLDER else self._tasks / task.id

    def _publish(self, manifest: Manifest) -> None:
        for study in manifest.studies:
            self._join(study)
        for task in manifest.tasks:
            self._files.move_folder(self._staged(task), self._spool.queue(task.queue) / task.id)
        for delivery in manifest.deliveries:
            name = f"{delivery.id}.json"
            with suppress(FileNotFoundError):  # published before
                (self._outbox / name).rename(self._spool.outbox / name)
        if manifest.deliveries:
            self._files.flush_folder(self._spool.outbox)

    def _join(self, study: StudyEntry) -> None:
        pending = self._studies / study.id
        if pending.exists():
            join_study(self._spool, self._files, self._claim.source, study)
            pending.unlink()
            self._files.flush_folder(self._studies)
        finish_join(self._spool, study)

    def _put_back(self, taken: Iterable[str]) -> None:
        """Give back what slipped into the folder after it was surveyed: it begins a new round."""
        source = self._claim.source
        if not source.is_dir():
            return
        known = {*taken, TASK_FILE, FORCE_RULE_FILE}
        parent = self._spool.incoming if self._claim.kind is UidType.SERIES else self._spool.studies
        for path in sorted(source.iterdir()):
            if path.name not in known:
                folder = parent / self._claim.name
                folder.mkdir(exist_ok=True)
                free = folder / path.name
                if os.path.lexists(free):  # what came since has the name
                    free = folder / f"{uuid.uuid4()}-{path.name}"
                path.rename(free)
