"""Writes one structured line of log for each event.

Knows which events deserve a warning. Does not know how lines look, where they go, or which facts
of patients are left out: mroute sets that up for everybody who logs with structlog.
"""

from __future__ import annotations

from mroute.api import (
    ArrivalIgnored,
    ConfigurationChanged,
    DeliverySettled,
    Event,
    InstanceConflicted,
    SeriesDeferred,
    SubjectRejected,
    TaskSettled,
    TroubleNoticed,
    hookimpl,
)


@hookimpl
def mroute_event(event: Event) -> None:
    """Log the event with all its facts."""
    import structlog  # brings half a terminal with it: only where something happens

    log = structlog.get_logger("mroute")
    write = log.warning if is_warning(event) else log.info
    write(event.name, **event.facts())


def is_warning(event: Event) -> bool:
    """Whether somebody should look at what happened."""
    match event:
        case SubjectRejected() | SeriesDeferred() | TroubleNoticed() | ArrivalIgnored():
            return True
        case InstanceConflicted():
            return True
        case TaskSettled() | DeliverySettled():
            return event.settlement in ("failed", "retry")
        case ConfigurationChanged(accepted=False):
            return True
        case _:
            return False
