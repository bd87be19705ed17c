"""Makes a plan true on disk: stage, mark, publish, release (blueprint section 2).

Knows the order in which a commit can be interrupted anywhere and carried on by anyone: a first run
and a resumption are the same code. Does not know what was planned or why.

All that is new is staged in the claim. The manifest, written last, is the mark: nothing moves
before it is there. What is staged is published by a rename, so whether a thing was published is
seen by what is left in the claim, whatever has happened to the thing since.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from mroute.spool.claim import Claim
from mroute.spool.files import Files, as_json, delete
from mroute.spool.layout import (
    FORCE_RULE_FILE,
    MANIFEST_FILE,
    REASON_FILE,
    TASK_FILE,
    Spool,
)
from mroute.spool.manifest import Manifest, StudyEntry, Taking, TaskEntry, kept_name
from mroute.spool.studies import Joined, finish_join, join_study
from mroute.spool.taskfile import task_bytes
from mroute.types import UidType


class Commit:
    """The commit of one claim, whether it begins or is carried on.

    ``joined`` maps the ids of the studies that `carry_out` has joined to how: those that were
    joined by a process that died are not in it.
    """

    def __init__(self, spool: Spool, files: Files, claim: Claim) -> None:
        self._spool = spool
        self._files = files
        self._claim = claim
        self._manifest = claim.folder / MANIFEST_FILE
        self._written: Manifest | None = None
        self.joined: dict[str, Joined] = {}
        self._came_from = spool.incoming if claim.kind is UidType.SERIES else spool.studies

    @property
    def begun(self) -> bool:
        """Whether the claim has a manifest: then it is carried out, and not planned again."""
        return self._manifest.exists()

    def begin(self, manifest: Manifest) -> None:
        """Stage all that is to be made true, and write that down, before anything moves.

        What a process that died has left half staged is begun again: nothing of it was published.
        """
        if not manifest.lone:
            self._stage(manifest)
        # One of several tasks has names of files, which may be bytes that are no text.
        in_bytes = task_bytes if manifest.lone else as_json
        self._files.write_unflushed(self._manifest, in_bytes(manifest.to_json()))
        self._written = manifest
        if not manifest.lone:  # one rename is all that follows, so it needs no mark that lasts
            self._files.flush_folder(self._claim.folder)

    def carry_out(self) -> Manifest:
        """Do what the manifest says from wherever the last process stopped; release the source.

        Raises `OSError` or `TaskFileError` where it cannot go on now; the claim stays as it is.
        """
        manifest = self._written or Manifest.from_json(json.loads(self._manifest.read_bytes()))
        self._files.flush_folders(self._publish(manifest))
        self._delete(manifest.files)
        self._claim.release()
        return manifest

    def _stage(self, manifest: Manifest) -> None:
        self._claim.clear()
        for task in manifest.tasks:
            self._stage_task(task)
        for study in manifest.studies:
            self._staged("study", study.id).touch()
        for delivery in manifest.deliveries:
            staged = self._staged("delivery", delivery.id)
            self._files.write_unflushed(staged, task_bytes(delivery.content))

    def _staged(self, kind: str, entry_id: str) -> Path:
        return self._claim.folder / f"{kind}-{entry_id}"

    def _stage_task(self, task: TaskEntry) -> None:
        folder = self._staged("task", task.id)
        folder.mkdir()
        copying = task.taking is Taking.COPY
        self._files.take_all(
            self._claim.source, folder, ((name, kept_name(name)) for name in task.files), copying
        )
        if task.reason is not None:
            self._files.write_unflushed(folder / REASON_FILE, task_bytes(task.reason))
        self._files.write_unflushed(folder / TASK_FILE, task_bytes(task.content))
        self._files.flush_folder(folder)

    def _publish(self, manifest: Manifest) -> Iterator[Path]:
        """Publish what is not yet published; yields the folders that have got something.

        Those that it was taken from need no flush: a rename lasts in both or in neither.
        """
        for study in manifest.studies:
            self._join(study)
        for task in manifest.tasks:
            if task.taking is not Taking.FOLDER:
                yield from self._move(self._staged("task", task.id), task)
        for delivery in manifest.deliveries:
            staged = self._staged("delivery", delivery.id)
            try:
                staged.rename(self._spool.outbox / f"{delivery.id}.json")
            except FileNotFoundError:
                if staged.exists():  # it was not published before: the outbox is gone
                    raise
            yield self._spool.outbox
        if manifest.files:
            self._put_back(manifest.files)
        for task in manifest.tasks:
            if task.taking is Taking.FOLDER:
                yield from self._give_folder(task, lone=manifest.lone is not None)

    def _delete(self, taken: Iterable[str]) -> None:
        """Delete the claimed files: all who take them have theirs. What else is there stays."""
        source = self._claim.source
        if source.is_dir():
            for name in (*taken, TASK_FILE):
                delete(source / name)

    def _move(self, staged: Path, task: TaskEntry) -> tuple[Path, ...]:
        queue = self._spool.queue(task.queue)
        self._files.move_folder_unflushed(staged, queue / task.id)
        return (queue,)

    def _give_folder(self, task: TaskEntry, *, lone: bool) -> tuple[Path, ...]:
        """Move the claimed folder itself, with the files about the task in it."""
        source, staged = self._claim.source, self._staged("task", task.id)
        if source.is_dir():
            about = [self._manifest] if lone else sorted(staged.iterdir())
            for path in about:
                self._files.place(path, source / (TASK_FILE if lone else path.name))
        return (self._spool.queue(task.queue) / task.id, *self._move(source, task))

    def _join(self, study: StudyEntry) -> None:
        pending = self._staged("study", study.id)
        if pending.exists():
            self.joined[study.id] = join_study(self._spool, self._files, self._claim.source, study)
            pending.unlink()
            self._files.flush_folder(self._claim.folder)
        finish_join(self._spool, study)

    def _put_back(self, taken: Iterable[str]) -> None:
        """Give back what slipped into the folder after it was surveyed: it begins a new round."""
        source = self._claim.source
        if not source.is_dir():
            return
        known = {*taken, TASK_FILE, REASON_FILE, FORCE_RULE_FILE}
        with os.scandir(source) as entries:
            late = sorted(entry.name for entry in entries if entry.name not in known)
        for name in late:
            folder = self._came_from / self._claim.name
            folder.mkdir(exist_ok=True)
            free = folder / name
            if os.path.lexists(free):  # what came since has the name
                free = folder / f"{uuid.uuid4()}-{name}"
            (source / name).rename(free)
            self._files.flush_folder(folder)
