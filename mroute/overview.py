"""What waits in the spool, and which targets are down, as a service may ask again and again.

Knows how to find that out cheaply: a task file that was not replaced is not read again. Does not
know why a thing waits: that is for whoever looks at one (`mroute.spool.upkeep`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mroute.contributions import WaitingItem
from mroute.site import Site
from mroute.spool.queue import is_halted
from mroute.spool.targets import Targets, is_target_halted
from mroute.spool.taskfile import aware_time
from mroute.spool.upkeep.item import State
from mroute.spool.waiting import Seen, Waiting
from mroute.types import Finish, JsonObject


class Overview:
    """Looks at the spool of a site; ``current`` returns the site as it is configured now.

    It remembers task files from one look to the next; one thread looks at a time.
    """

    def __init__(self, current: Callable[[], Site]) -> None:
        self._current = current
        self._looking = threading.Lock()
        self._remembered: dict[Path, Waiting] = {}

    def waiting(self) -> list[WaitingItem]:
        """All that waits now but what is being routed; what cannot be read is left out.

        Raises `OSError` where the spool cannot be looked at.
        """
        with self._looking:
            return self._waiting()

    def targets(self) -> dict[str, datetime | None]:
        """Each target of the rule file with the time since when it is down, or None."""
        site = self._current()
        targets = Targets(site.spool, site.files)
        return {
            name: targets.health(name, target).down_since
            for name, target in site.configuration.targets.items()
        }

    def _waiting(self) -> list[WaitingItem]:
        site = self._current()
        spool, now = site.spool, site.clock()
        items = list(self._tasks(site, now))
        items += (
            WaitingItem("studies", State.COLLECTING, _since(seen, now))
            for seen in self._seen(spool.studies, "collection")
        )
        for folder, state in (
            (spool.incoming, State.ARRIVING),
            (spool.outbox, State.WAITING),
            (spool.queue(Finish.ERROR), State.DEAD),
        ):
            items += (WaitingItem(folder.name, state, since) for since in _changes(folder))
        return items

    def _tasks(self, site: Site, now: datetime) -> Iterator[WaitingItem]:
        spool = site.spool
        halted = {name for name in site.configuration.targets if is_target_halted(spool, name)}
        for name, queue in site.registry.queues.items():
            all_halted = is_halted(spool, name)
            for seen in self._seen(spool.queue(name), queue.section, queue.pending):
                state = State.WAITING
                if all_halted or (seen.pending and halted.issuperset(seen.pending)):
                    state = State.HALTED
                elif seen.not_before is not None and seen.not_before > now:
                    state = State.RETRY
                yield WaitingItem(name, state, _since(seen, now), seen.pending)

    def _seen(
        self,
        folder: Path,
        section: str,
        pending: Callable[[JsonObject], Sequence[str]] = lambda content: (),
    ) -> Collection[Seen]:
        remembered = self._remembered.setdefault(folder, Waiting(section, pending))
        remembered.look(folder)
        return remembered.seen()


def _since(seen: Seen, now: datetime) -> datetime:
    try:
        return aware_time(seen.since)
    except ValueError:  # an administrator has written it
        return now


def _changes(folder: Path) -> Iterator[datetime]:
    """When each folder and each JSON file in a folder was changed last; none where it is gone."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                wanted = entry.is_dir(follow_symlinks=False) or entry.name.endswith(".json")
                if wanted and entry.name[0] != ".":
                    with suppress(FileNotFoundError):  # it has just left
                        changed = entry.stat(follow_symlinks=False).st_mtime
                        yield datetime.fromtimestamp(changed, UTC)
    except FileNotFoundError:  # the router makes it again
        return
