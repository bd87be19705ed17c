"""The outbox: notifications that wait to be delivered, a file each.

Knows how a delivery waits, when it is due and how it leaves. Does not know how one is delivered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mroute.errors import describe, is_shortage
from mroute.models import NoticeEvent
from mroute.spool.files import Files
from mroute.spool.layout import REASON_FILE, Spool
from mroute.spool.locks import locked_content
from mroute.spool.manifest import delivery_content, reason_content
from mroute.spool.taskfile import aware_time
from mroute.spool.waiting import is_due
from mroute.types import Delivery, Finish

BURIED = "notification"
"""The stage at which a delivery fails, as ``reason.json`` has it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery in the outbox.

    It waits ``since`` then, was tried ``attempts`` times, and rests until ``not_before``.
    """

    id: str
    path: Path
    delivery: Delivery
    since: datetime
    attempts: int
    not_before: datetime | None

    @property
    def destination(self) -> str:
        """What it shares with those that wait together with it."""
        return self.delivery.destination or self.delivery.channel

    def delivered(self) -> None:
        """Take it out of the outbox."""
        self.path.unlink()

    def retry_at(self, files: Files, when: datetime) -> None:
        """Leave it for another attempt, not before ``when``."""
        content = delivery_content(self.delivery, self.since)
        files.write_json(
            self.path,
            {**content, "attempts": self.attempts + 1, "not_before": when.isoformat()},
        )

    def give_up(self, spool: Spool, files: Files, reason: str, now: datetime) -> None:
        """Move it to ``error/`` with the reason."""
        _bury(spool, files, self.path, (self.delivery.rule_name,), reason, now)


def put(
    spool: Spool,
    files: Files,
    deliveries: Iterable[Delivery],
    now: datetime,
    redriven: str = "",
) -> None:
    """Put deliveries into the outbox; the same ones again change nothing.

    ``redriven`` is when their task left ``error/``, and empty where it was never there.
    """
    for number, delivery in enumerate(deliveries):
        path = spool.outbox / f"{delivery.delivery_id(number, redriven)}.json"
        files.write_json(path, delivery_content(delivery, now))


@dataclass(slots=True)
class Resting:
    """The deliveries of the outbox as they were last read.

    A file that was not replaced says what it said: it is not read again in every pass.
    """

    known: dict[str, tuple[int, Waiting]] = field(default_factory=dict)


def due(
    spool: Spool, files: Files, now: datetime, longest: timedelta, resting: Resting
) -> Iterator[Waiting]:
    """The deliveries that are due, the older before the newer; `held` takes one.

    ``longest`` is how long one may have to rest, and ``resting`` is kept from one call to the next.
    A file that is no delivery, or cannot be read, goes to ``error/``.
    """
    before, resting.known = resting.known, {}
    for identity, path in _oldest_first(spool.outbox):
        known = before.get(path.name)
        if known is None or known[0] != identity:
            try:
                with held(spool, files, path, now) as waiting:
                    if waiting is None:
                        continue
            except OSError as error:
                if is_shortage(error):
                    raise
                # One that cannot be opened must not hold up the others.
                _bury(spool, files, path, (), describe(error), now)
                continue
            known = identity, waiting
        resting.known[path.name] = known
        if is_due(known[1].not_before, now, longest):
            yield known[1]


@contextmanager
def held(spool: Spool, files: Files, path: Path, now: datetime) -> Iterator[Waiting | None]:
    """Have a delivery as it is now, while nobody else can.

    None where another process has it, or it is gone. A file that is no delivery goes to ``error/``.
    """
    with locked_content(path) as found:
        waiting = None
        if found is not None:
            try:
                waiting = _waiting(path, json.loads(found), now)
            except (ValueError, KeyError, TypeError) as error:
                _bury(spool, files, path, (), f"'{path.name}' is damaged: {error!r}", now)
        yield waiting


def _oldest_first(outbox: Path) -> list[tuple[int, Path]]:
    """The files of the outbox with what tells one from those that replaced it."""
    found: list[tuple[int, str, int, Path]] = []
    for path in outbox.glob("*.json"):
        with suppress(FileNotFoundError):  # another process has delivered it
            status = path.stat()
            found.append((status.st_mtime_ns, path.name, status.st_ino, path))
    return [(hash((changed, inode)), path) for changed, _, inode, path in sorted(found)]


def _waiting(path: Path, content: Mapping[str, Any], now: datetime) -> Waiting:
    not_before, since = content["not_before"], content.get("since")
    delivery = Delivery(
        channel=content["channel"],
        rule_name=content["rule_name"],
        event=NoticeEvent(content["event"]),
        task_id=content["task_id"],
        options=dict(content["options"]),
        body=content["body"],
        destination=content.get("destination", ""),
        id=path.stem,
    )
    return Waiting(
        path.stem,
        path,
        delivery,
        now if since is None else aware_time(since),  # a file of long ago does not say
        int(content["attempts"]),
        None if not_before is None else aware_time(not_before),
    )


def _bury(
    spool: Spool, files: Files, path: Path, rules: tuple[str, ...], reason: str, now: datetime
) -> None:
    folder = spool.queue(Finish.ERROR) / path.stem
    folder.mkdir(exist_ok=True)
    files.write_json(folder / REASON_FILE, reason_content(BURIED, reason, rules, now))
    path.rename(folder / "delivery.json")
    files.flush_folder(folder)
