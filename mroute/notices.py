"""Delivers the notifications that wait in the outbox, through the channels of plugins.

Knows retry and giving up. Does not know any channel. A delivery that is interrupted is made again:
at least once, never not at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mroute.errors import DeliveryError, describe
from mroute.events import DeliverySettled, seconds_since
from mroute.site import Site
from mroute.spool import outbox
from mroute.spool.outbox import Resting, Waiting


def deliver_due(current: Callable[[], Site], stop: threading.Event, resting: Resting) -> int:
    """Deliver what is due; returns how many deliveries were made or given up.

    ``current`` returns the site as it is configured now; it is asked once for each delivery.
    ``resting`` is kept from one call to the next.
    """
    settled, site = 0, current()
    retry_after = site.configuration.timing.retry_after
    for waiting in outbox.due(site.spool, site.files, site.clock(), retry_after, resting):
        if stop.is_set():
            break
        site, started = current(), time.perf_counter()
        try:
            settled += _deliver(site, waiting, started)
        except OSError as error:  # it stays in the outbox as it is; the others are delivered
            _tell(site, waiting, started, "retry", describe(error))
    return settled


def _deliver(site: Site, waiting: Waiting, started: float) -> bool:
    """Whether it is settled for good."""
    delivery, timing = waiting.delivery, site.configuration.timing
    try:
        site.registry.channels[delivery.channel].deliver(delivery, site.configuration.settings)
    except DeliveryError as error:
        detail, final = str(error), waiting.attempts >= timing.retry_max
    except KeyError:
        detail, final = f"no installed plugin has the channel '{delivery.channel}'", True
    # The edge of a plugin call: whatever else a channel raises will not go away by itself.
    except Exception as error:  # noqa: BLE001
        plugin = site.registry.contributed_by.get(("channel", delivery.channel), "unknown")
        detail, final = f"plugin '{plugin}' raised {type(error).__name__}: {error}", True
    else:
        waiting.delivered()
        _tell(site, waiting, started, "done", "")
        return True
    if final:
        waiting.give_up(site.spool, site.files, detail, site.clock())
    else:
        waiting.retry_at(site.files, site.clock() + timing.retry_after)
    _tell(site, waiting, started, "failed" if final else "retry", detail)
    return final


def _tell(site: Site, waiting: Waiting, started: float, settlement: str, detail: str) -> None:
    delivery, seconds = waiting.delivery, seconds_since(started)
    site.hooks.event(
        DeliverySettled(
            waiting.id, delivery.channel, delivery.rule_name, settlement, detail, seconds
        )
    )
