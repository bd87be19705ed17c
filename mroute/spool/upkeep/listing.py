"""All that waits in the spool, while others work on it: one `Item` for each thing.

Knows the places of the spool and in which order they are looked at. Does not know what is done with
a thing, and changes nothing. What moves on during the look is missed rather than listed twice, so
places are looked at against the stream: ``error/`` first, ``incoming/`` last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from mroute.errors import TaskFileError, describe
from mroute.spool.claim import DEFERRED_FILE
from mroute.spool.held import is_held
from mroute.spool.layout import PROBE_PREFIX, SOURCE_PREFIX, TASK_FILE, Spool
from mroute.spool.places import joining
from mroute.spool.queue import is_halted
from mroute.spool.taskfile import read_task
from mroute.spool.upkeep.item import Item, State, changed_at, images_in, rules_of
from mroute.spool.upkeep.tasks import (
    damaged,
    dead_letter_item,
    finished_task,
    read_object,
    task_folders,
    time_of,
    waiting_task,
)
from mroute.types import Finish, UidType

_OWN = {"incoming", "studies", "outbox", *Finish}
_MOVING = {"receive": "an image is being received", "errors": "on its way to 'error/'"}
"""Kinds of folders in ``.staging/`` beside claims."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a spool at the time ``now``.

    ``sections`` maps every queue to its section of the task file. The times are those of the rule
    file; ``retry_max`` is None where that is not known.
    """

    spool: Spool
    now: datetime
    sections: Mapping[str, str]
    quiet: timedelta = timedelta(seconds=60)
    by_sender: Mapping[str, timedelta] = field(default_factory=dict)
    retry_max: int | None = None

    def items(self, finished: bool = False) -> list[Item]:
        """What waits, the oldest first; with ``finished`` what is in success/ and discard/ too."""
        found: dict[str, Item] = {}
        for item in self._found(finished):
            found.setdefault(item.id, item)
        return sorted(found.values(), key=lambda item: (item.since, item.id))

    def _found(self, finished: bool) -> Iterator[Item]:
        spool = self.spool
        if finished:
            for place in (Finish.SUCCESS, Finish.DISCARD):
                yield from self._each(place, lambda folder: finished_task(spool, folder))
        yield from self._each(Finish.ERROR, lambda folder: dead_letter_item(spool, folder))
        yield from self._present(spool.outbox.glob("*.json"), self._delivery)
        for queue in reversed(list(self.sections)):
            yield from self._queue(queue)
        yield from self._present(self._strangers(), self._stranger)
        yield from self._each("studies", self._study)
        yield from self._present(_entries(spool.staging), self._claim)
        yield from self._present(_entries(spool.incoming), self._series)

    def _each(self, place: str, make: Callable[[Path], Item | None]) -> Iterator[Item]:
        return self._present(task_folders(self.spool.queue(place)), make)

    def _present(
        self, paths: Iterator[Path], make: Callable[[Path], Item | None]
    ) -> Iterator[Item]:
        """The items of what is still there when it is looked at, whatever is wrong with it."""
        for path in paths:
            with suppress(FileNotFoundError):
                try:
                    item = make(path)
                except FileNotFoundError:
                    raise
                except OSError as error:
                    item = damaged(self.spool, path, describe(error))
                except (TaskFileError, ValueError, TypeError, KeyError, AttributeError) as error:
                    item = damaged(self.spool, path, f"it cannot be read: {error}")
                if item is not None:
                    yield item

    def _queue(self, queue: str) -> Iterator[Item]:
        halted, section = is_halted(self.spool, queue), self.sections[queue]
        return self._each(
            queue,
            lambda folder: waiting_task(
                self.spool, folder, section, self.now, self.retry_max, halted
            ),
        )

    def _strangers(self) -> Iterator[Path]:
        for path in _entries(self.spool.root):
            if path.name not in _OWN and path.name not in self.sections and path.name[0] != ".":
                yield from task_folders(path) if path.is_dir() else [path]

    def _stranger(self, path: Path) -> Item:
        return damaged(self.spool, path, "no installed plugin works on this; it stays where it is")

    def _delivery(self, path: Path) -> Item:
        content, since = read_object(path), changed_at(path)
        if content is None:
            return damaged(self.spool, path, "it is no delivery that can be read")
        since = time_of(content.get("since")) or since
        state, because = State.WAITING, "due"
        attempts, later = content.get("attempts") or 0, content.get("not_before")
        with suppress(TypeError, ValueError):
            if later is not None and datetime.fromisoformat(later) > self.now:
                state, because = State.RETRY, f"attempt {attempts + 1} at {later}"
        if is_held(path):
            state, because = State.WORKING, "it is being delivered"
        return Item(
            path.stem,
            "outbox",
            path,
            state,
            f"{content.get('channel')}: {because}",
            since,
            str(content.get("task_id", "")),
            "notification",
            (str(content.get("rule_name", "")),),
        )

    def _study(self, folder: Path) -> Item | None:
        if not (folder / TASK_FILE).exists():
            if joining(folder):  # its first series is listed as a claim
                return None
            return damaged(self.spool, folder, f"a collecting study without '{TASK_FILE}'")
        content = read_task(folder)
        study, collection = content.get("study", {}), content.get("collection", {})
        rule = collection.get("rule", {}) if isinstance(collection, dict) else {}
        asked = rule.get("study") if isinstance(rule, dict) else None
        waits = asked.get("complete") if isinstance(asked, dict) else "unknown"
        received = study.get("received_series") or []
        because = (
            f"for '{waits}'; {len(received)} series so far, "
            f"the last at {study.get('last_receive_time', 'an unknown time')}"
        )
        if study.get("complete_force") is True:
            because = "an administrator has completed it; it goes on next"
        return Item(
            folder.name,
            "studies",
            folder,
            State.COLLECTING,
            because,
            datetime.fromisoformat(content["journal"][0]["time"]),
            content["info"]["uid"],
            UidType.STUDY.value,
            rules_of(content),
            images_in(folder),
        )

    def _claim(self, folder: Path) -> Item | None:
        kind, _, rest = folder.name.partition("-")
        if folder == self.spool.locks or folder.name.startswith(PROBE_PREFIX):
            return None
        if kind in _MOVING:
            count, since = sum(1 for _ in folder.glob("*.dcm")), changed_at(folder)
            because = _MOVING[kind]
            return Item(
                folder.name, ".staging", folder, State.ROUTING, because, since, images=count
            )
        run, _, claim_id = rest.partition("-")
        if kind not in frozenset(UidType) or not claim_id:
            return damaged(self.spool, folder, "no claim; it stays where it is")
        source = next(iter(folder.glob(f"{SOURCE_PREFIX}*")), None)
        name = source.name.removeprefix(SOURCE_PREFIX) if source else ""
        uid, _, rule = name.partition("#")
        deferred = read_object(folder / DEFERRED_FILE)
        state, because = State.ROUTING, "a router has it"
        if deferred is not None:
            until = deferred.get("until")
            state, because = State.DEFERRED, f"again at {until}: {deferred.get('because')}"
        elif not is_held(self.spool.runs / f"{run}.lock"):
            because = "the router that had it is gone; the next one carries it on"
        return Item(
            claim_id,
            ".staging",
            folder,
            state,
            because,
            changed_at(folder),
            uid,
            kind,
            (rule,) if rule else (),
            images_in(source) if source else 0,
        )

    def _series(self, path: Path) -> Item | None:
        if path.name[0] == ".":
            return None
        changed = changed_at(path)
        if path.name == "error" or path.is_symlink() or not path.is_dir():
            because = "no series folder; 'mroute run' sees to it, or says why not"
            if path.name == "error" and not any(path.iterdir()):
                return None
            return Item(path.name, "incoming", path, State.LOOSE, because, changed)
        # What a sender asks for is not looked up: that would read a file of every series.
        longest = max(self.quiet, *self.by_sender.values(), self.quiet)
        left = (changed + self.quiet - self.now).total_seconds()
        state, because = State.COMPLETE, "to be routed next"
        if left >= 0:
            state, because = State.ARRIVING, f"complete in {left:.0f} s if nothing more arrives"
        elif changed + longest > self.now:
            because = "to be routed next, unless its sender is waited for"
        images = images_in(path)
        return Item(
            path.name,
            "incoming",
            path,
            state,
            because,
            changed,
            path.name,
            UidType.SERIES.value,
            images=images,
        )


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from sorted(folder.iterdir())
