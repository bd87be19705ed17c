"""What an administrator does not want: it goes to ``discard/``, with that in its journal.

Knows how each thing that waits gets there while others work on the spool. Does not delete anything
and does not know why it is not wanted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mroute.errors import RedriveError, TaskFileError
from mroute.models import ForcedCompletion
from mroute.spool.claim import Claim, claim_series, claim_study
from mroute.spool.collected import unusable_study
from mroute.spool.commit import Commit
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.locks import locked_content
from mroute.spool.manifest import Manifest, compose_manifest
from mroute.spool.runs import registered, this_run
from mroute.spool.studies import keep_task_file
from mroute.spool.subjects import claimed_series
from mroute.spool.tags import ReadImage
from mroute.spool.taskfile import journal_entry, read_task, write_task
from mroute.spool.upkeep.item import Item, State
from mroute.spool.upkeep.redrive import ADMINISTRATOR, leased
from mroute.spool.upkeep.tasks import DELIVERY_FILE
from mroute.types import Finish, Plan, Subject, TaskPlan, UidType, Verdict

DISCARDED = "discarded"
"""In a journal: the administrator did not want it."""

_REASON = "discarded by the administrator"

UNWANTED = Plan((TaskPlan(Finish.DISCARD, (), action="discard", reason=_REASON),))
"""The plan for a series or study that was claimed to be discarded."""


@dataclass(frozen=True, slots=True)
class Discarding:
    """How things of a spool are discarded.

    ``memory`` is what a run leaves in the spool for whoever loads a rule file later, and ``file``
    the rule file that this one is about.
    """

    spool: Spool
    files: Files
    queues: Mapping[str, str]
    read_image: ReadImage
    clock: Callable[[], datetime]
    file: Path
    memory: object

    def discard(self, item: Item) -> str:
        """Discard a thing; says in a sentence what was done.

        Raises `RedriveError` where it cannot be, `SpoolError` where this process cannot claim
        anything, and `OSError` where it cannot go on now.
        """
        if item.queue == Finish.ERROR or item.queue in self.queues:
            return self._folder(item)
        if item.queue == "outbox" and item.uid_type == "notification":
            return self._delivery(item)
        if item.state in (State.ARRIVING, State.COMPLETE, State.COLLECTING):
            return self._unrouted(item)
        raise RedriveError(
            f"'{item.id}' is {item.state} in '{item.queue}'; what waits can be discarded, and what "
            "is dead"
        )

    def _folder(self, item: Item) -> str:
        destination = self.spool.queue(Finish.DISCARD) / item.path.name
        with leased(item):
            if destination.exists():
                raise RedriveError(f"'{destination}' is there already")
            try:
                content = read_task(item.path)
            except TaskFileError:  # there is no journal to write into
                pass
            else:
                entry = journal_entry(
                    self.clock(), ADMINISTRATOR, DISCARDED, f"from '{item.queue}'"
                )
                journal = [*content["journal"], entry]
                write_task(self.files, item.path, {**content, "journal": journal})
            self.files.move_folder(item.path, destination)
        return f"'{item.id}' went to '{Finish.DISCARD}'"

    def _delivery(self, item: Item) -> str:
        with locked_content(item.path) as found:
            if found is None:
                raise RedriveError(f"'{item.id}' is being worked on; try again when it is settled")
            folder = self.spool.queue(Finish.DISCARD) / item.id
            folder.mkdir(exist_ok=True)
            self.files.write_json(folder / DELIVERY_FILE, json.loads(found))
            item.path.unlink()
        return f"'{item.id}' went to '{Finish.DISCARD}'"

    def _unrouted(self, item: Item) -> str:
        run = this_run(self.file, self.clock())
        with ExitStack() as stack:
            stack.enter_context(registered(self.spool, self.files, run, self.memory))
            if item.state is State.COLLECTING:
                claim = claim_study(
                    self.spool,
                    self.files,
                    run.id,
                    item.id,
                    _unless_joined,
                    self.clock(),
                    unwanted=True,
                )
            else:
                claim = claim_series(self.spool, run.id, item.id, unwanted=True)
            if claim is None:
                raise RedriveError(f"'{item.id}' has moved on, or is being joined; try again")
            commit = Commit(self.spool, self.files, claim)
            subject, names = unwanted_subject(claim, self.read_image, self.files)
            manifest = compose_manifest(subject, UNWANTED, (), names, (), self.clock())
            commit.begin(self._noted(manifest, item))
            commit.carry_out()
        return f"'{item.id}' went to '{Finish.DISCARD}'"

    def _noted(self, manifest: Manifest, item: Item) -> Manifest:
        entry = journal_entry(self.clock(), ADMINISTRATOR, DISCARDED, f"from '{item.queue}'")
        (task,) = manifest.tasks
        journal = task.content["journal"]
        assert isinstance(journal, list)  # as `compose_task` made it
        content = {**task.content, "journal": [*journal, entry]}
        return replace(manifest, tasks=(replace(task, content=content),))


def _unless_joined(joining: bool) -> Verdict:
    return Verdict(not joining, _REASON, ForcedCompletion.DISCARD)


def unwanted_subject(
    claim: Claim, read_image: ReadImage, files: Files
) -> tuple[Subject, Collection[str]]:
    """What `UNWANTED` is planned for, and the names of all files in the claimed folder."""
    if claim.kind is UidType.SERIES:
        series, contents = claimed_series(claim, read_image, files)
        return series, contents.names
    keep_task_file(claim.source)
    uid, _, rule_name = claim.name.partition("#")
    study = unusable_study(claim.source, claim.id, uid, rule_name)
    return study, {path.name for path in claim.source.iterdir()}
