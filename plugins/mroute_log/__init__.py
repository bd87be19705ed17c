"""Writes one structured line of log for each event.

Knows which events deserve a warning. Does not know how lines look, where they go, or which facts
of patients are left out: mroute sets that up for everybody who logs with structlog.
"""

from __future__ import annotations

from typing import Any

from mroute.api import (
    ArrivalIgnored,
    ConfigurationChanged,
    DeliverySettled,
    Event,
    InstanceConflicted,
    LatecomerArrived,
    SeriesDeferred,
    StudyCompleted,
    SubjectRejected,
    TargetChanged,
    TaskSettled,
    TroubleNoticed,
    hookimpl,
)


@hookimpl
def mroute_event(event: Event) -> None:
    """Log the event with all its facts."""
    log = _logger()
    write = log.warning if is_warning(event) else log.info
    write(event.name, **event.facts())


_bound: list[Any] = [None, None]
"""Processors of structlog, and the logger that was bound to them."""


def _logger() -> Any:
    """The logger as structlog is configured now; binding one takes as long as writing a line."""
    import structlog  # brings half a terminal with it: only where something happens

    if not structlog.is_configured():
        return structlog.get_logger("mroute")
    processors = structlog.get_config()["processors"]
    if _bound[0] is not processors:
        _bound[:] = processors, structlog.get_logger("mroute").bind()
    return _bound[1]


def is_warning(event: Event) -> bool:
    """Whether somebody should look at what happened."""
    match event:
        case SubjectRejected() | SeriesDeferred() | TroubleNoticed() | ArrivalIgnored():
            return True
        case InstanceConflicted() | LatecomerArrived():
            return True
        case StudyCompleted():
            return event.forced in ("discard", "error")
        case TaskSettled() | DeliverySettled():
            return event.settlement in ("failed", "retry")
        case ConfigurationChanged(accepted=False) | TargetChanged(down=True):
            return True
        case _:
            return False
