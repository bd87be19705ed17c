"""Routes what is loose in ``incoming/`` (documented as ``route_error_files``).

Knows that a loose image is received into the folder of its series, and that all that cannot be
parsed goes to ``error/`` as one dead letter with one alert. Does not know how files move.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mroute.errors import TagsError, UnsafeNameError, describe
from mroute.events import SeriesDeferred, SubjectCommitted, SubjectRejected, seconds_since
from mroute.image_tags import read_image
from mroute.router.routing import RETRY_AFTER, Routing
from mroute.spool.arrivals.loose import loose_files
from mroute.spool.arrivals.lots import (
    Found,
    Lot,
    end_lot,
    move_lot,
    new_lot,
    unfinished_lots,
    working_on_lots,
)
from mroute.spool.arrivals.receiving import receive
from mroute.spool.layout import tags_file
from mroute.spool.tags import read_tags

_AT_ONCE = 100
"""Loose images that are received in one pass: complete series must not wait for thousands."""


def route_error_files(routing: Routing, stop: threading.Event) -> int:
    """Receive loose images and move what cannot be parsed; returns how many files that were.

    Looks at what the last `Routing.scan` found to be no series. Observers are told once of what
    stays there. Does nothing where another router is at it, or ``stop`` is set.
    """
    with working_on_lots(routing.site.spool) as alone:
        routing.backlog = not alone and bool(routing.loose)
        if not alone or stop.is_set():
            return 0
        moved = sum(_move(routing, lot) for lot in unfinished_lots(routing.site.spool))
        if not routing.loose:
            return moved
        routing.renew()
        quiet = routing.site.configuration.timing.series_complete_after
        found = loose_files(routing.site.spool, routing.loose, routing.site.clock(), quiet)
        for name in found.strange:
            routing.ignore(str(routing.site.spool.incoming / name))
        failed = list(found.failed)
        incoming = routing.site.spool.incoming
        due = [name for name in found.images if not routing.is_resting(str(incoming / name))]
        routing.backlog = len(due) > _AT_ONCE
        received = 0
        for name in due[:_AT_ONCE]:
            if stop.is_set():
                break
            received += _receive(routing, name, failed)
        if failed and not routing.is_resting(str(routing.site.spool.incoming)):
            moved += _begin(routing, failed)
    return received + moved


def _receive(routing: Routing, name: str, failed: list[Found]) -> bool:
    """Receive a loose image; one that cannot be parsed is added to ``failed``."""
    site = routing.site
    image = site.spool.incoming / name
    beside = tags_file(image)
    has_tags = beside.exists()
    try:
        tags = read_tags(beside)[0] if has_tags else read_image(site.registry)(image)
        receive(site.spool, site.files, image, tags)
    except (TagsError, UnsafeNameError) as error:
        if image.exists():
            failed.append(Found((name, *([beside.name] if has_tags else ())), str(error)))
        return False
    except OSError as error:
        if image.exists():
            _defer(routing, str(image), error)
        return False
    with suppress(FileNotFoundError):
        beside.unlink()
    return True


def _begin(routing: Routing, failed: Sequence[Found]) -> bool:
    try:
        lot = new_lot(routing.site.spool, routing.site.files, failed)
    except OSError as error:
        _defer(routing, str(routing.site.spool.incoming), error)
        return False
    return _move(routing, lot)


def _move(routing: Routing, lot: Lot) -> bool:
    """Move a lot into ``error/``, and tell; what fails is tried again later."""
    site = routing.site
    if routing.is_resting(lot.id):
        return False
    started = time.perf_counter()
    try:
        if move_lot(site.spool, site.files, lot, site.clock()):
            # Before the lot is forgotten: who dies here tells it again, rather than not at all.
            # What receivers say may name a patient, and is for the dead letter alone.
            task = f"{lot.task.queue}/{lot.task.task_id(lot.id)}"
            because = f"{lot.summary}; see 'reason.json' in '{task}'"
            site.hooks.event(SubjectRejected(lot.id, "", because, len(lot.found)))
            site.hooks.event(
                SubjectCommitted(lot.id, "", "files", (task,), 0, 0, 0, seconds_since(started))
            )
        end_lot(lot)
    except OSError as error:
        routing.deferred[lot.id] = site.clock() + RETRY_AFTER
        site.hooks.event(SeriesDeferred(lot.id, "", describe(error)))
        return False
    routing.deferred.pop(lot.id, None)
    return True


def _defer(routing: Routing, where: str, error: OSError) -> None:
    """Leave a file alone that can neither be received nor moved now, and tell."""
    routing.deferred[where] = routing.site.clock() + RETRY_AFTER
    routing.site.hooks.event(SeriesDeferred("", Path(where).name, describe(error)))
