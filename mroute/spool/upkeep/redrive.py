"""What an administrator has done again: tasks, dead letters and deliveries that wait.

Knows how each goes back to where it is worked on, while others work on the spool: everything is
leased first. Does not know what is done with it there. Dead letters of routing are routed anew by
`mroute.spool.upkeep.reroute`. All of it may be repeated after it was interrupted anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mroute.errors import RedriveError, TaskFileError
from mroute.spool.files import Files, remove_folder
from mroute.spool.layout import LEASE_FILE, REASON_FILE, TASK_FILE, Spool
from mroute.spool.locks import locked_content, try_lock
from mroute.spool.outbox import BURIED
from mroute.spool.queue import is_halted, with_retry_state
from mroute.spool.tags import ReadImage
from mroute.spool.targets import try_target_now
from mroute.spool.taskfile import journal_entry, read_task, write_task
from mroute.spool.upkeep.item import Item, State
from mroute.spool.upkeep.reroute import REDRIVEN_FILE, leftovers, reroute
from mroute.spool.upkeep.tasks import DELIVERY_FILE, read_object, time_of
from mroute.spool.waiting import retry_state
from mroute.types import Finish

ADMINISTRATOR = "administrator"
"""In a journal: who has used the command line."""

REDRIVEN = "redriven"
"""In a journal: the task left ``error/``; what it comes to from here on is announced anew."""

HASTENED = "hastened"
"""In a journal: the task was made due before its time."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """How things of a spool are tried again; ``sections`` maps a queue to its section."""

    spool: Spool
    files: Files
    sections: Mapping[str, str]
    read_image: ReadImage
    clock: Callable[[], datetime]

    def retry(self, item: Item) -> str:
        """Try a thing again; says in a sentence what was done.

        Raises `RedriveError` where it cannot be, and `OSError` where it cannot go on now.
        """
        for target in item.targets:
            try_target_now(self.spool, target)
        if item.queue == Finish.ERROR:
            return self._letter(item)
        if item.queue == "outbox" and item.uid_type == "notification":
            return self._delivery(item)
        if item.queue in self.sections:
            return self._task(item)
        raise RedriveError(f"'{item.id}' is {item.state}, and there is nothing to be tried again")

    def _task(self, item: Item) -> str:
        with leased(item):
            content, section = read_task(item.path), self.sections[item.queue]
            state, now = retry_state(content.get(section)), self.clock()
            later = time_of(state.get("next_retry_at"))
            rest = "; its queue is halted" if is_halted(self.spool, item.queue) else ""
            if later is None or later <= now:
                return f"'{item.id}' is due already{rest}"
            value = with_retry_state(content.get(section), int(state.get("retries") or 0), now)
            entry = journal_entry(
                now, ADMINISTRATOR, HASTENED, f"it was to rest until {later.isoformat()}"
            )
            journal = [*content["journal"], entry]
            write_task(self.files, item.path, {**content, section: value, "journal": journal})
            return f"'{item.id}' is due now{rest}"

    def _delivery(self, item: Item) -> str:
        with locked_content(item.path) as found:
            if found is None:
                raise RedriveError(_worked_on(item))
            self.files.write_json(item.path, {**json.loads(found), "not_before": None})
        return f"'{item.id}' is due now"

    def _letter(self, item: Item) -> str:
        with leased(item):
            reason = reason_of(item.path)
            delivery = read_object(item.path / DELIVERY_FILE)
            if delivery is not None and reason is not None and reason.get("stage") == BURIED:
                return self._dead_delivery(item, delivery)
            if reason is None and not leftovers(item.path):  # an end that was interrupted
                remove_folder(item.path)
                return f"'{item.id}' held nothing any more"
            if reason is None or not isinstance(reason.get("queue"), str):
                raise RedriveError(
                    f"'{item.id}' has no '{REASON_FILE}' that says in which queue it failed; "
                    f"look at '{item.path}', and move it by hand"
                )
            if reason["queue"]:
                return self._back_to_queue(item, reason["queue"], reason)
            only = _only_rule(item.path)
            said = reroute(self.spool, self.files, item, self.read_image, only)
            said += f", for rule '{only}' alone" if only else ""
            if not leftovers(item.path):
                remove_folder(item.path)
            return said

    def _back_to_queue(self, item: Item, queue: str, reason: Mapping[str, Any]) -> str:
        if queue not in self.sections:
            raise RedriveError(f"no installed plugin has the queue '{queue}' of '{item.id}'")
        destination = self.spool.queue(queue) / item.path.name
        if destination.exists():
            raise RedriveError(f"'{destination}' is there already; look which of the two is right")
        try:
            content = read_task(item.path)
        except TaskFileError as error:
            raise RedriveError(f"{error}; mend it, or discard the dead letter") from error
        section = self.sections[queue]
        if retry_state(content.get(section)):
            content[section] = _begun_anew(content[section])
        if content["journal"][-1]["action"] != REDRIVEN:
            outcome = (
                f"to '{queue}'; it had failed at {reason.get('stage')}: {reason.get('reason')}"
            )
            entry = journal_entry(self.clock(), ADMINISTRATOR, REDRIVEN, outcome)
            content["journal"] = [*content["journal"], entry]
        write_task(self.files, item.path, content)
        # Hidden first, and gone once the task is in its queue: a letter always has its reason.
        if (item.path / REASON_FILE).exists():
            (item.path / REASON_FILE).replace(item.path / REDRIVEN_FILE)
        self.files.move_folder(item.path, destination)
        (destination / REDRIVEN_FILE).unlink(missing_ok=True)
        rest = "; that is halted" if is_halted(self.spool, queue) else ""
        return f"'{item.id}' went back to '{queue}'{rest}"

    def _dead_delivery(self, item: Item, delivery: Mapping[str, Any]) -> str:
        # A process that dies in between delivers twice, as any delivery may be.
        since = self.clock().isoformat()
        again = {**delivery, "since": since, "attempts": 0, "not_before": None}
        self.files.write_json(self.spool.outbox / f"{item.path.name}.json", again)
        remove_folder(item.path)
        return f"'{item.id}' went back to 'outbox'"


@contextmanager
def leased(item: Item) -> Iterator[None]:
    """Hold the lease of a folder, so that no worker acts meanwhile; it may move with its folder.

    Raises `RedriveError` where a worker has it, or it is gone.
    """
    lock = try_lock(item.path / LEASE_FILE)
    if lock is None:
        raise RedriveError(_worked_on(item) if item.path.exists() else f"'{item.id}' has moved on")
    try:
        if not item.path.exists():
            raise RedriveError(f"'{item.id}' has moved on")
        yield
    finally:
        lock.release()


def reason_of(folder: Path) -> dict[str, Any] | None:
    """Why a dead letter is one, also where it was on its way back; None where that is unknown."""
    return read_object(folder / REASON_FILE) or read_object(folder / REDRIVEN_FILE)


def _only_rule(folder: Path) -> str:
    """The rule that a dead letter of routing is for, where that is one: others have had theirs."""
    info = (read_object(folder / TASK_FILE) or {}).get("info")
    rule = info.get("applied_rule") if isinstance(info, dict) else None
    return rule if isinstance(rule, str) else ""


def prospect(item: Item, queues: Mapping[str, str]) -> str:
    """What `Redrive.retry` would do with the thing, in a sentence."""
    if item.state is State.RETRY:
        return "makes it due now"
    if item.queue != Finish.ERROR:
        return "does nothing"
    if item.uid_type == "notification":
        return "puts it back into 'outbox'"
    queue = (reason_of(item.path) or {}).get("queue")
    if queue == "":
        only = _only_rule(item.path)
        anew = f"routed anew for rule '{only}' alone" if only else "routed anew"
        return f"puts its images back into 'incoming', to be {anew}"
    if queue in queues:
        return f"moves it back to '{queue}'"
    return "cannot tell where it belongs"


def _worked_on(item: Item) -> str:
    return f"'{item.id}' is being worked on; try again when it is settled"


def _begun_anew(section: Any) -> Any:
    state = {**retry_state(section), "retries": None, "next_retry_at": None}
    return [state, *section[1:]] if isinstance(section, list) else state
