"""The outbox: notifications that wait to be delivered, a file each.

Knows how a delivery waits, when it is due and how it leaves. Does not know how one is delivered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mroute.models import NoticeEvent
from mroute.spool.files import Files
from mroute.spool.layout import REASON_FILE, Spool
from mroute.spool.locks import locked_content
from mroute.spool.manifest import delivery_content, reason_content
from mroute.spool.waiting import is_due
from mroute.types import Delivery, Finish

BURIED = "notification"
"""The stage at which a delivery fails, as ``reason.json`` has it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery in the outbox; ``attempts`` is how often it was tried."""

    id: str
    path: Path
    delivery: Delivery
    attempts: int

    def delivered(self) -> None:
        """Take it out of the outbox."""
        self.path.unlink()

    def retry_at(self, files: Files, when: datetime) -> None:
        """Leave it for another attempt, not before ``when``."""
        content = delivery_content(self.delivery)
        files.write_json(
            self.path,
            {**content, "attempts": self.attempts + 1, "not_before": when.isoformat()},
        )

    def give_up(self, spool: Spool, files: Files, reason: str, now: datetime) -> None:
        """Move it to ``error/`` with the reason."""
        _bury(spool, files, self.path, (self.delivery.rule_name,), reason, now)


def put(spool: Spool, files: Files, deliveries: Iterable[Delivery]) -> None:
    """Put deliveries into the outbox; the same ones again change nothing."""
    for number, delivery in enumerate(deliveries):
        path = spool.outbox / f"{delivery.delivery_id(number)}.json"
        files.write_json(path, delivery_content(delivery))


@dataclass(slots=True)
class Resting:
    """The deliveries that wait for another attempt, as they were last read, with its time.

    A file that was not replaced says what it said: it is not read again in every pass.
    """

    until: dict[str, tuple[int, datetime]] = field(default_factory=dict)


def due(
    spool: Spool, files: Files, now: datetime, retry_after: timedelta, resting: Resting
) -> Iterator[Waiting]:
    """The deliveries that are due, the older before the newer; nobody else has one meanwhile.

    ``retry_after`` is how long one may have to wait, and ``resting`` is kept from one call to the
    next. Passes over what another process is delivering. A file that is no delivery goes to
    ``error/``.
    """
    before, resting.until = resting.until, {}
    for identity, path in _oldest_first(spool.outbox):
        known = before.get(path.name)
        if known is not None and known[0] == identity and not is_due(known[1], now, retry_after):
            resting.until[path.name] = known
            continue
        with locked_content(path) as found:
            if found is None:
                continue
            try:
                content = json.loads(found)
                not_before = content["not_before"]
                when = None if not_before is None else datetime.fromisoformat(not_before)
                ready = is_due(when, now, retry_after)
                waiting = Waiting(path.stem, path, _delivery(content), content["attempts"])
            except (ValueError, KeyError, TypeError) as error:
                _bury(spool, files, path, (), f"'{path.name}' is damaged: {error!r}", now)
                continue
            if ready:
                yield waiting
            elif when is not None:
                resting.until[path.name] = identity, when


def _oldest_first(outbox: Path) -> list[tuple[int, Path]]:
    """The files of the outbox with what tells one from those that replaced it."""
    found: list[tuple[int, str, int, Path]] = []
    for path in outbox.glob("*.json"):
        with suppress(FileNotFoundError):  # another process has delivered it
            status = path.stat()
            found.append((status.st_mtime_ns, path.name, status.st_ino, path))
    return [(hash((changed, inode)), path) for changed, _, inode, path in sorted(found)]


def _delivery(content: Mapping[str, Any]) -> Delivery:
    return Delivery(
        channel=content["channel"],
        rule_name=content["rule_name"],
        event=NoticeEvent(content["event"]),
        task_id=content["task_id"],
        options=content["options"],
        body=content["body"],
    )


def _bury(
    spool: Spool, files: Files, path: Path, rules: tuple[str, ...], reason: str, now: datetime
) -> None:
    folder = spool.queue(Finish.ERROR) / path.stem
    folder.mkdir(exist_ok=True)
    files.write_json(folder / REASON_FILE, reason_content(BURIED, reason, rules, now))
    path.rename(folder / "delivery.json")
    files.flush_folder(folder)
